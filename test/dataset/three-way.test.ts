/** Merges that keep what each side changed, and what is said of edits that a merge loses. */
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { type TestContext, test } from "node:test";

import { Dataset } from "../../src/dataset/dataset.js";
import type { MergeMode } from "../../src/dataset/layers.js";
import { type Contents, pathsOf, textIn, writeFolder } from "./support/folders.js";
import { testUser } from "./support/workspaces.js";

async function family(t: TestContext) {
  const { open, scratch } = await testUser(t);
  const workspace = open();
  const child = async (parents: string[], contents: Contents, removed: string[] = []) => {
    rmSync(scratch, { recursive: true, force: true });
    writeFolder(scratch, contents);
    const draft = await Dataset.create("p/d", { workspace, parents });
    if (removed.length > 0) await draft.removeFiles(removed);
    await draft.addFiles(scratch);
    await draft.finalize({ autoUpload: true });
    return draft;
  };
  const merge = async (mode: MergeMode, ...parents: Dataset[]) => {
    const draft = await Dataset.create("p/d", { workspace, parents, merge: mode });
    const lost = await draft.overridden();
    const listed = await pathsOf(draft);
    const { overridden } = await draft.finalize();
    assert.equal(overridden, lost.length);
    assert.deepEqual(await pathsOf(draft), listed);
    assert.deepEqual(await (await Dataset.get(draft.id, { workspace })).overridden(), lost);
    return { draft, lost: lost.map(({ path, of, both }) => `${path} of ${of}${both ? " (both)" : ""}`) };
  };
  return { workspace, child, merge };
}

test("a three-way merge keeps what either side changed; an ordered one says what it loses", async (t) => {
  const { child, merge } = await family(t);
  const base = await child([], { mine: "0", theirs: "0", gone: "0", away: "0", "d/x": "0", both: "0" });
  const a = await child([base.id], { mine: "a", "d/a": "a", both: "a" }, ["gone"]);
  const b = await child([base.id], { theirs: "b", "d/b": "b", both: "b" }, ["away"]);
  const { draft, lost } = await merge("three-way", a, b);
  assert.deepEqual(await pathsOf(draft), ["both", "d/", "d/a", "d/b", "d/x", "mine", "theirs"]);
  const texts = await Promise.all(["mine", "theirs", "both"].map((path) => textIn(draft, path)));
  assert.deepEqual(texts, ["a", "b", "b"]);
  assert.deepEqual(lost, ["both of p/d@1.0.1 (both)"]);

  const ordered = await merge("ordered", a, b);
  assert.deepEqual(ordered.lost, [
    "both of p/d@1.0.1 (both)",
    "gone of p/d@1.0.1",
    "mine of p/d@1.0.1",
    "away of p/d@1.0.2",
  ]);
  assert.equal(await textIn(ordered.draft, "mine"), "0");
});

test("a folder that one side removed stays for what the other put there, and a file wins over a folder when it is later", async (t) => {
  const { child, merge } = await family(t);
  const base = await child([], { "d/old": "0", "e/old": "0", x: "0" });
  const adds = await child([base.id], { "d/new": "a", "e/deep/new": "a" });
  const removes = await child([base.id], {}, ["d", "e"]);
  for (const order of [
    [adds, removes],
    [removes, adds],
  ]) {
    const { draft, lost } = await merge("three-way", ...order);
    assert.deepEqual(await pathsOf(draft), ["d/", "d/new", "e/", "e/deep/", "e/deep/new", "x"]);
    assert.deepEqual(lost, []);
  }
  const file = await child([base.id], { d: "a file now" }, ["d"]);
  assert.deepEqual(await pathsOf((await merge("three-way", adds, file)).draft), [
    "d",
    "e/",
    "e/deep/",
    "e/deep/new",
    "e/old",
    "x",
  ]);
  assert.deepEqual((await merge("three-way", adds, file)).lost, ["d/new of p/d@1.0.1"]);
});

test("a three-way merge of a version and what came of it is the later one, whichever comes first", async (t) => {
  const { child, merge } = await family(t);
  const one = await child([], { a: "1", b: "1" });
  const two = await child([one.id], { a: "2" }, ["b"]);
  for (const order of [
    [one, two],
    [two, one],
  ]) {
    const { draft, lost } = await merge("three-way", ...order);
    assert.deepEqual((await draft.tree()).root.treeDigest, (await two.tree()).root.treeDigest);
    assert.deepEqual(lost, []);
  }
});

