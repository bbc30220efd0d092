import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import type { Scope } from "./cleanup.js";
import { tempDir } from "./temp.js";

const pathOf = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** What the two reporters say of test files of these texts. */
async function runTests(
  scope: Scope,
  files: Record<string, string>,
): Promise<{ told: string; counts: string }> {
  const folder = join(await tempDir(scope), "dist");
  await mkdir(folder);
  const paths = Object.keys(files).map((name) => join(folder, name));
  await Promise.all(paths.map((path, index) => writeFile(path, Object.values(files)[index]!)));
  const counts = join(folder, "counts");
  const reporters = ["reporter.js", "stdout", "counts.js", counts].map((value, index) =>
    index % 2 === 0 ? `--test-reporter=${pathOf(value)}` : `--test-reporter-destination=${value}`,
  );
  const args = ["--test", "--test-timeout=3000", "--test-concurrency=1", ...reporters, ...paths];
  const env = { ...process.env };
  delete env["NODE_TEST_CONTEXT"]; // Else the run would report to this one.
  const told = await new Promise<string>((resolve) => {
    execFile(process.execPath, args, { cwd: join(folder, ".."), env }, (_failed, stdout) => resolve(stdout));
  });
  return { told, counts: await readFile(counts, "utf8") };
}

const BEGIN = 'const { test, describe, it, after } = require("node:test");';

test("a run counts tests and not suites, and names what was skipped and why", async (t) => {
  const text = `${BEGIN} describe("suite", () => { it("one", () => {}); it("two", () => {}); });
    test("three", { skip: "no device" }, () => {});`;
  const { told, counts } = await runTests(t, { "a.test.js": text });
  assert.equal(counts, "2 0\n");
  assert.match(
    told,
    /^ok {5,}.* a\.test\.ts\n\nskipped: three: no device\n\n2 tests passed, 0 failed, 1 skipped, in /,
  );
});

test("a failure is told in full under the names around it, and once", async (t) => {
  const text = `${BEGIN} describe("suite", () => { it("one", () => { throw new Error("wrong bytes"); }); });
    describe("other", () => { it("two", () => {}); after(() => { throw new Error("in the hook"); }); });
    console.log("printed on the way");`;
  const { told, counts } = await runTests(t, { "a.test.js": text });
  assert.equal(counts, "1 2\n");
  assert.match(told, /^FAILED .* a\.test\.ts\n\nprinted by a\.test\.ts:\n {4}printed on the way\n/);
  assert.match(told, /\nFAILED: suite › one\n {4}Error: wrong bytes\n/);
  assert.match(told, /\nFAILED: other\n {4}Error: in the hook\n/);
});

test("a file that crashes, hangs or holds no test is a failure, with what it had begun", async (t) => {
  const { told, counts } = await runTests(t, {
    "a.test.js": `${BEGIN} test("begun", () => new Promise(() => setTimeout(() => process.exit(3), 500)));`,
    "b.test.js": `${BEGIN} test("fine", () => {}); test("hangs", () => new Promise(() => setInterval(() => {}, 1000)));`,
    "c.test.js": "",
  });
  assert.equal(counts, "1 3\n");
  assert.match(told, /\nFAILED: a\.test\.ts\n {4}Its process exited with 3\n {4}not ended: begun\n/);
  assert.match(told, /\nFAILED: b\.test\.ts\n {4}test timed out after 3000ms\n {4}not ended: hangs\n/);
  assert.match(told, /\nFAILED: c\.test\.ts\n {4}It holds no test\n/);
});
