import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";

import { describeFolder, writeFolder } from "../../dataset/support/folders.js";
import { tempDir } from "../../support/temp.js";
import { varveUser } from "../../support/varve.js";

test("get REF DIR makes a copy, prints its path, and says what it did to standard error", async (t) => {
  const varve = await varveUser(t);
  const folder = await tempDir(t);
  writeFolder(join(folder, "source"), { a: "1", "d/b.txt": "22" });
  await varve.ok(["sync", join(folder, "source"), "p/d"]);
  const { stdout, stderr } = await varve.ok(["get", "p/d", "copy"], { cwd: folder });
  assert.deepEqual([stdout, stderr], [`${folder}/copy\n`, "p/d@1.0.0: 2 files, 3 B; 2 files written\n"]);
  assert.deepEqual(describeFolder(join(folder, "copy")), describeFolder(join(folder, "source")));
});

test("get takes files, wildcards and parts, and gives facts with --json", async (t) => {
  const varve = await varveUser(t);
  const folder = await tempDir(t);
  writeFolder(join(folder, "source"), { a: "1", "d/b.txt": "22", "d/c": "333" });
  await varve.ok(["sync", join(folder, "source"), "p/d"]);
  const get = async (...args: string[]) => (await varve.ok(["get", "p/d", ...args, "--json"])).json();
  const { id, ...some } = (await get(join(folder, "some"), "--file", "a", "--glob", "*.txt")) as Record<
    string,
    unknown
  >;
  assert.match(String(id), /^[0-9a-f]{32}$/);
  assert.deepEqual(some, {
    path: join(folder, "some"),
    reference: "p/d@1.0.0",
    files: 2,
    bytes: 3,
    writtenFiles: 2,
    writtenBytes: 3,
    removedFiles: 0,
    unmerged: [],
  });
  const parts = [0, 1].map((part) =>
    get(join(folder, `part${part}`), "--part", String(part), "--num-parts", "2"),
  );
  assert.deepEqual(
    (await Promise.all(parts)).map((made) => (made as { files: number }).files),
    [2, 1],
  );
});

test("get tells wrong use, what is missing and what is in the way by its exit code", async (t) => {
  const varve = await varveUser(t);
  const folder = await tempDir(t);
  writeFolder(folder, { "source/a": "1", "full/x": "x" });
  await varve.ok(["sync", join(folder, "source"), "p/d"]);
  const codes = [
    ["p/d", "copy", "--part", "0"],
    ["p/d", "copy", "--part", "one", "--num-parts", "2"],
    ["p/d", "/"],
    ["p/d", "copy", "--file", "typo"],
    ["p/nothing", "copy"],
    ["p/d", "full"],
  ].map(async (args) => (await varve(["get", ...args], { cwd: folder })).code);
  assert.deepEqual(await Promise.all(codes), [2, 2, 2, 3, 3, 4]);
});
