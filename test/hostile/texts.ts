/** Text that people or files give: names, references, expressions, wildcards, URLs, sizes. */
import { canonicalLabel, compareLabels, labelOrder, nextLabel } from "../../src/catalog/label.js";
import { parseServerUrl } from "../../src/catalog/postgres/url.js";
import { parseExpression } from "../../src/dataset/file-metadata/expression.js";
import { parseReference, splitReference } from "../../src/dataset/reference.js";
import { wildcardsOf } from "../../src/dataset/wildcard.js";
import { checkPath, pathOfText } from "../../src/paths.js";
import { normalizeLinkUrl } from "../../src/remote/links/link-url.js";
import { normalizeRemoteUrl } from "../../src/remote/open.js";
import { parseSizeBytes } from "../../src/units.js";
import type { Decoder } from "./fuzz.js";

export function textDecoders(): Decoder[] {
  return [
    text("path", ["a/b/c", "./train/x.png/"], (given) => checkPath(pathOfText(given))),
    text("reference", ["vision/cifar10@1.2.0", "s3://b/p#a/b@v1"], (given) =>
      parseReference(splitReference(given).reference),
    ),
    text("label", ["1.2.0", "v2.0.0-rc.1+build.5"], (given) => {
      canonicalLabel(given);
      labelOrder(nextLabel(given));
      compareLabels(given, "1.0.0");
    }),
    text(
      "expression",
      ["label = 'cat' and (width > 100 or not name like '%x')", "tags contains 'a' and x in (1, 2)"],
      (given) =>
        parseExpression(given)("a/b" as never, {
          label: "cat",
          width: 5,
          tags: ["a"],
          name: "x".repeat(200),
        }),
    ),
    text("wildcard", ["train/**/*.{jpg,png}", "[!ab]?\\*"], (given) =>
      wildcardsOf(given).takes("train/a/b/c.jpg"),
    ),
    text("URL of a link", ["https://x.org/a%20b?c=d", "s3://bucket/a/b", "file:///a/b"], normalizeLinkUrl),
    text(
      "URL of a remote",
      ["s3://bucket/prefix?region=eu", "azure://account.blob.core.windows.net/abc/p", "gs://bucket/p"],
      normalizeRemoteUrl,
    ),
    text("URL of a catalog", ["postgres://u@h:5432/db?sslmode=prefer"], parseServerUrl),
    text("size", ["10GiB", "512 KB"], parseSizeBytes),
  ];
}

function text(name: string, samples: readonly string[], read: (given: string) => unknown): Decoder {
  return {
    name,
    samples: samples.map((sample) => Buffer.from(sample)),
    decode: (bytes) => read(Buffer.from(bytes).toString("utf8")),
  };
}
