/** Outcomes that other tools get wrong when files go into and out of a draft; each by its number. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { Dataset } from "../../src/dataset/dataset.js";
import { EntryType } from "../../src/manifest/entry.js";
import { pathsOf, textIn, writeFolder } from "./support/folders.js";
import { testUser } from "./support/workspaces.js";

test("D1: a file renamed in a child is there under its new name, and no content is sent for it", async (t) => {
  const { open, scratch } = await testUser(t);
  const workspace = open();
  writeFolder(scratch, { "old/name": "the content", stays: "1" });
  const first = await Dataset.create("p/d", { workspace });
  await first.addFiles(scratch);
  await first.finalize({ autoUpload: true });
  renameSync(join(scratch, "old"), join(scratch, "new"));
  const child = await Dataset.create("p/d", { workspace, parents: ["p/d"] });
  const { added, removed, renamed, unchanged } = await child.syncFolder(scratch);
  assert.deepEqual(
    { added, removed, renamed, unchanged },
    { added: 0, removed: 0, renamed: 1, unchanged: 1 },
  );
  const result = await child.finalize({ autoUpload: true });
  assert.deepEqual([result.renamed, result.contentBytesSent], [1, 0]);
  const found = await Dataset.get("p/d", { workspace: open() });
  assert.deepEqual(await pathsOf(found), ["new/", "new/name", "stays"]);
  assert.equal(await textIn(found, "new/name"), "the content");
});

test("D2: equal content added in a later upload of one draft is there", async (t) => {
  const { open, scratch } = await testUser(t);
  writeFolder(scratch, { "one/a": "same", "two/b": "same" });
  const draft = await Dataset.create("p/d", { workspace: open() });
  await draft.addFiles(join(scratch, "one"));
  assert.deepEqual(await draft.upload(), { files: 1, contentBytesSent: 4 });
  await draft.addFiles(join(scratch, "two"));
  await draft.upload();
  await draft.finalize();
  assert.deepEqual([await textIn(draft, "a"), await textIn(draft, "b")], ["same", "same"]);
});

test("D3: one local file added at two paths is there twice", async (t) => {
  const { open, scratch } = await testUser(t);
  writeFolder(scratch, { a: "content" });
  const draft = await Dataset.create("p/d", { workspace: open() });
  await draft.addFiles(join(scratch, "a"), { datasetPath: "one" });
  await draft.addFiles(join(scratch, "a"), { as: "two/b" });
  const { contentBytesSent } = await draft.finalize({ autoUpload: true });
  assert.deepEqual([await textIn(draft, "one/a"), await textIn(draft, "two/b")], ["content", "content"]);
  assert.equal(contentBytesSent, 7);
});

test("D4: a file removed after its upload stays removed", async (t) => {
  const { open, scratch } = await testUser(t);
  writeFolder(scratch, { a: "1", b: "2" });
  const draft = await Dataset.create("p/d", { workspace: open() });
  await draft.addFiles(scratch);
  await draft.upload();
  await draft.removeFiles("b");
  const { files } = await draft.finalize();
  assert.deepEqual([files, await pathsOf(await Dataset.get("p/d", { workspace: open() }))], [1, ["a"]]);
});

test("D11: a file that changes between add and upload is stored as it is then, under the hash of those bytes", async (t) => {
  const { open, scratch } = await testUser(t);
  writeFolder(scratch, { longer: "before", "same size": "before", mended: "before" });
  const draft = await Dataset.create("p/d", { workspace: open() });
  await draft.addFiles(scratch);
  const after = { longer: "after that", "same size": "after!" };
  writeFolder(scratch, after);
  await draft.finalize({ autoUpload: true });
  for (const [path, text] of Object.entries({ ...after, mended: "before" })) {
    const entry = await draft.entry(path);
    assert.equal(await textIn(draft, path), text);
    assert.ok(entry.type === EntryType.file);
    assert.deepEqual(
      [entry.sizeBytes, entry.sha256],
      [text.length, createHash("sha256").update(text).digest("hex")],
    );
  }
});

test("D11: a file that is gone at the upload is named, and nothing is made of it", async (t) => {
  const { open, scratch } = await testUser(t);
  const workspace = open();
  writeFolder(scratch, { a: "1", b: "2" });
  const draft = await Dataset.create("p/d", { workspace });
  await draft.addFiles(scratch);
  rmSync(join(scratch, "b"));
  await assert.rejects(draft.finalize({ autoUpload: true }), {
    code: "source-unreadable",
    message: /files\/b/,
  });
  await draft.removeFiles("b");
  assert.equal((await draft.finalize({ autoUpload: true })).files, 1);
});

test("D15: a path that is missing, added or synced, leaves the draft as it was", async (t) => {
  const { open, scratch } = await testUser(t);
  const workspace = open();
  writeFolder(scratch, { a: "1", b: "2" });
  const draft = await Dataset.create("p/d", { workspace });
  await draft.addFiles(join(scratch, "a"));
  await assert.rejects(draft.syncFolder(join(scratch, "typo")), { code: "not-found" });
  await assert.rejects(draft.addFiles([join(scratch, "b"), join(scratch, "typo")]), { code: "not-found" });
  await assert.rejects(draft.removeFiles(["a", "typo"]), { code: "path-missing" });
  assert.deepEqual(await pathsOf(draft), ["a"]);
});

test("D16: links added in a child leave what it has inherited where it is", async (t) => {
  const { open, scratch } = await testUser(t);
  const workspace = open();
  writeFolder(scratch, { "in/a": "inherited", "out/b": "linked" });
  const first = await Dataset.create("p/d", { workspace });
  await first.addFiles(join(scratch, "in"));
  await first.finalize({ autoUpload: true });
  const child = await Dataset.create("p/d", { workspace, parents: ["p/d"] });
  await child.addExternalFiles(`file://${scratch}/out/`);
  await child.finalize({ autoUpload: true });
  assert.deepEqual([await textIn(child, "a"), await textIn(child, "b")], ["inherited", "linked"]);
});

test("a sync counts what moved, changed, came and went, each once; without a change there is nothing to count", async (t) => {
  const { open, scratch } = await testUser(t);
  const workspace = open();
  writeFolder(scratch, { a: "aaa", b: "bbb", c: "ccc", d: "ddd", e: "eee" });
  const first = await Dataset.create("p/d", { workspace });
  await first.addFiles(scratch);
  await first.finalize({ autoUpload: true });
  renameSync(join(scratch, "a"), join(scratch, "z")); // moved
  rmSync(join(scratch, "b")); // removed, and of the size of what is new
  writeFolder(scratch, { new: "nnn", c: "CCC" });
  writeFileSync(join(scratch, "d"), "ddd"); // its time alone
  const child = await Dataset.create("p/d", { workspace, parents: ["p/d"] });
  const counts = await child.syncFolder(scratch);
  const wanted = { added: 1, modified: 1, metadata: 1, unchanged: 1, removed: 1, renamed: 1, files: 5 };
  assert.deepEqual(counts, { ...wanted, skipped: [] });
  const again = await child.syncFolder(scratch);
  assert.deepEqual(again, {
    ...wanted,
    added: 0,
    modified: 0,
    metadata: 0,
    removed: 0,
    renamed: 0,
    unchanged: 5,
    skipped: [],
  });
  const result = await child.finalize({ autoUpload: true });
  const { added, modified, metadata, removed, renamed, contentBytesSent } = result;
  assert.deepEqual(
    { added, modified, metadata, removed, renamed, contentBytesSent },
    { added: 1, modified: 1, metadata: 1, removed: 1, renamed: 1, contentBytesSent: 6 },
  );
});
