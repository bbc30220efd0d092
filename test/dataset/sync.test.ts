import assert from "node:assert/strict";
import { cpSync, readdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { chmodSync, existsSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";

import { Dataset } from "../../src/dataset/dataset.js";
import { syncVersion } from "../../src/dataset/sync.js";
import type { Workspace } from "../../src/dataset/workspace.js";
import { setTime } from "../support/native.js";
import { pathsOf, writeFolder } from "./support/folders.js";
import { type TestUser, testUser } from "./support/workspaces.js";

async function labelsOf(workspace: Workspace): Promise<string[]> {
  const catalog = await workspace.catalog();
  const dataset = await catalog.findDataset("p", "d");
  return dataset ? (await catalog.listVersions(dataset.id)).map(({ label }) => label) : [];
}

function draftFiles({ home }: TestUser): string[] {
  return existsSync(home.draftsDir) ? readdirSync(home.draftsDir) : [];
}

test("sync of an unchanged folder makes no version and leaves no draft", async (t) => {
  const user = await testUser(t);
  const workspace = user.open();
  writeFolder(user.scratch, { a: "1", "d/b": "2" });
  assert.ok((await syncVersion(user.scratch, "p/d", { workspace })).committed);
  const { committed, staged } = await syncVersion(user.scratch, "p/d", { workspace });
  assert.equal(committed, undefined);
  assert.equal(staged.files, 2);
  assert.deepEqual(await labelsOf(workspace), ["1.0.0"]);
  assert.deepEqual(draftFiles(user), []);
});

test("varve's own folders inside the folder are left out and named, also by way of a symbolic link", async (t) => {
  const { scratch, home, open } = await testUser(t);
  const workspace = open();
  const above = dirname(home.dataDir);
  writeFolder(above, { "beside/a": "1" });
  symlinkSync(above, scratch);
  const { staged } = await syncVersion(scratch, "p/d", { workspace });
  assert.deepEqual(
    staged.skipped.map(({ path }) => realpathSync(path)),
    [realpathSync(home.dataDir)],
  );
  assert.deepEqual(await pathsOf(await Dataset.get("p/d", { workspace })), ["beside/", "beside/a", "files"]);
});

test("sync to a remote of its own touches no other, and says nothing of the default one", async (t) => {
  const user = await testUser(t);
  const workspace = user.open();
  writeFolder(user.scratch, { a: "1" });
  const remote = `${user.scratch}-remote`;
  assert.ok((await syncVersion(user.scratch, "p/d", { workspace, remote })).committed);
  const urls = (await (await workspace.catalog()).listRemotes()).map(({ url }) => url);
  assert.deepEqual([urls, user.notices], [[`file://${remote}`], []]);
});

test("changed times and modes alone make a version only when asked to", async (t) => {
  const { scratch, open } = await testUser(t);
  const workspace = open();
  writeFolder(scratch, { a: "1", "d/b": "2" });
  const { committed: first } = await syncVersion(scratch, "p/d", { workspace });
  setTime(join(scratch, "a"), 5n);
  chmodSync(join(scratch, "d"), 0o700);
  assert.equal((await syncVersion(scratch, "p/d", { workspace })).committed, undefined);
  const { committed } = await syncVersion(scratch, "p/d", { workspace, metadata: true });
  assert.deepEqual([committed?.metadata, committed?.modified, committed?.contentBytesSent], [2, 0, 0]);
  assert.equal(committed?.contentDigest, first?.contentDigest);
  assert.notEqual(committed?.digest, first?.digest);
  assert.equal((await syncVersion(scratch, "p/d", { workspace, metadata: true })).committed, undefined);
});

test("a file that becomes executable is a change of content", async (t) => {
  const { scratch, open } = await testUser(t);
  const workspace = open();
  writeFolder(scratch, { tool: "#!/bin/sh\n" });
  await syncVersion(scratch, "p/d", { workspace });
  chmodSync(join(scratch, "tool"), 0o755);
  assert.equal((await syncVersion(scratch, "p/d", { workspace })).committed?.modified, 1);
});

test("a second copy of the same files, with other times, makes no version", async (t) => {
  const { scratch, open } = await testUser(t);
  const workspace = open();
  writeFolder(scratch, { a: "1", "d/b": "2", "d/l": { target: "b" } });
  await syncVersion(scratch, "p/d", { workspace });
  cpSync(scratch, `${scratch}-copy`, { recursive: true, verbatimSymlinks: true });
  setTime(`${scratch}-copy/a`, 77n);
  assert.equal((await syncVersion(`${scratch}-copy`, "p/d", { workspace: open() })).committed, undefined);
  assert.deepEqual(await labelsOf(workspace), ["1.0.0"]);
});

test("the same size and time do not hide changed content", async (t) => {
  const { scratch, open } = await testUser(t);
  const workspace = open();
  writeFolder(scratch, { a: "before" });
  setTime(join(scratch, "a"), 1_000_000_000n);
  await syncVersion(scratch, "p/d", { workspace });
  writeFileSync(join(scratch, "a"), "afterr");
  setTime(join(scratch, "a"), 1_000_000_000n);
  assert.equal((await syncVersion(scratch, "p/d", { workspace })).committed?.modified, 1);
});

test("the first version may be of an empty folder, and a version may become empty", async (t) => {
  const { scratch, open } = await testUser(t);
  const workspace = open();
  mkdirSync(scratch);
  const { committed } = await syncVersion(scratch, "p/d", { workspace });
  assert.deepEqual([committed?.version, committed?.files, committed?.added], ["1.0.0", 0, 0]);
  assert.equal((await syncVersion(scratch, "p/d", { workspace })).committed, undefined);
  writeFolder(scratch, { "d/a": "1" });
  assert.equal((await syncVersion(scratch, "p/d", { workspace })).committed?.added, 1);
  rmSync(join(scratch, "d"), { recursive: true });
  assert.equal((await syncVersion(scratch, "p/d", { workspace })).committed?.removed, 1);
  assert.deepEqual(await pathsOf(await Dataset.get("p/d", { workspace })), []);
});

test("sync into a folder of the dataset leaves what lies beside it alone", async (t) => {
  const { scratch, open } = await testUser(t);
  const workspace = open();
  writeFolder(scratch, { a: "1", b: "2" });
  await syncVersion(scratch, "p/d", { workspace, to: "one/deep" });
  rmSync(join(scratch, "b"));
  await syncVersion(scratch, "p/d", { workspace, to: "two" });
  const version = await Dataset.get("p/d", { workspace });
  assert.deepEqual(await pathsOf(version), [
    "one/",
    "one/deep/",
    "one/deep/a",
    "one/deep/b",
    "two/",
    "two/a",
  ]);
});

test("sync of something that is no folder, or is missing, leaves nothing behind", async (t) => {
  const user = await testUser(t);
  const workspace = user.open();
  writeFolder(user.scratch, { file: "1" });
  await assert.rejects(syncVersion(join(user.scratch, "file"), "p/d", { workspace }), { code: "bad-input" });
  await assert.rejects(syncVersion(join(user.scratch, "none"), "p/d", { workspace }), { code: "not-found" });
  assert.equal(await (await workspace.catalog()).findDataset("p", "d"), undefined);
  assert.deepEqual(draftFiles(user), []);
});

test("a rename sends no content and is told as a rename", async (t) => {
  const { scratch, open } = await testUser(t);
  const workspace = open();
  writeFolder(scratch, { "old/a": "content a", "old/b": "content b", stays: "1" });
  await syncVersion(scratch, "p/d", { workspace });
  cpSync(join(scratch, "old"), join(scratch, "new"), { recursive: true });
  rmSync(join(scratch, "old"), { recursive: true });
  const { committed } = await syncVersion(scratch, "p/d", { workspace });
  const { added, removed, renamed, contentBytesSent } = committed!;
  assert.deepEqual(
    { added, removed, renamed, contentBytesSent },
    { added: 0, removed: 0, renamed: 2, contentBytesSent: 0 },
  );
  const [before, after] = await Promise.all(
    ["p/d@1.0.0", "p/d@1.0.1"].map((reference) => Dataset.get(reference, { workspace })),
  );
  assert.deepEqual((await before!.diff(after!)).renamed, [
    { from: "old/a", to: "new/a" },
    { from: "old/b", to: "new/b" },
  ]);
});

test("two users of one remote see each other's versions", async (t) => {
  const alice = await testUser(t);
  const bob = await testUser(t, alice.home.defaultRemote);
  writeFolder(alice.scratch, { a: "1" });
  await syncVersion(alice.scratch, "p/d", { workspace: alice.open() });
  writeFolder(bob.scratch, { a: "1", b: "2" });
  const { committed } = await syncVersion(bob.scratch, "p/d", { workspace: bob.open() });
  assert.deepEqual([committed?.version, committed?.added, committed?.contentBytesSent], ["1.0.1", 1, 1]);
  assert.equal((await Dataset.get("p/d", { workspace: alice.open() })).version, "1.0.1");
});

test("of syncs of equal folders at once, in one catalog or in two, one makes a version and the others name it", async (t) => {
  const one = await testUser(t);
  const other = await testUser(t, one.home.defaultRemote);
  const together = { "one catalog": [one, one, one], "two catalogs": [one, other] };
  for (const [content, users] of Object.entries(together)) {
    writeFolder(one.scratch, { a: "as before", b: content });
    const results = await Promise.all(
      users.map((user) => syncVersion(one.scratch, "p/d", { workspace: user.open() })),
    );
    const made = results.flatMap(({ committed }) => (committed ? [`p/d@${committed.version}`] : []));
    assert.equal(made.length, 1, `${content}: ${made.join()}`);
    assert.deepEqual(
      results.flatMap(({ equal }) => equal ?? []),
      users.slice(1).map(() => made[0]),
    );
    for (const user of users)
      assert.equal((await Dataset.get("p/d", { workspace: user.open() })).reference, made[0]);
  }
  assert.deepEqual([draftFiles(one), draftFiles(other)], [[], []]);
});

test("syncs of different folders at once make a version each", async (t) => {
  const user = await testUser(t);
  const folders = ["x", "y"].map((name) => `${user.scratch}/${name}`);
  for (const folder of folders) writeFolder(folder, { file: folder });
  const results = await Promise.all(
    folders.map((folder) => syncVersion(folder, "p/d", { workspace: user.open() })),
  );
  assert.deepEqual(results.map(({ committed }) => committed?.version).sort(), ["1.0.0", "1.0.1"]);
});
