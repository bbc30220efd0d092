/** Large contents in one piece: filled part by part, complete or not there, trusted only as they were left. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, closeSync, readFileSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import Database from "better-sqlite3";

import type { Cache } from "../../src/cache/cache.js";
import { DiskTier } from "../../src/cache/disk.js";
import { KiB, MiB } from "../../src/units.js";
import { sha256 } from "../../src/content/hash.js";
import { atEnd } from "../support/cleanup.js";
import { type MemoryRemote, memoryRemote } from "../support/memory-remote.js";
import { startNode } from "../support/processes.js";
import { tempDir } from "../support/temp.js";
import { bytesOf, cacheOf, objectsOf, packOf } from "./blocks.js";
import { type LargeFile, largeFile } from "./large-file.js";

const FILLER = new URL("./filling-process.js", import.meta.url).pathname;

/** What another handle of the folder has of a whole: its bytes, whether they are trusted; nothing while it is not complete. */
function wholeIn(
  t: TestContext,
  directory: string,
  { blocks }: LargeFile,
): { bytes: Uint8Array; isTrusted: boolean } | undefined {
  const disk = new DiskTier(directory, () => {});
  atEnd(t, () => disk.close());
  const opened = disk.openWhole(blocks[0]!.part.whole);
  if (!opened) return undefined;
  const bytes = readFileSync(opened.fd);
  closeSync(opened.fd);
  return { bytes, isTrusted: opened.isTrusted };
}

/** Reads some blocks through a cache of the folder, and closes it. */
async function readThrough(
  t: TestContext,
  directory: string,
  file: LargeFile,
  blocks = file.blocks,
): Promise<MemoryRemote> {
  const remote = memoryRemote(objectsOf(file.pack));
  const cache = await cacheOf(t, remote, { directory });
  await cache.readMany(blocks);
  await cache.close();
  return remote;
}

async function settleThrough(t: TestContext, directory: string, file: LargeFile): Promise<Cache> {
  const cache = await cacheOf(t, memoryRemote(objectsOf(file.pack)), { directory });
  await cache.settle(file.blocks);
  await cache.close();
  return cache;
}

/** Paths of the files of wholes, complete or not. */
function wholeFiles(directory: string): string[] {
  const index = new Database(join(directory, "index.db"));
  const sql = "select name from whole join file on file.id = whole.file";
  const names = index.prepare<[], string>(sql).pluck().all();
  index.close();
  return names.map((name) => join(directory, "blocks", name));
}

test("a large file that was read in any order is one file on disk, byte for byte, for every process", async (t) => {
  const [directory, file] = [await tempDir(t), largeFile(1)];
  await readThrough(t, directory, file, file.blocks.toReversed());
  assert.deepEqual(wholeIn(t, directory, file), { bytes: Buffer.from(file.bytes), isTrusted: true });
  assert.equal(readdirSync(join(directory, "blocks")).length, 1);
});

test("its blocks are read from that file too: whole, in part, and before it is complete", async (t) => {
  const [directory, file] = [await tempDir(t), largeFile(1)];
  const [first, second] = file.blocks as [LargeFile["blocks"][0], LargeFile["blocks"][0]];
  await readThrough(t, directory, file, [second]);
  const disk = new DiskTier(directory, () => {});
  atEnd(t, () => disk.close());
  const target = Buffer.alloc(10);
  assert.equal(disk.copy(second.hash, 100, 110, target, 0), true);
  assert.deepEqual(target, Buffer.from(file.bytes.subarray(second.part.at + 100, second.part.at + 110)));
  assert.equal(sha256(disk.get(second.hash)!), second.hash);
  assert.equal(disk.get(first.hash), undefined);
  assert.deepEqual(disk.totals().blocks, 1);
});

test("a file that lacks one block is not there", async (t) => {
  const [directory, file] = [await tempDir(t), largeFile(1)];
  await readThrough(t, directory, file, file.blocks.slice(1));
  assert.equal(wholeIn(t, directory, file), undefined);
});