test("where two lines were merged both ways, their merge is what a further merge starts from", async (t) => {
  const { child, merge } = await family(t);
  const base = await child([], { a: "0", b: "0", c: "0" });
  const left = await child([base.id], { a: "left" });
  const right = await child([base.id], { b: "right" });
  const first = (await merge("three-way", left, right)).draft;
  const second = (await merge("three-way", right, left)).draft;
  const further = await child([first.id], { a: "0" });
  const other = await child([second.id], { c: "other" });
  const { draft, lost } = await merge("three-way", further, other);
  const texts = await Promise.all(["a", "b", "c"].map((path) => textIn(draft, path)));
  assert.deepEqual([texts, lost], [["0", "right", "other"], []]);
});

test("versions that have nothing in common are joined, and what both have is the later one's", async (t) => {
  const { child, merge } = await family(t);
  const a = await child([], { a: "a", both: "a", same: "s" });
  const b = await child([], { b: "b", both: "b", same: "s" });
  const { draft, lost } = await merge("three-way", a, b);
  assert.deepEqual(await pathsOf(draft), ["a", "b", "both", "same"]);
  assert.deepEqual([await textIn(draft, "both"), lost], ["b", ["both of p/d@1.0.0 (both)"]]);
});

test("what a version changed is listed against its parents or another; a draft too, before its upload", async (t) => {
  const { workspace, child } = await family(t);
  const one = await child([], { kept: "1", changed: "1", gone: "1", old: "moved content" });
  const two = await child([one.id], { changed: "2", added: "2", new: "moved content" }, ["gone", "old"]);
  const lists = async (dataset: Dataset, reference?: string) => ({
    added: await dataset.listAddedFiles(reference),
    modified: await dataset.listModifiedFiles(reference),
    removed: await dataset.listRemovedFiles(reference),
    renamed: await dataset.listRenamedFiles(reference),
  });
  const changes = {
    added: ["added"],
    modified: ["changed"],
    removed: ["gone"],
    renamed: [{ from: "old", to: "new" }],
  };
  assert.deepEqual(await lists(two), changes);
  assert.deepEqual(await lists(two, one.reference), changes);
  assert.deepEqual(await lists(two, two.id), { added: [], modified: [], removed: [], renamed: [] });
  assert.deepEqual((await lists(one)).added, ["changed", "gone", "kept", "old"]);
  assert.deepEqual(await one.compare(two), { added: 1, modified: 1, metadata: 0, removed: 1, renamed: 1 });

  const draft = await Dataset.create("p/d", { workspace, parents: [two] });
  const { scratch } = { scratch: `${workspace.home.dataDir}/staged` };
  writeFolder(scratch, { more: "moved content!", copied: "2", kept: "1" });
  await draft.addFiles(scratch);
  await draft.removeFiles("added");
  assert.deepEqual(await lists(draft), {
    added: ["more"],
    modified: [],
    removed: [],
    renamed: [{ from: "added", to: "copied" }],
  });
  assert.deepEqual(await two.compare(draft), { added: 1, modified: 0, metadata: 1, removed: 0, renamed: 1 });
  draft.close();
});

test("the whole lineage is told, and what came of a version", async (t) => {
  const { child } = await family(t);
  const one = await child([], { a: "1" });
  const left = await child([one.id], { b: "2" });
  const right = await child([one.id], {}, ["a"]);
  const both = await child([left.id, right.id], {});
  assert.deepEqual(await both.getDependencyGraph(), {
    [both.id]: [left.id, right.id],
    [left.id]: [one.id],
    [right.id]: [one.id],
    [one.id]: [],
  });
  const ids = (await one.descendants()).map(({ id }) => id);
  assert.deepEqual(ids, [left.id, right.id, both.id]);
  assert.deepEqual(await both.descendants(), []);
  assert.deepEqual([await left.getNumChunks(), await left.getNumChunks({ includeParents: false })], [2, 1]);
  assert.match(await one.getStorage(), /^file:\/\//);
});
