import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { symlink } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";

import { Dataset } from "../../src/dataset/dataset.js";
import { EntryType } from "../../src/manifest/entry.js";
import { KiB } from "../../src/units.js";
import { noise } from "../content/noise.js";
import { NO_COUNTS, pathsOf, textIn, writeFolder } from "./support/folders.js";
import { testUser } from "./support/workspaces.js";

test("create, add, upload and finalize make a version that reads back", async (t) => {
  const { open, scratch } = await testUser(t);
  const workspace = open();
  writeFolder(scratch, { "a.txt": "one", "sub/b.txt": "two", "empty/": "" });
  const draft = await Dataset.create("p/d", { workspace, tags: ["raw"], description: "first" });
  assert.deepEqual(await draft.addFiles(scratch), {
    ...NO_COUNTS,
    added: 2,
    files: 2,
  });
  assert.deepEqual([draft.isDirty, draft.isFinal], [true, false]);
  assert.deepEqual(await draft.upload(), { files: 2, contentBytesSent: 6 });
  assert.equal(draft.isDirty, false);
  const { bytesSent, digest, contentDigest, ...result } = await draft.finalize();
  assert.deepEqual(result, {
    id: draft.id,
    dataset: "p/d",
    version: "1.0.0",
    files: 2,
    bytes: 6,
    added: 3,
    modified: 0,
    metadata: 0,
    removed: 0,
    renamed: 0,
    contentBytesSent: 6,
  });
  assert.ok(bytesSent > 6, "the manifest was sent too");
  assert.match(digest + contentDigest, /^[0-9a-f]{128}$/);

  const found = await Dataset.get("p/d", { workspace: open() });
  assert.equal(found.reference, "p/d@1.0.0");
  assert.deepEqual(await pathsOf(found), ["a.txt", "empty/", "sub/", "sub/b.txt"]);
  assert.equal(await textIn(found, "sub/b.txt"), "two");
});

test("a draft lists what its parent holds with the staged edits laid over it", async (t) => {
  const { open, scratch } = await testUser(t);
  const workspace = open();
  writeFolder(scratch, { keep: "1", change: "2", "gone/x": "3" });
  const first = await Dataset.create("p/d", { workspace });
  await first.addFiles(scratch);
  await first.finalize({ autoUpload: true });

  const draft = await Dataset.create("p/d", { workspace, parents: ["p/d"] });
  writeFolder(scratch, { change: "changed", new: "4" });
  await draft.addFiles([join(scratch, "change"), join(scratch, "new")]);
  assert.equal(await draft.removeFiles("gone"), 1);
  assert.deepEqual(await pathsOf(draft), ["change", "keep", "new"]);
  assert.deepEqual(await pathsOf(await Dataset.get("p/d@1.0.0", { workspace })), [
    "change",
    "gone/",
    "gone/x",
    "keep",
  ]);
  await assert.rejects(draft.listFiles("gone")[Symbol.asyncIterator]().next(), { code: "path-missing" });
  const file = await draft.listFiles("new")[Symbol.asyncIterator]().next();
  assert.equal(file.done ? undefined : file.value.path, "new");
});

test("a draft and what was staged into it survive the end of the process", async (t) => {
  const { open, scratch, notices } = await testUser(t);
  writeFolder(scratch, { a: "one", b: "two" });
  const before = open();
  const made = await Dataset.create("p/d", { workspace: before, version: "2.0" });
  await made.addFiles(scratch);
  made.close();
  await before.close();

  const after = open();
  const draft = await Dataset.lastDraft({ workspace: after });
  assert.deepEqual([draft.id, draft.version, draft.isDirty], [made.id, "2.0", true]);
  assert.ok(notices.includes("Using the draft p/d@2.0"), notices.join("\n"));
  await draft.finalize({ autoUpload: true });
  assert.equal(await textIn(await Dataset.get("p/d", { workspace: after }), "b"), "two");
});

test("an upload that was cut off sends only what is left", async (t) => {
  const { open, scratch } = await testUser(t);
  const contents = [...Array(600).keys()].map((index) => [`f${index}`, noise(`resume ${index}`, 40 * KiB)]);
  writeFolder(scratch, Object.fromEntries(contents) as Record<string, Uint8Array>);
  const before = open();
  const draft = await Dataset.create("p/d", { workspace: before });
  await draft.addFiles(scratch);
  const cut = new AbortController();
  const onProgress = ({ sentBytes }: { sentBytes: number }) => {
    if (sentBytes > 0) cut.abort();
  };
  await assert.rejects(draft.upload({ signal: cut.signal, onProgress }), { code: "cancelled" });
  draft.close();
  await before.close();

  const again = await Dataset.get(draft.id, { onlyCompleted: false, workspace: open() });
  const result = await again.finalize({ autoUpload: true });
  assert.equal(result.bytes, 600 * 40 * KiB);
  assert.ok(result.contentBytesSent < result.bytes, "what had arrived was sent again");
});