test("two files that share blocks, or differ in one, are not taken for each other", async (t) => {
  const [directory, file, other] = [await tempDir(t), largeFile(1), largeFile(1, { recurring: true })];
  await readThrough(t, directory, file);
  assert.equal(wholeIn(t, directory, other), undefined);
  await settleThrough(t, directory, other);
  assert.deepEqual(wholeIn(t, directory, other)?.bytes, Buffer.from(other.bytes));
  assert.deepEqual(wholeIn(t, directory, file)?.bytes, Buffer.from(file.bytes));
});

test("settle() completes a file out of what lies elsewhere in the cache, and fetches what little is missing", async (t) => {
  const [directory, file] = [await tempDir(t), largeFile(2)];
  const plain = file.blocks.slice(4).map((block) => ({ ...block, part: undefined }));
  const remote = memoryRemote(objectsOf(file.pack));
  const cache = await cacheOf(t, remote, { directory });
  await cache.readMany(plain);
  const { fetched } = cache.stats();
  await Promise.all([cache.settle(file.blocks), cache.settle(file.blocks)]);
  const missingBytes = file.blocks.slice(0, 4).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  assert.deepEqual(cache.stats().fetched, {
    requests: fetched.requests + 1,
    bytes: fetched.bytes + missingBytes,
  });
  assert.deepEqual(wholeIn(t, directory, file), { bytes: Buffer.from(file.bytes), isTrusted: true });
});

test("settle() leaves a file of which little was read as it is", async (t) => {
  const [directory, file] = [await tempDir(t), largeFile(2)];
  await readThrough(t, directory, file, file.blocks.slice(20));
  const cache = await settleThrough(t, directory, file);
  assert.deepEqual(cache.stats().fetched, { requests: 0, bytes: 0 });
  assert.equal(wholeIn(t, directory, file), undefined);
});

test("what one process read of a file and another the rest of becomes one file, and the unfinished ones go", async (t) => {
  const [directory, file] = [await tempDir(t), largeFile(3)];
  await readThrough(t, directory, file, file.blocks.slice(0, 20));
  await readThrough(t, directory, file, file.blocks.slice(20));
  assert.equal(wholeFiles(directory).length, 2);
  const cache = await settleThrough(t, directory, file);
  assert.deepEqual(cache.stats().fetched, { requests: 0, bytes: 0 });
  assert.deepEqual(wholeIn(t, directory, file)?.bytes, Buffer.from(file.bytes));
  assert.equal(readdirSync(join(directory, "blocks")).length, 1);
});

test("two caches of a folder that fill the same file side by side end with one, and it is right", async (t) => {
  const [directory, file] = [await tempDir(t), largeFile(3)];
  const caches = await Promise.all(
    [1, 2].map(() => cacheOf(t, memoryRemote(objectsOf(file.pack)), { directory })),
  );
  for (const block of file.blocks) await Promise.all(caches.map((cache) => cache.read(block)));
  await Promise.all(caches.map((cache) => cache.close()));
  assert.deepEqual(wholeIn(t, directory, file), { bytes: Buffer.from(file.bytes), isTrusted: true });
  assert.equal(readdirSync(join(directory, "blocks")).length, 1);
});

test("after kill -9 in the middle of filling, every part that counts is right, and a file is whole or not there", async (t) => {
  const directory = await tempDir(t);
  for (const seed of [1, 2, 3, 4]) {
    const filler = startNode(t, FILLER, [directory, String(seed)]);
    await filler.saying(/round 1/);
    await sleep(seed * 17);
    await filler.kill();
  }
  const rows = partRows(directory);
  assert.ok(rows.length > 0);
  for (const { name, offset, size, hash } of rows) {
    const bytes = readFileSync(join(directory, "blocks", name)).subarray(offset, offset + size);
    assert.equal(sha256(bytes), hash);
  }
  for (let seed = 0; seed < 8; seed++) {
    const found = wholeIn(t, directory, largeFile(seed));
    if (found) assert.ok(Buffer.from(largeFile(seed).bytes).equals(found.bytes));
  }
});

