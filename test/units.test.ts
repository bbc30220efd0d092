import assert from "node:assert/strict";
import { test } from "node:test";

import { isDatasetError } from "../src/errors.js";
import { GiB, MiB, parseSizeBytes } from "../src/units.js";

test("parseSizeBytes() takes binary and decimal units at their word, in any case", () => {
  const texts = ["10GiB", "500MB", "1.5 MiB", "4096", "0", "2g", "7b", " 1kb "];
  const expected = [10 * GiB, 500_000_000, 1.5 * MiB, 4096, 0, 2 * GiB, 7, 1000];
  assert.deepEqual(texts.map(parseSizeBytes), expected);
});

test("parseSizeBytes() refuses what is no size, naming it", () => {
  for (const text of ["", "GiB", "-1", "1e9", "10 GiBs", "1.", "ten", "9999999 PiB"]) {
    assert.throws(
      () => parseSizeBytes(text),
      (error) =>
        isDatasetError(error, "bad-input") && error.message.startsWith(`Cannot read "${text}" as a size`),
      text,
    );
  }
});