test("uploading twice sends nothing the second time, and finalizing asks for uploaded files", async (t) => {
  const { open, scratch } = await testUser(t);
  const workspace = open();
  writeFolder(scratch, { a: "one" });
  const draft = await Dataset.create("p/d", { workspace });
  await draft.addFiles(scratch);
  await assert.rejects(draft.finalize(), { code: "conflict", message: /varve upload sends them/ });
  await draft.upload();
  assert.deepEqual(await draft.upload(), { files: 0, contentBytesSent: 0 });
  await draft.finalize();
  await assert.rejects(draft.addFiles(scratch), { code: "version-final" });
  await assert.rejects(draft.finalize(), { code: "version-final" });
});

test("a draft is not found as a version, and a discarded one frees its label and its file", async (t) => {
  const { open, home } = await testUser(t);
  const workspace = open();
  const draft = await Dataset.create("p/d", { workspace });
  await assert.rejects(Dataset.get("p/d", { workspace }), { code: "not-found" });
  await assert.rejects(Dataset.get("p/d@1.0.0", { workspace }), { code: "version-unfinished" });
  await draft.discard();
  assert.equal(existsSync(join(home.draftsDir, `${draft.id}.db`)), false);
  assert.equal((await Dataset.create("p/d", { workspace })).version, "1.0.0");
});

test("files removed and added again, in one draft or over two versions, are as they were added last", async (t) => {
  const { open, scratch } = await testUser(t);
  const workspace = open();
  writeFolder(scratch, { "d/a": "first", "d/b": "stays" });
  const one = await Dataset.create("p/d", { workspace });
  await one.addFiles(scratch);
  assert.equal(await one.removeFiles("d"), 2);
  await one.addFiles(scratch);
  const first = await one.finalize({ autoUpload: true });
  assert.equal(first.added, 2);

  const two = await Dataset.create("p/d", { workspace, parents: ["p/d"] });
  await two.removeFiles("d/a");
  await two.finalize();
  const three = await Dataset.create("p/d", { workspace, parents: ["p/d"] });
  assert.deepEqual(await pathsOf(three), ["d/", "d/b"]);
  writeFileSync(join(scratch, "d/a"), "second");
  await three.addFiles(scratch);
  const result = await three.finalize({ autoUpload: true });
  assert.deepEqual([result.added, result.modified, result.removed], [1, 0, 0]);
  assert.equal(await textIn(await Dataset.get("p/d", { workspace }), "d/a"), "second");
});

test("a file becomes a folder and a file again, by adding", async (t) => {
  const { open, scratch } = await testUser(t);
  const workspace = open();
  writeFolder(scratch, { "file/x": "i am a file", "folder/x/y/z": "deep" });
  const draft = await Dataset.create("p/d", { workspace });
  await draft.addFiles(join(scratch, "file"));
  await draft.addFiles(join(scratch, "folder"));
  assert.deepEqual(await pathsOf(draft), ["x/", "x/y/", "x/y/z"]);
  await draft.finalize({ autoUpload: true });
  const child = await Dataset.create("p/d", { workspace, parents: ["p/d"] });
  await child.addFiles(join(scratch, "file/x"));
  assert.deepEqual(await pathsOf(child), ["x"]);
  const result = await child.finalize({ autoUpload: true });
  assert.equal(await textIn(child, "x"), "i am a file");
  assert.equal(result.removed, 1);
});

test("a symbolic link named by the user stands for the file it leads to", async (t) => {
  const { open, scratch } = await testUser(t);
  writeFolder(scratch, { "real/data": "content" });
  await symlink("real/data", join(scratch, "link"));
  const draft = await Dataset.create("p/d", { workspace: open() });
  await draft.addFiles(join(scratch, "link"));
  await draft.finalize({ autoUpload: true });
  assert.equal((await draft.entry("link")).type, EntryType.file);
  assert.equal(await textIn(draft, "link"), "content");
});

test("the folder a dataset is added to may be any, but never above it", async (t) => {
  const { open, scratch } = await testUser(t);
  writeFolder(scratch, { a: "1" });
  const draft = await Dataset.create("p/d", { workspace: open() });
  await draft.addFiles(scratch, { to: "/train/deep/" });
  assert.deepEqual(await pathsOf(draft), ["train/", "train/deep/", "train/deep/a"]);
  await assert.rejects(draft.addFiles(scratch, { to: "../up" }), { code: "bad-input" });
  await assert.rejects(draft.addFiles(join(scratch, "missing")), { code: "not-found" });
  await assert.rejects(draft.removeFiles("train/nothing"), { code: "path-missing" });
});