test("a file whose ctime changed is hashed before it is trusted again", async (t) => {
  const [directory, file] = [await tempDir(t), largeFile(4)];
  await readThrough(t, directory, file);
  utimesSync(wholeFiles(directory)[0]!, 1, 1);
  assert.equal(wholeIn(t, directory, file)?.isTrusted, false);
  await settleThrough(t, directory, file);
  assert.equal(wholeIn(t, directory, file)?.isTrusted, true);
});

test("a file from before a reboot is hashed before it is trusted again: it was never synced", async (t) => {
  const [directory, file] = [await tempDir(t), largeFile(4)];
  await readThrough(t, directory, file);
  const index = new Database(join(directory, "index.db"));
  index.exec("update file set boot = 'an earlier one'");
  index.close();
  assert.equal(wholeIn(t, directory, file)?.isTrusted, false);
  await settleThrough(t, directory, file);
  assert.equal(wholeIn(t, directory, file)?.isTrusted, true);
});

test("a file with a damaged byte is dropped by settle() and made anew", async (t) => {
  const [directory, file] = [await tempDir(t), largeFile(4)];
  await readThrough(t, directory, file);
  const path = wholeFiles(directory)[0]!;
  writeFileSync(path, "?", { flag: "r+" });
  const remote = memoryRemote(objectsOf(file.pack));
  const cache = await cacheOf(t, remote, { directory });
  await cache.settle(file.blocks);
  assert.equal(wholeIn(t, directory, file), undefined);
  await cache.readMany(file.blocks);
  await cache.close();
  assert.deepEqual(wholeIn(t, directory, file), { bytes: Buffer.from(file.bytes), isTrusted: true });
  assert.notEqual(wholeFiles(directory)[0], path);
});

test("a file that somebody writes to while it is filled is given up, not completed", async (t) => {
  const [directory, file] = [await tempDir(t), largeFile(5)];
  const cache = await cacheOf(t, memoryRemote(objectsOf(file.pack)), { directory });
  await cache.readMany(file.blocks.slice(0, 20));
  await until(() => wholeFiles(directory).length === 1 && partRows(directory).length === 20);
  writeFileSync(wholeFiles(directory)[0]!, "?", { flag: "r+" });
  await cache.readMany(file.blocks.slice(20));
  await cache.close();
  assert.equal(wholeIn(t, directory, file), undefined);
});

test("the bound holds while large files are filled, and the one used least recently goes as a whole", async (t) => {
  const directory = await tempDir(t);
  const maxBytes = 1 * MiB;
  for (const seed of [1, 2, 3, 4, 5]) {
    const file = largeFile(seed);
    const cache = await cacheOf(t, memoryRemote(objectsOf(file.pack)), { directory, maxBytes });
    await cache.readMany(file.blocks);
    await cache.close();
    assert.ok(cache.stats().disk.bytes <= maxBytes);
  }
  assert.deepEqual(
    [1, 2, 3, 4, 5].map((seed) => wholeIn(t, directory, largeFile(seed)) !== undefined),
    [false, false, true, true, true],
  );
  assert.equal(readdirSync(join(directory, "blocks")).length, 3);
});

test("opening a file counts as using it: another goes first", async (t) => {
  const [directory, maxBytes] = [await tempDir(t), 1 * MiB];
  const fill = async (seed: number) => {
    const file = largeFile(seed);
    const cache = await cacheOf(t, memoryRemote(objectsOf(file.pack)), { directory, maxBytes });
    await cache.readMany(file.blocks);
    await cache.close();
    await sleep(2); // Uses are told apart by the millisecond.
  };
  for (const seed of [1, 2, 3]) await fill(seed);
  const disk = new DiskTier(directory, () => {});
  closeSync(disk.openWhole(largeFile(1).blocks[0]!.part.whole)!.fd);
  disk.close();
  await fill(4);
  const left = [1, 2, 3, 4].map((seed) => wholeIn(t, directory, largeFile(seed)) !== undefined);
  assert.deepEqual(left, [true, false, true, true]);
});

