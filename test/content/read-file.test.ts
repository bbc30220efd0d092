import assert from "node:assert/strict";
import { appendFileSync, closeSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { openSource, readFully, readStable } from "../../src/content/read-file.js";
import { bytesOfText } from "../../src/paths.js";
import type { Scope } from "../support/cleanup.js";
import { tempDir } from "../support/temp.js";

test("a file that changes while it is read is read again", async (scope) => {
  const file = await fileOf(scope, "before");
  let attempts = 0;
  const content = readStable(bytesOfText(file), () => {
    const seen = readFileSync(file, "utf8");
    if (++attempts === 1) appendFileSync(file, " and after");
    return seen;
  });
  assert.equal(content, "before and after");
  assert.equal(attempts, 2);
});

test("a file that changes without changing size is read again", async (scope) => {
  const file = await fileOf(scope, "before");
  utimesSync(file, 1, 1);
  let attempts = 0;
  const content = readStable(bytesOfText(file), () => {
    const seen = readFileSync(file, "utf8");
    if (++attempts === 1) writeFileSync(file, "behind");
    return seen;
  });
  assert.equal(content, "behind");
});

test("a file that changes at each of five attempts is given up as changed", async (scope) => {
  const file = await fileOf(scope, "");
  const read = () => appendFileSync(file, "more");
  const failure = { code: "source-changed", data: { path: file } };
  assert.throws(() => readStable(bytesOfText(file), () => (read(), "seen")), failure);
  assert.equal(readFileSync(file, "utf8"), "more".repeat(5));
});

test("a file that ended before its size is read again, not filled with zeros", async (scope) => {
  const file = await fileOf(scope, "abc");
  const fd = openSource(bytesOfText(file));
  const target = new Uint8Array(4);
  assert.equal(readFully(fd, target, 0), false);
  assert.equal(readFully(fd, target.subarray(0, 2), 1), true);
  assert.deepEqual([...target], [0x62, 0x63, 0x63, 0]);
  closeSync(fd);
});

test("reading leaves the access time alone", { skip: process.platform !== "linux" }, async (scope) => {
  const file = await fileOf(scope, "content");
  utimesSync(file, 1000, 2000); // read before it was written: relatime would set the access time
  const fd = openSource(bytesOfText(file));
  readFully(fd, new Uint8Array(4), 0);
  closeSync(fd);
  assert.equal(statSync(file).atimeMs, 1_000_000);
});

async function fileOf(scope: Scope, content: string): Promise<string> {
  const path = join(await tempDir(scope), "file");
  writeFileSync(path, content);
  return path;
}
