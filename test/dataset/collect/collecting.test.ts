/** Collecting garbage: what goes, when it goes, and that whatever somebody needs stays. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";

import { type Collected, collect } from "../../../src/dataset/collect/collect.js";
import { Dataset } from "../../../src/dataset/dataset.js";
import { type SyncOptions, syncVersion } from "../../../src/dataset/sync.js";
import type { Workspace } from "../../../src/dataset/workspace.js";
import { tempDir } from "../../support/temp.js";
import { textIn, writeFolder } from "../support/folders.js";
import { testUser } from "../support/workspaces.js";

const AT_ONCE = { graceMs: 0 };

/** A user whose default remote is `place`, with a way to make versions and to collect. */
async function userAt(t: TestContext, place: string) {
  const user = await testUser(t, place);
  const workspace = user.open();
  const sync = async (files: Record<string, string>, options: Partial<SyncOptions> = {}) => {
    writeFolder(user.scratch, files);
    return (await syncVersion(user.scratch, "p/d", { workspace, ...options })).committed!;
  };
  const gc = async (options: Parameters<typeof collect>[2] = AT_ONCE): Promise<Collected> =>
    collect(workspace, await workspace.openRemote(place), options);
  return { user, workspace, sync, gc };
}

function objectsIn(place: string, kind: string): string[] {
  const names = readdirSync(place, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return files.filter((path) => path.startsWith(join(place, kind))).sort();
}

async function forget(workspace: Workspace, version: string): Promise<void> {
  await Dataset.delete({ name: "p/d", version, workspace, force: true });
}

test("what only a deleted version held is deleted; what its child shares with it stays", async (t) => {
  const place = await tempDir(t);
  const { workspace, sync, gc } = await userAt(t, place);
  await sync({ "a/kept": "k".repeat(5_000) });
  await sync({ "b/gone": "g".repeat(5_000) }, { version: "2.0.0" });
  const before = objectsIn(place, "packs").length;
  await forget(workspace, "2.0.0");
  const { deleted, needed, all } = await gc();
  assert.ok(deleted.objects >= 3, "a root, a range, a pack, a segment");
  assert.equal(objectsIn(place, "packs").length, before - 1);
  assert.equal(needed.objects + deleted.objects, all.objects);
  assert.equal(await textIn(await Dataset.get("p/d", { workspace }), "a/kept"), "k".repeat(5_000));
  const again = await gc();
  assert.deepEqual([again.deleted.objects, again.published.objects], [0, 0]);
});

test("a child goes on reading what its deleted parents sent", async (t) => {
  const place = await tempDir(t);
  const { workspace, sync, gc } = await userAt(t, place);
  for (let i = 0; i < 5; i++) await sync({ [`f${i}`]: `content ${i} `.repeat(500) });
  for (let i = 0; i < 4; i++) await forget(workspace, `1.0.${i}`);
  await gc();
  const cold = await userAt(t, place);
  const last = await Dataset.get("p/d", { workspace: cold.workspace });
  for (let i = 0; i < 5; i++) assert.equal(await textIn(last, `f${i}`), `content ${i} `.repeat(500));
  assert.deepEqual((await last.verify()).damaged, []);
});

test("garbage is published first, and deleted by a run that comes a grace later", async (t) => {
  const place = await tempDir(t);
  const { workspace, sync, gc } = await userAt(t, place);
  await sync({ a: "kept" });
  await sync({ b: "gone" }, { version: "2.0.0" });
  await forget(workspace, "2.0.0");
  const graceMs = 400;
  const young = await gc({ graceMs: 3_600_000 });
  assert.deepEqual([young.published.objects, young.deleted.objects], [0, 0]);
  assert.ok(young.held.objects > 0, "too young");
  await new Promise((resolve) => setTimeout(resolve, graceMs));
  const first = await gc({ graceMs });
  assert.ok(first.published.objects > 0);
  assert.equal(first.deleted.objects, 0);
  const tooEarly = await gc({ graceMs: 3_600_000 });
  assert.deepEqual([tooEarly.deleted.objects, tooEarly.published.objects], [0, 0]);
  assert.equal(tooEarly.waiting.objects, first.published.objects);
  await new Promise((resolve) => setTimeout(resolve, graceMs));
  const second = await gc({ graceMs });
  assert.deepEqual(second.deleted, { objects: first.published.objects, bytes: first.published.bytes });
});

test("a dry run says what would go, and changes nothing in the remote", async (t) => {
  const place = await tempDir(t);
  const { workspace, sync, gc } = await userAt(t, place);
  await sync({ a: "kept" });
  await sync({ b: "gone" }, { version: "2.0.0" });
  await forget(workspace, "2.0.0");
  const before = objectsIn(place, "");
  const { published } = await gc({ ...AT_ONCE, dryRun: true });
  assert.ok(published.keys.some((key) => key.startsWith("roots/")) && published.byKind.packs!.objects === 1);
  assert.deepEqual(objectsIn(place, ""), before);
});

test("what a draft has uploaded stays until it is completed or discarded", async (t) => {
  const place = await tempDir(t);
  const { user, workspace, gc } = await userAt(t, place);
  writeFolder(user.scratch, { f: "draft ".repeat(1_000) });
  const draft = await Dataset.create("p/d", { workspace });
  await draft.addFiles(user.scratch);
  await draft.upload();
  const { held, published } = await gc();
  assert.equal(published.objects, 0);
  assert.equal(held.objects, 1);
  assert.match(held.leases[0]!.what, /^draft p\/d@1\.0\.0$/);
  await draft.finalize();
  assert.deepEqual((await gc()).published.keys, []);
  assert.equal(await textIn(await Dataset.get("p/d", { workspace }), "f"), "draft ".repeat(1_000));
  assert.deepEqual(objectsIn(place, "leases"), []);
});

test("what a discarded draft had uploaded is garbage", async (t) => {
  const place = await tempDir(t);
  const { user, workspace, gc } = await userAt(t, place);
  writeFolder(user.scratch, { f: "draft ".repeat(1_000) });
  const draft = await Dataset.create("p/d", { workspace });
  await draft.addFiles(user.scratch);
  await draft.upload();
  await draft.discard();
  assert.equal((await gc()).deleted.objects, 1);
  assert.deepEqual(objectsIn(place, "packs"), []);
});

test("a draft goes on over a parent that was deleted and collected for meanwhile", async (t) => {
  const place = await tempDir(t);
  const { user, workspace, sync, gc } = await userAt(t, place);
  await sync({ old: "from the parent ".repeat(400) });
  writeFolder(user.scratch, { young: "new ".repeat(400) });
  const draft = await Dataset.create("p/d", { workspace, parents: ["p/d"] });
  await draft.addFiles(user.scratch);
  await draft.upload();
  const other = await userAt(t, place);
  await Dataset.get("p/d", { workspace: other.workspace });
  await forget(other.workspace, "1.0.0");
  await other.gc();
  await draft.finalize();
  await gc();
  const cold = await userAt(t, place);
  const child = await Dataset.get("p/d", { workspace: cold.workspace });
  assert.equal(await textIn(child, "old"), "from the parent ".repeat(400));
  assert.equal(await textIn(child, "young"), "new ".repeat(400));
});

test("metadata, reports and metadata of files stay with their version, and go with it", async (t) => {
  const place = await tempDir(t);
  const { workspace, sync, gc } = await userAt(t, place);
  await sync({ f: "kept" });
  const version = await Dataset.get("p/d", { workspace });
  const large = new Uint8Array(Buffer.alloc(300_000, "large"));
  await version.setMetadata(large, { name: "large" });
  await version.getLogger().reportTable({ title: "t", series: "s", rows: [["x".repeat(20_000)]] });
  await version.setFileMetadata("f", { label: "cat" });
  assert.equal((await gc()).published.objects, 0);
  const cold = await Dataset.get("p/d", { workspace: (await userAt(t, place)).workspace });
  assert.deepEqual(await cold.getMetadata("large"), large);
  assert.ok(objectsIn(place, "attachments").length >= 3);
  await sync({ g: "next" }, { version: "2.0.0", parents: [] });
  await forget(workspace, "1.0.0");
  await gc();
  const left = "the index and the page of what is said of the child's file";
  assert.equal(objectsIn(place, "attachments").length, 2, left);
});

test("a version in one remote keeps what it takes from another, whoever collects that", async (t) => {
  const [place, elsewhere] = [await tempDir(t), await tempDir(t)];
  const { user, workspace, sync, gc } = await userAt(t, place);
  await sync({ old: "in the first remote ".repeat(400) });
  writeFolder(user.scratch, { young: "in the second" });
  const child = await Dataset.create("p/d", { workspace, parents: ["p/d"], remote: elsewhere });
  await child.addFiles(user.scratch);
  await child.upload();
  await child.finalize();
  await forget(workspace, "1.0.0");
  const stranger = await userAt(t, place);
  const message = new RegExp(`versions in file://${elsewhere} need some of it, .* varve remote add NAME`);
  await assert.rejects(stranger.gc(), { code: "remote-failed", message });
  await stranger.workspace.openRemote(elsewhere);
  await stranger.gc();
  await gc();
  const read = await Dataset.get("p/d", { workspace });
  assert.deepEqual((await read.verify()).damaged, []);
  assert.ok(objectsIn(place, "packs").length > 0);
});

test("nothing is deleted while a version cannot be read", async (t) => {
  const place = await tempDir(t);
  const { workspace, sync, gc } = await userAt(t, place);
  await sync({ a: "kept" });
  await sync({ b: "gone" }, { version: "2.0.0" });
  await forget(workspace, "2.0.0");
  const opened = await workspace.openRemote(place);
  const { rootKey } = (await (await workspace.catalog()).listVersions(await datasetId(workspace)))[0]!;
  const root = await opened.remote.readWhole(rootKey!);
  await opened.remote.put(rootKey!, Buffer.concat([root.subarray(0, -1), Buffer.of(root.at(-1)! ^ 1)]));
  const before = objectsIn(place, "packs");
  await assert.rejects(gc(), {
    code: "format-damaged",
    message: /is damaged; nothing is deleted while a version/,
  });
  assert.deepEqual(objectsIn(place, "packs"), before);
});

async function datasetId(workspace: Workspace): Promise<string> {
  return (await (await workspace.catalog()).findDataset("p", "d"))!.id;
}
