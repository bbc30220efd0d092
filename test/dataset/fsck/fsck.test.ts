/** Holding a remote against the catalog and itself: what is found, what is healed from where, and what cannot be. */
import assert from "node:assert/strict";
import { readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { Dataset } from "../../../src/dataset/dataset.js";
import { type FsckOptions, type Problem, fsck } from "../../../src/dataset/fsck/fsck.js";
import { syncVersion } from "../../../src/dataset/sync.js";
import { tempDir } from "../../support/temp.js";
import { writeFolder } from "../support/folders.js";
import { type TestUser, testUser } from "../support/workspaces.js";

const FILES = { "a/one": "one ".repeat(3_000), "b/two": "two ".repeat(3_000), three: "3" };

/** A version, and what fsck says of it with a user's catalog and cache. */
async function version(t: TestContext) {
  const place = await tempDir(t);
  const user = await testUser(t, place);
  const workspace = user.open();
  writeFolder(user.scratch, FILES);
  await syncVersion(user.scratch, "p/d", { workspace });
  const check = async (options: FsckOptions = {}, by: TestUser = user) => {
    const checking = by.open();
    return (await fsck(checking, await checking.openRemote(place), options)).problems;
  };
  return { place, user, check };
}

/** The only object of a kind, or the first. */
function objectOf(place: string, kind: string): string {
  const found = readdirSync(join(place, kind), { recursive: true, withFileTypes: true });
  const [first] = found.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return first!;
}

function damage(path: string): void {
  const bytes = readFileSync(path);
  bytes[bytes.length >> 1]! ^= 0xff;
  writeFileSync(path, bytes);
}

function shown(problems: readonly Problem[]): string[] {
  return problems.map(
    ({ what, state, healedFrom }) => `${what} ${state}${healedFrom ? `, healed from ${healedFrom}` : ""}`,
  );
}

test("a remote in which all is well has no problems, by size and by every byte", async (t) => {
  const { check } = await version(t);
  assert.deepEqual([await check(), await check({ deep: true })], [[], []]);
});

test("a flipped byte in a pack is found by reading every byte, and healed from the files it was made of", async (t) => {
  const { place, user, check } = await version(t);
  await sleep(2_100); // A file is remembered once its times have settled.
  await Dataset.get("p/d", { workspace: user.open() });
  await syncVersion(user.scratch, "p/d", { workspace: user.open() });
  const pack = objectOf(place, "packs");
  damage(pack);
  assert.deepEqual(await check(), []);
  const [found] = await check({ deep: true });
  assert.deepEqual([found!.what, found!.state, found!.versions], ["chunk", "damaged", ["p/d@1.0.0"]]);
  assert.deepEqual(shown(await check({ deep: true, repair: true })), [
    "chunk damaged, healed from files of this machine",
  ]);
  assert.deepEqual(await check({ deep: true }), []);
});

test("a pack that is gone is healed from a cache that holds its chunks", async (t) => {
  const { place, check } = await version(t);
  const reader = await testUser(t, place);
  const reading = reader.open();
  const read = await Dataset.get("p/d", { workspace: reading });
  for (const path of Object.keys(FILES))
    for await (const bytes of read.readFile(path)) assert.ok(bytes.length > 0);
  await reading.close();
  rmSync(objectOf(place, "packs"));
  assert.deepEqual(shown(await check()), ["pack missing"]);
  assert.deepEqual(shown(await check({ repair: true }, reader)), ["pack missing, healed from the cache"]);
  assert.deepEqual(await check({ deep: true }), []);
});

test("what is nowhere else is told of and not guessed at", async (t) => {
  const { place, user, check } = await version(t);
  rmSync(user.scratch, { recursive: true });
  rmSync(objectOf(place, "packs"));
  const stranger = await testUser(t, place);
  await Dataset.get("p/d", { workspace: stranger.open() });
  const [found] = await check({ repair: true }, stranger);
  assert.equal(found!.healedFrom, undefined);
  assert.match(found!.unhealed!, /chunk [0-9a-f]{64} is neither in the cache, nor in another pack/);
});

test("a root and a range are healed from the cache", async (t) => {
  const { place, user, check } = await version(t);
  const workspace = user.open();
  const read = await Dataset.get("p/d", { workspace });
  for await (const bytes of read.readFile("three")) assert.ok(bytes.length > 0);
  await workspace.close();
  for (const kind of ["roots", "ranges"]) rmSync(objectOf(place, kind));
  const found = await check({ repair: true });
  assert.deepEqual(shown(found).sort(), [
    "range missing, healed from the cache",
    "root missing, healed from the cache",
  ]);
  assert.deepEqual(await check({ deep: true }), []);
});

test("a record that is gone is made anew from the catalog, and says what it said", async (t) => {
  const { place, check } = await version(t);
  const record = objectOf(place, "datasets");
  const before = JSON.parse(readFileSync(record, "utf8")) as object;
  rmSync(record);
  assert.deepEqual(shown(await check()), ["record missing"]);
  assert.deepEqual(shown(await check({ repair: true })), ["record missing, healed from the catalog"]);
  assert.deepEqual(JSON.parse(readFileSync(record, "utf8")), before);
});

test("a version that the catalog has not heard of is told of, and taken in by repair", async (t) => {
  const { place, check } = await version(t);
  const stranger = await testUser(t, place);
  await stranger.open().openRemote(place);
  assert.deepEqual(shown(await check({}, stranger)), ["catalog missing"]);
  assert.deepEqual(shown(await check({ repair: true }, stranger)), [
    "catalog missing, healed from its record",
  ]);
  assert.deepEqual(await check({}, stranger), []);
});

test("a damaged record is named", async (t) => {
  const { place, check } = await version(t);
  writeFileSync(objectOf(place, "datasets"), "{");
  const found = await check();
  assert.deepEqual(shown(found), ["record damaged"]);
});

test("what a record and the catalog say differently is told, and not called healed", async (t) => {
  const { place, check } = await version(t);
  const record = objectOf(place, "datasets");
  writeFileSync(
    record,
    readFileSync(record, "utf8").replace(/"digest": "[0-9a-f]{64}"/, `"digest": "${"0".repeat(64)}"`),
  );
  assert.deepEqual(shown(await check({ repair: true })), ["catalog different"]);
});

test("what lies in another remote is told with its place, and put into no other", async (t) => {
  const { place, user, check } = await version(t);
  const elsewhere = await tempDir(t);
  const workspace = user.open();
  const child = await Dataset.create("p/d", { workspace, parents: ["p/d"], remote: elsewhere });
  writeFolder(`${user.scratch}2`, { more: "more" });
  await child.addFiles(`${user.scratch}2`);
  await child.upload();
  await child.finalize();
  rmSync(objectOf(place, "packs"));
  const { problems } = await fsck(workspace, await workspace.openRemote(elsewhere), { repair: true });
  assert.deepEqual(problems.map(({ what, remote, healedFrom }) => [what, remote, healedFrom]), [["pack", `file://${place}`, undefined]]); // prettier-ignore
  assert.deepEqual(shown(await check()), ["pack missing"]);
});