test("a file that would fill most of the cache is kept as single blocks, which may go one by one", async (t) => {
  const [directory, file] = [await tempDir(t), largeFile(1)];
  const cache = await cacheOf(t, memoryRemote(objectsOf(file.pack)), { directory, maxBytes: 400 * KiB });
  await cache.readMany(file.blocks);
  await cache.settle(file.blocks);
  await cache.close();
  assert.deepEqual(wholeFiles(directory), []);
  assert.ok(readdirSync(join(directory, "blocks")).length > 1);
});

test("in a folder that others may write to, there are no such files", async (t) => {
  const [directory, file] = [await tempDir(t), largeFile(1)];
  chmodSync(directory, 0o2770);
  await readThrough(t, directory, file);
  await settleThrough(t, directory, file);
  assert.deepEqual(wholeFiles(directory), []);
  const again = await cacheOf(t, memoryRemote(), { directory });
  assert.equal((await again.readMany(file.blocks)).length, file.blocks.length);
});

test("a full disk leaves no file that seems whole, and reading goes on", async (t) => {
  const directory = await tempDir(t);
  if (spawnSync("mount", ["-t", "tmpfs", "-o", "size=256k,mode=700", "tmpfs", directory]).status !== 0) {
    t.skip("needs the right to mount a tmpfs");
    return;
  }
  const file = largeFile(6);
  const warnings: string[] = [];
  const onWarning = (message: string) => void warnings.push(message);
  const cache = await cacheOf(t, memoryRemote(objectsOf(file.pack)), { directory, onWarning });
  const read = await cache.readMany(file.blocks);
  assert.ok(Buffer.concat(read).equals(file.bytes));
  await cache.close();
  assert.equal(wholeIn(t, directory, file), undefined);
  assert.deepEqual(warnings, ["disk cache bypassed"]);
});

test("a cache made before there were such files goes on with all its blocks", async (t) => {
  const directory = await tempDir(t);
  const [pack, file] = [packOf("packs/old", [bytesOf(9, 4 * KiB)]), largeFile(7)];
  const before = await cacheOf(t, memoryRemote(objectsOf(pack)), { directory });
  await before.readMany(pack.blocks);
  await before.close();
  const index = new Database(join(directory, "index.db"));
  index.exec(
    `drop table note; drop table pinned_file; drop table pin; alter table block drop column content;
     drop table part; drop table whole; pragma user_version = 1`,
  );
  index.close();
  await readThrough(t, directory, file);
  const disk = new DiskTier(directory, () => assert.fail("a warning"));
  atEnd(t, () => disk.close());
  assert.equal(disk.has(pack.blocks[0]!.hash), true);
  assert.deepEqual(wholeIn(t, directory, file)?.bytes, Buffer.from(file.bytes));
});

test("a file removed behind our back is a miss, and is filled again", async (t) => {
  const [directory, file] = [await tempDir(t), largeFile(8)];
  await readThrough(t, directory, file);
  rmSync(wholeFiles(directory)[0]!);
  assert.equal(wholeIn(t, directory, file), undefined);
  await readThrough(t, directory, file);
  assert.deepEqual(wholeIn(t, directory, file)?.bytes, Buffer.from(file.bytes));
});

interface PartRow {
  name: string;
  offset: number;
  size: number;
  hash: string;
}

function partRows(directory: string): PartRow[] {
  const index = new Database(join(directory, "index.db"));
  const sql =
    "select name, offset, part.size_bytes as size, lower(hex(hash)) as hash from part join file on file.id = part.file";
  const rows = index.prepare<[], PartRow>(sql).all();
  index.close();
  return rows;
}

async function until(isTrue: () => boolean): Promise<void> {
  for (let tries = 0; !isTrue(); tries++) {
    assert.ok(tries < 500, "never");
    await sleep(10);
  }
}
