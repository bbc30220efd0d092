import assert from "node:assert/strict";
import { existsSync, readdirSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import Database from "better-sqlite3";

import { DiskTier } from "../../src/cache/disk.js";
import { Housekeeping } from "../../src/cache/housekeeping.js";
import { pinnableBytes } from "../../src/cache/pin-index.js";
import { type Sha256 } from "../../src/content/chunk.js";
import { sha256 } from "../../src/content/hash.js";
import { KiB, MiB } from "../../src/units.js";
import { atEnd } from "../support/cleanup.js";
import { startNode } from "../support/processes.js";
import { tempDir } from "../support/temp.js";
import { bytesOf } from "./blocks.js";

const KEEPER = new URL("./keeping-process.js", import.meta.url).pathname;
const BLOCK_BYTES = 32 * KiB;
const HOUR_MS = 3_600_000;

interface Opened {
  directory: string;
  disk: DiskTier;
  keeper: Housekeeping;
}

async function opened(t: TestContext): Promise<Opened> {
  const directory = await tempDir(t);
  const disk = new DiskTier(directory, (message) => assert.fail(message));
  atEnd(t, () => disk.close());
  return { directory, disk, keeper: keeperOf(t, directory) };
}

function keeperOf(t: TestContext, directory: string): Housekeeping {
  const keeper = new Housekeeping(directory);
  atEnd(t, () => keeper.close());
  return keeper;
}

/** Keeps each seed's block in a file of its own. */
async function keep(disk: DiskTier, maxBytes: number, ...seeds: number[]): Promise<void> {
  for (const seed of seeds) await disk.keep(fillOf(seed), maxBytes);
}

function fillOf(...seeds: number[]): Map<Sha256, Uint8Array> {
  return new Map(seeds.map((seed) => [hashOf(seed), bytesOf(seed, BLOCK_BYTES)]));
}

function hashOf(seed: number): Sha256 {
  return sha256(bytesOf(seed, BLOCK_BYTES));
}

function pin(keeper: Housekeeping, maxBytes: number, name: string, ...seeds: number[]): Sha256[] {
  const id = keeper.pins.begin(name, {}, null);
  const lacking = keeper.pins.cover(id, seeds.map(hashOf), maxBytes);
  keeper.pins.complete(id);
  return lacking;
}

function seedsIn(disk: DiskTier, seeds: readonly number[]): number[] {
  return seeds.filter((seed) => disk.has(hashOf(seed)));
}

function blockFiles(directory: string): string[] {
  return readdirSync(join(directory, "blocks")).map((name) => join(directory, "blocks", name));
}

/** The file that was made for a seed's block alone. */
function fileOf(directory: string, seed: number): string {
  const db = new Database(join(directory, "index.db"), { readonly: true });
  const sql = "select name from block join file on file.id = block.file where hash = ?";
  const name = db
    .prepare<[Buffer], string>(sql)
    .pluck()
    .get(Buffer.from(hashOf(seed), "hex"))!;
  db.close();
  return join(directory, "blocks", name);
}

test("what is pinned stays while all else comes and goes, and the bound holds", async (t) => {
  const { directory, disk, keeper } = await opened(t);
  await keep(disk, MiB, 1, 2, 3);
  assert.deepEqual(pin(keeper, MiB, "first", 1, 3, 99), [hashOf(99)]);
  for (let seed = 10; seed < 60; seed++) {
    await keep(disk, MiB, seed);
    const taken = blockFiles(directory).reduce((sum, path) => sum + statSync(path).blocks * 512, 0);
    assert.ok(taken + statSync(join(directory, "index.db")).size <= MiB, `${taken} bytes`);
  }
  assert.deepEqual(seedsIn(disk, [1, 2, 3, 59]), [1, 3, 59]);
  assert.deepEqual(disk.get(hashOf(1)), bytesOf(1, BLOCK_BYTES));
});

test("a pin that does not fit pins nothing, and says how much room there is", async (t) => {
  const { disk, keeper } = await opened(t);
  const seeds = Array.from({ length: 25 }, (_, seed) => seed);
  await keep(disk, MiB, ...seeds);
  const refusal = {
    code: "cache-full",
    data: { neededBytes: 25 * BLOCK_BYTES, roomBytes: pinnableBytes(800 * KiB) },
  };
  assert.throws(() => pin(keeper, 800 * KiB, "all", ...seeds), refusal);
  assert.equal(keeper.pins.pinnedBytes(), 0);
});

test("a block of a pinned file is not taken over by a file that may be evicted", async (t) => {
  const { disk, keeper } = await opened(t);
  await keep(disk, MiB, 1);
  pin(keeper, MiB, "first", 1);
  await disk.keep(fillOf(1, 2), MiB);
  for (let seed = 10; seed < 60; seed++) await keep(disk, MiB, seed);
  assert.deepEqual(seedsIn(disk, [1, 2]), [1]);
});

test("pins outlive the process; those of a holder go with it", async (t) => {
  const { directory, disk, keeper } = await opened(t);
  await keep(disk, MiB, 1, 2, 3);
  pin(keeper, MiB, "kept", 1);
  const holder = keeper.hold({ use: "mount" });
  const held = keeper.pins.begin("held", {}, holder.id);
  keeper.pins.cover(held, [hashOf(2)], MiB);
  const other = keeperOf(t, directory);
  assert.deepEqual(namesOf(other), ["kept", "held"]);
  assert.deepEqual(
    other.report().holders.map(({ facts }) => facts),
    [{ use: "mount" }],
  );
  holder.release();
  assert.deepEqual(namesOf(other), ["kept"]);
  assert.deepEqual(other.report().holders, []);
});

test("a cache that is used lets go of the pins of holders that live no more", async (t) => {
  const { directory, disk, keeper } = await opened(t);
  await keep(disk, MiB, 1);
  const holder = keeper.hold({});
  keeper.pins.cover(keeper.pins.begin("held", {}, holder.id), [hashOf(1)], MiB);
  disk.close();
  assert.equal(keeper.pins.list().length, 1);
  holder.release();
  const next = new DiskTier(directory, (message) => assert.fail(message));
  next.close(); // Does what rests every ten seconds.
  assert.deepEqual(keeper.pins.list(), []);
});

test("a pin passed to another holder stays when the first lets go", async (t) => {
  const { disk, keeper } = await opened(t);
  await keep(disk, MiB, 1);
  const [first, second] = [keeper.hold({}), keeper.hold({})];
  const id = keeper.pins.begin("passed", {}, first.id);
  assert.equal(keeper.pins.pass(id, second.id), true);
  keeper.pins.dropHeld(id, first.id);
  first.release();
  assert.deepEqual(namesOf(keeper), ["passed"]);
  second.release();
  assert.deepEqual(namesOf(keeper), []);
});

test("clear() takes all but what is pinned, and gives its room back", async (t) => {
  const { directory, disk, keeper } = await opened(t);
  await keep(disk, 8 * MiB, 1, 2, 3, 4);
  pin(keeper, 8 * MiB, "kept", 2);
  const cleared = await keeper.clear();
  assert.deepEqual([cleared.files, cleared.pinnedBytes], [3, BLOCK_BYTES]);
  assert.ok(cleared.bytes >= 3 * BLOCK_BYTES);
  assert.deepEqual(seedsIn(disk, [1, 2, 3, 4]), [2]);
  assert.equal(blockFiles(directory).length, 1);
});

test("clearBlocks() removes a file when most of it is to go, else the blocks alone; never of a pinned one", async (t) => {
  const { directory, disk, keeper } = await opened(t);
  await disk.keep(fillOf(1, 2, 3), MiB);
  await disk.keep(fillOf(4, 5, 6), MiB);
  await disk.keep(fillOf(7), MiB);
  pin(keeper, MiB, "kept", 7);
  const cleared = await keeper.clearBlocks(given([1, 2], [4, 7, 99]));
  assert.equal(cleared.files, 1);
  assert.deepEqual(seedsIn(disk, [1, 2, 3, 4, 5, 6, 7]), [5, 6, 7]);
  assert.equal(blockFiles(directory).length, 2);
});

test("verify() drops damaged and missing files, removes strays, breaks their pins, and leaves the rest", async (t) => {
  const { directory, disk, keeper } = await opened(t);
  await keep(disk, MiB, 1, 2, 3);
  pin(keeper, MiB, "kept", 1, 2);
  writeFileSync(fileOf(directory, 1), "damaged", { flag: "r+" });
  rmSync(fileOf(directory, 3));
  const stray = join(directory, "blocks", "stray");
  writeFileSync(stray, "");
  utimesSync(stray, new Date(), new Date(Date.now() - HOUR_MS - 1000));
  assert.deepEqual(await keeper.verify(), {
    files: 2,
    blocks: 2,
    bytes: 2 * BLOCK_BYTES,
    damagedFiles: 1,
    damagedBlocks: 1,
    missingFiles: 1,
    strayFiles: 1,
    brokenPins: 1,
  });
  assert.deepEqual(seedsIn(disk, [1, 2, 3]), [2]);
  assert.deepEqual(
    keeper.pins.list().map(({ isComplete }) => isComplete),
    [false],
  );
  assert.equal(existsSync(stray), false);
  assert.equal((await keeper.verify()).damagedFiles, 0);
});

test("what verify() has read needs no second look, though it was written before a reboot", async (t) => {
  const { directory, disk, keeper } = await opened(t);
  await keep(disk, MiB, 1);
  const db = new Database(join(directory, "index.db"));
  db.exec("update file set boot = 'an earlier one'");
  await keeper.verify();
  assert.notEqual(db.prepare("select boot from file").pluck().get(), "an earlier one");
  db.close();
});

test("an index that names a file outside the cache is taken for damaged; that file stays", async (t) => {
  const { directory, disk, keeper } = await opened(t);
  await keep(disk, MiB, 1);
  const outside = join(directory, "precious");
  writeFileSync(outside, "precious");
  const db = new Database(join(directory, "index.db"));
  db.exec("update file set name = '../precious'");
  db.close();
  await assert.rejects(keeper.clear(), { code: "format-damaged", message: /names the file|moved aside/ });
  assert.equal(existsSync(outside), true);
  assert.equal(existsSync(join(directory, "index.db.damaged")), true);
});

test("a link laid in the place of a file is not followed", async (t) => {
  const { directory, keeper, disk } = await opened(t);
  await keep(disk, MiB, 1);
  disk.close();
  const path = fileOf(directory, 1);
  const outside = join(directory, "outside");
  writeFileSync(outside, bytesOf(1, BLOCK_BYTES));
  rmSync(path);
  symlinkSync(outside, path);
  assert.equal((await keeper.verify()).missingFiles, 1);
  assert.equal(existsSync(outside), true);
});

test("who is killed while clearing, pinning or verifying leaves a cache that others go on with", async (t) => {
  const directory = await tempDir(t);
  for (const delayMs of [0, 3, 7, 12, 18, 25]) {
    const victim = startNode(t, KEEPER, [directory]);
    await victim.saying(/round 1/);
    await sleep(delayMs); // Somewhere in the middle of it.
    await victim.kill();
  }
  const keeper = keeperOf(t, directory);
  const { damagedFiles, missingFiles } = await keeper.verify();
  assert.deepEqual([damagedFiles, missingFiles], [0, 0]);
  for (const { id } of keeper.pins.list()) keeper.pins.drop(id);
  await keeper.clear();
  const disk = new DiskTier(directory, (message) => assert.fail(message));
  atEnd(t, () => disk.close());
  await keep(disk, MiB, 1);
  assert.deepEqual([disk.totals().files, seedsIn(disk, [1])], [1, [1]]);
});

function namesOf(keeper: Housekeeping): string[] {
  return keeper.report().pins.map(({ name }) => name);
}

async function* given(...batches: number[][]): AsyncGenerator<Sha256[]> {
  for (const seeds of batches) yield await Promise.resolve(seeds.map(hashOf));
}
