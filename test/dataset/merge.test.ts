import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { test } from "node:test";

import { Dataset } from "../../src/dataset/dataset.js";
import type { Workspace } from "../../src/dataset/workspace.js";
import { type Contents, describeVersion, pathsOf, textIn, writeFolder } from "./support/folders.js";
import { testUser } from "./support/workspaces.js";

interface Versions {
  workspace: Workspace;
  /** A version that holds just this; its id. */
  version: (contents: Contents) => Promise<string>;
  /** A finished version of these parents. */
  merge: (...parents: string[]) => Promise<Dataset>;
}

async function versions(t: Parameters<typeof testUser>[0]): Promise<Versions> {
  const { open, scratch } = await testUser(t);
  const workspace = open();
  return {
    workspace,
    async version(contents) {
      await rm(scratch, { recursive: true, force: true });
      writeFolder(scratch, contents);
      const draft = await Dataset.create("p/d", { workspace });
      await draft.addFiles(scratch);
      return (await draft.finalize({ autoUpload: true })).id;
    },
    async merge(...parents) {
      const draft = await Dataset.create("p/merged", { workspace, parents });
      const listed = await pathsOf(draft);
      await draft.finalize();
      assert.deepEqual(await pathsOf(draft), listed, "a draft lists what its version will hold");
      return draft;
    },
  };
}

test("of two parents the later wins where both have a path, and the rest is joined", async (t) => {
  const { version, merge } = await versions(t);
  const a = await version({ both: "of a", "d/a": "a", "d/both": "of a" });
  const b = await version({ both: "of b", "d/b": "b", "d/both": "of b" });
  const ab = await merge(a, b);
  assert.deepEqual(await pathsOf(ab), ["both", "d/", "d/a", "d/b", "d/both"]);
  assert.deepEqual([await textIn(ab, "both"), await textIn(ab, "d/both")], ["of b", "of b"]);
  const ba = await merge(b, a);
  assert.deepEqual([await textIn(ba, "both"), await textIn(ba, "d/both")], ["of a", "of a"]);
});

test("a file of a later parent replaces a folder, and a folder of a later parent a file", async (t) => {
  const { version, merge } = await versions(t);
  const file = await version({ x: "file", keep: "1" });
  const folder = await version({ "x/deep/y": "below", "x/z": "too", other: "2" });
  assert.deepEqual(await pathsOf(await merge(folder, file)), ["keep", "other", "x"]);
  const merged = await merge(file, folder);
  assert.deepEqual(await pathsOf(merged), ["keep", "other", "x/", "x/deep/", "x/deep/y", "x/z"]);
  assert.equal(await textIn(merged, "x/deep/y"), "below");
});

test("what one parent removed or changed gives way to a later parent that has it as before", async (t) => {
  const { version, merge } = await versions(t);
  const changed = await version({ x: "changed" });
  const before = await version({ x: "before", removed: "there" });
  const merged = await merge(changed, before);
  assert.deepEqual(await pathsOf(merged), ["removed", "x"]);
  assert.equal(await textIn(merged, "x"), "before");
});

test("a third parent that equals the first wins over the second", async (t) => {
  const { version, merge } = await versions(t);
  const a = await version({ x: "of a" });
  const b = await version({ x: "of b", y: "only b" });
  const c = await version({ x: "of a", z: "only c" });
  const merged = await merge(a, b, c);
  assert.equal(await textIn(merged, "x"), "of a");
  assert.deepEqual(await pathsOf(merged), ["x", "y", "z"]);
});

test("three parents in which a path is file, folder and file again end with the last", async (t) => {
  const { version, merge } = await versions(t);
  const a = await version({ x: "first" });
  const b = await version({ "x/y": "folder" });
  const c = await version({ x: "last" });
  const merged = await merge(a, b, c);
  assert.deepEqual(await pathsOf(merged), ["x"]);
  assert.equal(await textIn(merged, "x"), "last");
  assert.deepEqual(await pathsOf(await merge(a, c, b)), ["x/", "x/y"]);
});

test("a merge of a version with itself or with its child is the child", async (t) => {
  const { workspace, version, merge } = await versions(t);
  const a = await version({ x: "1", y: "2" });
  const same = await merge(a, a);
  const parent = await Dataset.get(a, { workspace });
  assert.deepEqual(await describeVersion(same), await describeVersion(parent));

  const draft = await Dataset.create("p/d", { workspace, parents: [a] });
  await draft.removeFiles("y");
  const child = await draft.finalize();
  // The parent comes last: it has `y`, and a later parent wins where both have a path.
  assert.deepEqual(await pathsOf(await merge(child.id, a)), ["x", "y"]);
});

test("a merge sends no content and counts its changes against the merged parents", async (t) => {
  const { workspace, version } = await versions(t);
  const a = await version({ x: "of a", gone: "1" });
  const b = await version({ x: "of b" });
  const draft = await Dataset.create("p/merged", { workspace, parents: [a, b] });
  await draft.removeFiles("gone");
  const { added, modified, removed, contentBytesSent } = await draft.finalize();
  assert.deepEqual(
    { added, modified, removed, contentBytesSent },
    { added: 0, modified: 0, removed: 1, contentBytesSent: 0 },
  );
});

test("files added over a merge replace what the parents brought", async (t) => {
  const { open, scratch } = await testUser(t);
  const workspace = open();
  const ids: string[] = [];
  for (const text of ["of a", "of b"]) {
    writeFolder(scratch, { x: text });
    const draft = await Dataset.create("p/d", { workspace });
    await draft.addFiles(scratch);
    ids.push((await draft.finalize({ autoUpload: true })).id);
  }
  writeFolder(scratch, { x: "of a" });
  const draft = await Dataset.create("p/merged", { workspace, parents: ids });
  await draft.addFiles(scratch);
  await draft.finalize({ autoUpload: true });
  assert.equal(await textIn(draft, "x"), "of a");
});
