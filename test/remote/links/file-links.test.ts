/** External files of this machine: what pins them, and what is told when they have changed. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { isDatasetError } from "../../../src/errors.js";
import { bytesOfText } from "../../../src/paths.js";
import { fileLinks } from "../../../src/remote/links/file-links.js";
import { fileUrlOf } from "../../../src/remote/links/file-url.js";
import type { LinkSource } from "../../../src/remote/links/source.js";
import type { Scope } from "../../support/cleanup.js";
import { tempDir } from "../../support/temp.js";

const STAMP = new Date(1_700_000_000_000);

/** A file, and the source that it is. */
async function linkedFile(scope: Scope): Promise<{ path: string; source: LinkSource }> {
  const path = join(await tempDir(scope), "file");
  writeFileSync(path, "first");
  utimesSync(path, STAMP, STAMP);
  const url = fileUrlOf(bytesOfText(path));
  const info = await fileLinks().look(url);
  assert.ok(info);
  return { path, source: { url, pin: info.pins[0]!, sizeBytes: info.sizeBytes } };
}

/** What befalls a file; where it stays a file, it has the size it had. */
const CHANGES: Readonly<Record<string, (path: string) => void>> = {
  written(path) {
    writeFileSync(path, "other");
  },
  "replaced by one of its time"(path) {
    writeFileSync(`${path}.new`, "other");
    utimesSync(`${path}.new`, STAMP, STAMP);
    renameSync(`${path}.new`, path);
  },
  "made a fifo"(path) {
    rmSync(path);
    execFileSync("mkfifo", [path]);
  },
  "made a folder"(path) {
    rmSync(path);
    mkdirSync(path);
  },
};

for (const [change, make] of Object.entries(CHANGES))
  test(`a file that was ${change} is not read`, async (t) => {
    const { path, source } = await linkedFile(t);
    assert.equal(Buffer.from(await fileLinks().read(source, 1, 4)).toString(), "irs");
    make(path);
    await assert.rejects(fileLinks().read(source, 1, 4), (error) => isDatasetError(error, "source-changed"));
  });

test("a file without a pin is read while it has its size", async (t) => {
  const { path, source } = await linkedFile(t);
  const unpinned = { ...source, pin: "" };
  writeFileSync(path, "other");
  assert.equal(Buffer.from(await fileLinks().read(unpinned, 0, 5)).toString(), "other");
  writeFileSync(path, "longer");
  await assert.rejects(fileLinks().read(unpinned, 0, 5), (error) => isDatasetError(error, "source-changed"));
});

test("a folder lists the files below it, also where a symbolic link leads to one, and no folder twice", async (t) => {
  const root = await tempDir(t);
  mkdirSync(join(root, "below/deeper"), { recursive: true });
  for (const name of ["a", "below/b", "below/deeper/c"]) writeFileSync(join(root, name), name);
  symlinkSync("../a", join(root, "below/link"));
  symlinkSync("..", join(root, "below/round"));
  symlinkSync("nowhere", join(root, "dangling"));
  const paths: string[] = [];
  for await (const { path } of fileLinks().list(`${fileUrlOf(bytesOfText(root))}/`)) paths.push(path);
  assert.deepEqual(paths.sort(), ["a", "below/b", "below/deeper/c", "below/link"]);
});
