/** `dataset.verify({ folder })`: a copy against its version, changed in each way a folder can be. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";

import { Dataset } from "../../../src/dataset/dataset.js";
import { syncVersion } from "../../../src/dataset/sync.js";
import { isDatasetError } from "../../../src/errors.js";
import { type Contents, writeFolder } from "../support/folders.js";
import { testUser } from "../support/workspaces.js";

const CONTENTS: Contents = {
  ...{ "a/kept": "kept", "a/edited": "before", "a/resized": "short", "a/gone": "gone", "b/c/deep": "deep" },
  ...{
    "empty/": "",
    link: { target: "a/kept" },
    relinked: { target: "a/kept" },
    file: "file",
    "folder/in": "in",
  },
};

/** A version, and a copy of it. */
async function copied(t: Parameters<typeof testUser>[0], contents: Contents = CONTENTS) {
  const { open, scratch } = await testUser(t);
  const workspace = open();
  const [source, folder] = [join(scratch, "source"), join(scratch, "copy")];
  writeFolder(source, contents);
  await syncVersion(source, "p/d", { workspace });
  const version = await Dataset.get("p/d", { workspace });
  await version.getMutableLocalCopy(folder);
  return { workspace, scratch, folder, version, at: (path: string) => join(folder, path) };
}

test("a copy is as in the version, whatever the times of its files", async (t) => {
  const { version, folder, at } = await copied(t);
  utimesSync(at("a/kept"), 1, 1);
  const expected = { of: "folder", folder, entries: 15, unhashed: 0, differences: [] };
  assert.deepEqual(await version.verify({ folder }), { ...expected, by: "hash" });
  assert.deepEqual(await version.verify({ folder, by: "size" }), { ...expected, by: "size" });
});

test("edited, missing, extra and replaced files are listed, each once, and none is an exception", async (t) => {
  const { version, folder, at } = await copied(t);
  writeFileSync(at("a/edited"), "after!");
  writeFileSync(at("a/resized"), "much longer");
  rmSync(at("a/gone"));
  rmSync(at("b"), { recursive: true });
  rmSync(at("relinked"));
  symlinkSync("elsewhere", at("relinked"));
  rmSync(at("file"));
  mkdirSync(at("file"));
  writeFileSync(at("file/inside"), "");
  rmSync(at("folder"), { recursive: true });
  writeFileSync(at("folder"), "");
  mkdirSync(at("new"));
  writeFileSync(at("new/file"), "");
  execFileSync("mkfifo", [at("a/fifo")]);

  const told = async (by: "hash" | "size") =>
    (await version.verify({ folder, by })).differences.map(({ path, state, problem }) =>
      `${state} ${path} ${problem.replace(/[0-9a-f]{64}/g, "X")}`.trim(),
    );
  const bySize = [
    "extra a/fifo",
    "missing a/gone",
    "changed a/resized 11 bytes, not 5",
    "missing b",
    "missing b/c",
    "missing b/c/deep",
    "type file a folder, not a file",
    "extra file/inside",
    "type folder a file, not a folder",
    "missing folder/in",
    "extra new",
    "extra new/file",
    'changed relinked leads to "elsewhere", not "a/kept"',
  ];
  assert.deepEqual(await told("size"), bySize);
  assert.deepEqual(await told("hash"), ["changed a/edited SHA-256 X, not X", ...bySize].sort(byPath));
});

test("what a .varveignore leaves out is not extra", async (t) => {
  const { version, folder, at } = await copied(t);
  writeFileSync(at(".varveignore"), "*.log\n");
  writeFileSync(at("a/run.log"), "");
  const { differences } = await version.verify({ folder });
  assert.deepEqual(differences, [{ path: ".varveignore", state: "extra", problem: "" }]);
});

test("external files are compared by their SHA-256 where it is known, else by size", async (t) => {
  const { workspace, scratch, folder } = await copied(t);
  const outside = join(scratch, "outside");
  writeFolder(outside, { hashed: "abc", sized: "abc" });
  const draft = await Dataset.create("p/links", { workspace });
  const url = pathToFileURL(outside).href;
  await draft.addExternalFiles(`${url}/hashed`, { hash: true });
  await draft.addExternalFiles(`${url}/sized`);
  await draft.finalize({ autoUpload: true });
  rmSync(folder, { recursive: true });
  writeFolder(folder, { hashed: "abc", sized: "xyz" });
  const { unhashed, differences } = await draft.verify({ folder });
  assert.deepEqual({ unhashed, differences }, { unhashed: 1, differences: [] });
  writeFolder(folder, { hashed: "xyz", sized: "longer" });
  assert.deepEqual(
    (await draft.verify({ folder })).differences.map(({ path, state }) => `${state} ${path}`),
    ["changed hashed", "changed sized"],
  );
});

test("a folder there is not, and a file in its place, are errors", async (t) => {
  const { version, scratch, at } = await copied(t);
  const missing = version.verify({ folder: join(scratch, "nowhere") });
  await assert.rejects(missing, (error) => isDatasetError(error, "not-found"));
  await assert.rejects(version.verify({ folder: at("file") }), (error) => isDatasetError(error, "bad-input"));
});

function byPath(a: string, b: string): number {
  return a.split(" ")[1]! < b.split(" ")[1]! ? -1 : 1;
}
