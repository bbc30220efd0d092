/** Packs of which versions use little are emptied into new ones: bytes go, versions stay what they were. */
import assert from "node:assert/strict";
import { readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";

import { collect } from "../../../src/dataset/collect/collect.js";
import { Dataset } from "../../../src/dataset/dataset.js";
import { fsck } from "../../../src/dataset/fsck/fsck.js";
import { rebuildCatalog } from "../../../src/dataset/rebuild.js";
import { createKey } from "../../../src/dataset/signing/key-files.js";
import { textOfKey } from "../../../src/dataset/signing/keys.js";
import { syncVersion } from "../../../src/dataset/sync.js";
import { noise } from "../../content/noise.js";
import { tempDir } from "../../support/temp.js";
import { describeVersion, writeFolder } from "../support/folders.js";
import { type TestUser, testUser } from "../support/workspaces.js";

const FILES = Object.fromEntries(
  Array.from({ length: 40 }, (_, i) => [`d${i % 4}/f${i}`, noise(`file ${i}`, 100_000)]),
);
/** One in ten. */
const KEPT = Object.keys(FILES).filter((_, i) => i % 10 === 0);

/** A child that keeps a tenth of its parent's files, the parent deleted. */
async function sparseChild(t: TestContext) {
  const place = await tempDir(t);
  return sparseChildOf(await testUser(t, place), place);
}

async function sparseChildOf(user: TestUser, place: string) {
  const workspace = user.open();
  writeFolder(user.scratch, FILES);
  await syncVersion(user.scratch, "p/d", { workspace });
  for (const path of Object.keys(FILES)) if (!KEPT.includes(path)) rmSync(join(user.scratch, path));
  await syncVersion(user.scratch, "p/d", { workspace });
  await Dataset.delete({ name: "p/d", version: "1.0.0", workspace, force: true });
  const opened = await workspace.openRemote(place);
  const gc = (options = {}) => collect(workspace, opened, { graceMs: 0, repack: true, ...options });
  return { place, user, workspace, gc };
}

function packBytes(place: string): number {
  const files = readdirSync(join(place, "packs"), { recursive: true, withFileTypes: true });
  const sizes = files
    .filter((entry) => entry.isFile())
    .map((entry) => statSync(join(entry.parentPath, entry.name)).size);
  return sizes.reduce((sum, size) => sum + size, 0);
}

test("what is used of a pack is laid into a new one, and the old one goes with the next collection", async (t) => {
  const { place, workspace, gc } = await sparseChild(t);
  const before = await Dataset.get("p/d", { workspace });
  const described = await describeVersion(before);
  assert.ok(packBytes(place) > 3_900_000);
  const { repacked } = await gc();
  assert.deepEqual([repacked.packs, repacked.versions], [1, 1]);
  assert.ok(repacked.savedBytes > 3_000_000);
  await gc();
  assert.ok(packBytes(place) < 500_000);
  const after = await Dataset.get("p/d", { workspace });
  assert.deepEqual([after.id, await describeVersion(after)], [before.id, described]);
  assert.deepEqual((await after.verify()).damaged, []);
  assert.equal((await gc()).repacked.packs, 0);
});

test("others read the repacked version: from a catalog that knew the old root, a new one, and none", async (t) => {
  const { place, workspace, gc } = await sparseChild(t);
  const described = await describeVersion(await Dataset.get("p/d", { workspace }));
  const earlier = await testUser(t, place);
  await Dataset.get("p/d", { workspace: earlier.open() });
  await gc();
  await gc();
  const rebuilt = (await testUser(t, place)).open();
  await rebuildCatalog(rebuilt, [place]);
  const bare = (await testUser(t)).open();
  for (const [home, reference] of [
    [earlier.open(), "p/d"],
    [rebuilt, "p/d"],
    [bare, `${place}#p/d`],
  ] as const) {
    const read = await Dataset.get(reference, { workspace: home });
    assert.deepEqual(await describeVersion(read), described);
    assert.deepEqual((await read.verify()).damaged, []);
  }
});

test("a child of a repacked version sends nothing again, and fsck finds nothing wrong", async (t) => {
  const { place, user, workspace, gc } = await sparseChild(t);
  await gc();
  await gc();
  writeFolder(user.scratch, { new: "small" });
  const { committed } = await syncVersion(user.scratch, "p/d", { workspace });
  assert.ok(committed!.contentBytesSent < 100);
  await gc();
  const { problems } = await fsck(workspace, await workspace.openRemote(place), { deep: true });
  assert.deepEqual(problems, []);
});

test("a dry run tells what would be saved; who does not ask for it has no pack emptied, and no pinned label moved", async (t) => {
  const { place, workspace, gc } = await sparseChild(t);
  const earlier = await testUser(t, place);
  await Dataset.get("p/d@1.0.1", { workspace: earlier.open() });
  const { repacked } = await gc({ dryRun: true });
  assert.deepEqual([repacked.packs, repacked.savedBytes > 3_000_000], [1, true]);
  const opened = await workspace.openRemote(place);
  for (let time = 0; time < 2; time++) await collect(workspace, opened, { graceMs: 0 });
  assert.ok(packBytes(place) > 3_900_000);
  const pinned = await Dataset.get("p/d@1.0.1", { workspace: earlier.open() });
  assert.deepEqual((await pinned.verify()).damaged, []);
});

test("a signature holds through a repack", async (t) => {
  const place = await tempDir(t);
  const user = await testUser(t, place);
  const key = createKey(user.home, "mine");
  user.home.signingKey = "mine";
  const { workspace, gc } = await sparseChildOf(user, place);
  const described = await describeVersion(await Dataset.get("p/d", { workspace }));
  await gc();
  await gc();
  assert.ok(packBytes(place) < 500_000);
  const reader = await testUser(t, place);
  reader.home.verifyKeys = [textOfKey(key)];
  const read = await Dataset.get("p/d", { workspace: reader.open() });
  assert.deepEqual(await describeVersion(read), described);
});
