import assert from "node:assert/strict";
import { test } from "node:test";

import { Dataset } from "../../src/dataset/dataset.js";
import { pathsOf, writeFolder } from "./support/folders.js";
import { testUser } from "./support/workspaces.js";

const FILES = [
  "a.jpg",
  "b.png",
  ".hidden.jpg",
  "train/c.jpg",
  "train/deep/d.jpg",
  "train/deep/e.txt",
  "test/f.jpg",
];

const TABLE: { pattern: string; matches: string[] }[] = [
  { pattern: "*.jpg", matches: ["a.jpg", ".hidden.jpg", "train/c.jpg", "train/deep/d.jpg", "test/f.jpg"] },
  { pattern: "?.png", matches: ["b.png"] },
  { pattern: "train/*.jpg", matches: ["train/c.jpg"] },
  { pattern: "train/**/*.jpg", matches: ["train/c.jpg", "train/deep/d.jpg"] },
  { pattern: "**/*.txt", matches: ["train/deep/e.txt"] },
  { pattern: "t*/[cf].jpg", matches: ["train/c.jpg", "test/f.jpg"] },
  { pattern: "*.{png,txt}", matches: ["b.png", "train/deep/e.txt"] },
  { pattern: "train/**", matches: ["train/c.jpg", "train/deep/d.jpg", "train/deep/e.txt"] },
];

for (const { pattern, matches } of TABLE) {
  test(`"${pattern}" means the same files when adding, syncing and removing`, async (t) => {
    const { open, scratch } = await testUser(t);
    const workspace = open();
    writeFolder(scratch, Object.fromEntries(FILES.map((path) => [path, path])));
    const filesOf = async (draft: Dataset) => (await pathsOf(draft)).filter((path) => !path.endsWith("/"));

    const added = await Dataset.create("p/added", { workspace });
    await added.addFiles(scratch, { wildcards: [pattern] });
    assert.deepEqual(await filesOf(added), [...matches].sort());
    const synced = await Dataset.create("p/synced", { workspace });
    await synced.addFiles(scratch);
    await synced.syncFolder(scratch, { wildcards: [pattern] });
    assert.deepEqual(await filesOf(synced), [...matches].sort());
    const removed = await Dataset.create("p/removed", { workspace });
    await removed.addFiles(scratch);
    assert.equal(await removed.removeFiles(pattern), matches.length);
    assert.deepEqual(await filesOf(removed), FILES.filter((path) => !matches.includes(path)).sort());
  });
}

test("adding by wildcard makes only the folders that something lies in", async (t) => {
  const { open, scratch } = await testUser(t);
  writeFolder(scratch, { "a/b/keep.jpg": "1", "a/c/d/other.txt": "2", "e/f/": "" });
  const draft = await Dataset.create("p/d", { workspace: open() });
  await draft.addFiles(scratch, { wildcards: ["*.jpg"] });
  assert.deepEqual(await pathsOf(draft), ["a/", "a/b/", "a/b/keep.jpg"]);
});

test("a folder added without its subfolders brings its own files only", async (t) => {
  const { open, scratch } = await testUser(t);
  writeFolder(scratch, { a: "1", "sub/b": "2" });
  const draft = await Dataset.create("p/d", { workspace: open() });
  await draft.addFiles(scratch, { recursive: false });
  assert.deepEqual(await pathsOf(draft), ["a"]);
});

test("a path that looks like a wildcard and exists is that path", async (t) => {
  const { open, scratch } = await testUser(t);
  writeFolder(scratch, { "[a].txt": "1", a: "2", "a.txt": "3" });
  const draft = await Dataset.create("p/d", { workspace: open() });
  await draft.addFiles(scratch);
  await draft.removeFiles("[a].txt");
  assert.deepEqual(await pathsOf(draft), ["a", "a.txt"]);
});

test("removing a wildcard that matches folders removes what lies in them, each file counted once", async (t) => {
  const { open, scratch } = await testUser(t);
  writeFolder(scratch, { "x1/a": "1", "x1/x2": "2", y: "3" });
  const draft = await Dataset.create("p/d", { workspace: open() });
  await draft.addFiles(scratch);
  assert.equal(await draft.removeFiles("x*"), 2);
  assert.deepEqual(await pathsOf(draft), ["y"]);
});