test("the reserved name is left out and named, added as a folder's child or by itself", async (t) => {
  const { open, scratch } = await testUser(t);
  writeFolder(scratch, { ".varve": "mine", "deep/.varve": "allowed", a: "1" });
  const draft = await Dataset.create("p/d", { workspace: open() });
  const skipped = [{ path: join(scratch, ".varve"), reason: "a reserved name at a dataset's root" }];
  assert.deepEqual((await draft.addFiles(scratch)).skipped, skipped);
  assert.deepEqual((await draft.addFiles(join(scratch, ".varve"))).skipped, skipped);
  assert.deepEqual(await pathsOf(draft), ["a", "deep/", "deep/.varve"]);
});

test("files are not added to a draft that another object has completed: they would be in no version", async (t) => {
  const { open, scratch } = await testUser(t);
  writeFolder(scratch, { a: "one" });
  const draft = await Dataset.create("p/d", { workspace: open() });
  const other = await Dataset.lastDraft({ workspace: open() });
  await draft.finalize();
  for (const late of [
    () => other.addFiles(scratch),
    () => other.syncFolder(scratch),
    () => other.removeFiles("*"),
    () => other.upload(),
    () => other.finalize(),
    () => other.discard(),
  ])
    await assert.rejects(late, { code: "version-final", message: /p\/d@1\.0\.0": it is completed/ });
  other.close();
});

test("a draft is not completed while files are added to it, which another may do beside", async (t) => {
  const { open, scratch } = await testUser(t);
  writeFolder(scratch, { a: "one", "sub/b": "two" });
  const draft = await Dataset.create("p/d", { workspace: open() });
  const other = await Dataset.lastDraft({ workspace: open() });
  const meanwhile: Promise<unknown>[] = [];
  const onProgress = () => {
    if (meanwhile.length > 0) return;
    const finalized = other.finalize({ autoUpload: true });
    meanwhile.push(assert.rejects(finalized, { code: "conflict", message: /something else works on it/ }));
    meanwhile.push(other.addFiles(scratch, { to: "beside" }));
  };
  await draft.addFiles(scratch, { onProgress });
  assert.equal(meanwhile.length, 2);
  await Promise.all(meanwhile);
  assert.equal((await other.finalize({ autoUpload: true })).files, 4);
  draft.close();
});

test("nothing is added to a draft that is being completed", async (t) => {
  const { open, scratch } = await testUser(t);
  writeFolder(scratch, { a: "one" });
  const draft = await Dataset.create("p/d", { workspace: open() });
  await draft.addFiles(scratch);
  const other = await Dataset.lastDraft({ workspace: open() });
  const meanwhile: Promise<unknown>[] = [];
  const onProgress = () => {
    if (meanwhile.length > 0) return;
    const added = other.addFiles(scratch, { to: "late" });
    meanwhile.push(assert.rejects(added, { code: "conflict", message: /being completed or thrown away/ }));
  };
  assert.equal((await draft.finalize({ autoUpload: true, onProgress })).files, 1);
  assert.equal(meanwhile.length, 1);
  await Promise.all(meanwhile);
  other.close();
});

test("lastDraft() passes over what a sync has for itself, and finds one whose completion was cut off", async (t) => {
  const { open } = await testUser(t);
  const workspace = open();
  const draft = await Dataset.create("p/d", { workspace });
  const ofSync = await Dataset.create("p/sync", { workspace, transient: true });
  draft.close();
  await (await workspace.catalog()).transition(draft.id, ["draft"], "committing");
  const found = await Dataset.lastDraft({ workspace });
  assert.equal(found.id, draft.id);
  await found.finalize();
  await ofSync.discard();
});

test("a version compares with a draft that has no parents", async (t) => {
  const { open, scratch } = await testUser(t);
  const workspace = open();
  writeFolder(scratch, { a: "one", b: "two" });
  const first = await Dataset.create("p/d", { workspace });
  await first.addFiles(scratch);
  await first.finalize({ autoUpload: true });
  const draft = await Dataset.create("p/other", { workspace });
  const { removed } = await first.diff(draft);
  assert.deepEqual(removed, ["a", "b"]);
  await draft.addFiles(join(scratch, "a"));
  const { removed: others, added } = await first.diff(draft);
  assert.deepEqual([others, added], [["b"], []]);
  await draft.discard();
});

test("what is a list is not taken as one text, whose characters would be its items", async (t) => {
  const { open } = await testUser(t);
  const workspace = open();
  for (const options of [{ tags: "clean" }, { parents: "p/d" }, { globs: "*.jpg" }] as object[])
    await assert.rejects(Dataset.create("p/d", { ...options, workspace }), {
      code: "bad-input",
      message: /of Dataset\.create: it is a list$/,
    });
  await assert.rejects(Dataset.lastDraft({ workspace }), { code: "not-found" });
});
