import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";

import Database from "better-sqlite3";
import fc from "fast-check";

import type { Fill } from "../../src/cache/block-file.js";
import { DiskTier } from "../../src/cache/disk.js";
import { moveAside } from "../../src/cache/open-index.js";
import { sha256 } from "../../src/content/hash.js";
import { KiB, MiB } from "../../src/units.js";
import { atEnd } from "../support/cleanup.js";
import { tempDir } from "../support/temp.js";
import { bytesOf, textOf } from "./blocks.js";

const isRoot = process.geteuid?.() === 0;
const HOUR_MS = 3_600_000;

interface OpenedDisk {
  disk: DiskTier;
  warnings: string[];
}

function diskIn(t: TestContext, directory: string): OpenedDisk {
  const warnings: string[] = [];
  const disk = new DiskTier(directory, (message) => warnings.push(message));
  atEnd(t, () => disk.close());
  return { disk, warnings };
}

function fillOf(...contents: readonly (string | Uint8Array)[]): Fill {
  return new Map(contents.map((content) => Buffer.from(content)).map((bytes) => [sha256(bytes), bytes]));
}

function hashOf(content: string): ReturnType<typeof sha256> {
  return sha256(Buffer.from(content));
}

function textIn(disk: DiskTier, content: string): string | undefined {
  return textOf(disk.get(hashOf(content)));
}

function blockFiles(directory: string): string[] {
  return readdirSync(join(directory, "blocks")).map((name) => join(directory, "blocks", name));
}

/** What the folder's own files take: the index and the blocks, without SQLite's log. */
function diskBytes(directory: string): number {
  const paths = [join(directory, "index.db"), ...blockFiles(directory)];
  return paths.reduce((sum, path) => sum + statSync(path).blocks * 512, 0);
}

test("blocks of a fill are read back whole and in part, by this process and by the next", async (t) => {
  const directory = await tempDir(t);
  const { disk } = diskIn(t, directory);
  await disk.keep(fillOf("hello", "world"), MiB);
  for (const reader of [disk, diskIn(t, directory).disk]) {
    const target = Buffer.from("...");
    assert.equal(textIn(reader, "world"), "world");
    assert.equal(reader.copy(hashOf("hello"), 1, 3, target, 1), true);
    assert.equal(target.toString(), ".el");
    assert.equal(reader.copy(hashOf("nobody"), 0, 1, target, 0), false);
  }
});

test("a range beyond a block is refused: it would give the bytes of a neighbour", async (t) => {
  const { disk } = diskIn(t, await tempDir(t));
  await disk.keep(fillOf("hello", "world"), MiB);
  const target = new Uint8Array(8);
  assert.throws(() => disk.copy(hashOf("hello"), 0, 6, target, 0), RangeError);
  assert.throws(() => disk.copy(hashOf("hello"), 0, 5, target, 4), RangeError);
});

test(
  "copy() of a part reads that part from disk and not the block",
  { skip: !existsSync("/proc/self/io") },
  async (t) => {
    const { disk } = diskIn(t, await tempDir(t));
    const block = bytesOf(1, 4 * MiB);
    await disk.keep(fillOf(block), 64 * MiB);
    const target = new Uint8Array(4 * KiB);
    const before = bytesRead();
    assert.equal(disk.copy(sha256(block), MiB, MiB + 4 * KiB, target, 0), true);
    assert.ok(bytesRead() - before < MiB);
    assert.deepEqual(target, block.subarray(MiB, MiB + 4 * KiB));
  },
);

test("the bound holds after every fill, and what is there is right", async (t) => {
  const blocks = fc.array(fc.tuple(fc.nat(40), fc.integer({ min: 4 * KiB, max: 40 * KiB })), {
    minLength: 1,
    maxLength: 8,
  });
  const fills = fc.array(blocks, { minLength: 10, maxLength: 25, size: "max" });
  const maxBytes = 512 * KiB;
  await fc.assert(
    fc.asyncProperty(fills, async (sequence) => {
      const directory = await tempDir(t);
      const { disk, warnings } = diskIn(t, directory);
      const asked = new Set<ReturnType<typeof sha256>>();
      for (const fill of sequence) {
        const blocks = fillOf(...fill.map(([seed, sizeBytes]) => bytesOf(seed, sizeBytes)));
        await disk.keep(blocks, maxBytes);
        for (const hash of blocks.keys()) asked.add(hash);
        assert.ok(diskBytes(directory) <= maxBytes, `${diskBytes(directory)} bytes on disk`);
        for (const hash of blocks.keys()) assert.ok(disk.has(hash), "the newest fill is kept");
        for (const hash of asked) {
          const bytes = disk.get(hash);
          if (bytes) assert.equal(sha256(bytes), hash);
        }
      }
      assert.deepEqual(warnings, []);
      disk.close();
    }),
    { numRuns: 6, endOnFailure: true }, // Shrinking would write thousands of files.
  );
});

test("the file that was used least recently goes first", async (t) => {
  const directory = await tempDir(t);
  const { disk } = diskIn(t, directory);
  const [one, two, three] = [1, 2, 3].map((seed) => bytesOf(seed, 40 * KiB)) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ];
  for (const block of [one, two]) await disk.keep(fillOf(block), MiB);
  disk.close();
  makeOlder(directory, HOUR_MS);
  const again = diskIn(t, directory).disk;
  assert.ok(again.get(sha256(one)));
  await again.keep(fillOf(three), 160 * KiB);
  assert.deepEqual(
    [one, two, three].map((block) => again.has(sha256(block))),
    [true, false, true],
  );
  assert.equal(blockFiles(directory).length, 2);
});

test("a large fill evicts as many files as it needs", async (t) => {
  const directory = await tempDir(t);
  const { disk } = diskIn(t, directory);
  const small = [1, 2, 3, 4, 5, 6, 7, 8].map((seed) => bytesOf(seed, 20 * KiB));
  for (const block of small) await disk.keep(fillOf(block), 256 * KiB);
  await disk.keep(fillOf(bytesOf(9, 150 * KiB)), 256 * KiB);
  assert.ok(diskBytes(directory) <= 256 * KiB, `${diskBytes(directory)} bytes on disk`);
  assert.equal(disk.has(sha256(bytesOf(9, 150 * KiB))), true);
});

test("a fill larger than the whole cache is not kept, and nothing is left of it", async (t) => {
  const directory = await tempDir(t);
  const { disk } = diskIn(t, directory);
  await disk.keep(fillOf(bytesOf(1, 300 * KiB)), 100 * KiB);
  assert.deepEqual(blockFiles(directory), []);
  assert.equal(disk.has(sha256(bytesOf(1, 300 * KiB))), false);
});

test("a file that is too short is dropped, its other blocks with it, and can be kept again", async (t) => {
  const directory = await tempDir(t);
  await withFill(t, directory, "hello", "world");
  truncateSync(blockFiles(directory)[0]!, 7);
  const { disk, warnings } = diskIn(t, directory);
  assert.equal(textIn(disk, "hello"), undefined);
  assert.deepEqual(blockFiles(directory), []);
  await disk.keep(fillOf("hello"), MiB);
  assert.equal(textIn(disk, "hello"), "hello");
  assert.deepEqual(warnings, []);
});

test("a row whose file is gone is a miss, and is mended", async (t) => {
  const directory = await tempDir(t);
  await withFill(t, directory, "hello", "world");
  rmSync(blockFiles(directory)[0]!);
  const { disk, warnings } = diskIn(t, directory);
  assert.equal(textIn(disk, "hello"), undefined);
  assert.deepEqual(disk.totals(), { files: 0, blocks: 0, bytes: 0 });
  assert.deepEqual(warnings, []);
});

test("a file changed behind our back is hashed before it is used, even in a private folder", async (t) => {
  const directory = await tempDir(t);
  await withFill(t, directory, "hello", "world");
  writeFileSync(blockFiles(directory)[0]!, "hellOworld");
  const { disk } = diskIn(t, directory);
  assert.equal(textIn(disk, "world"), "world");
  assert.equal(disk.copy(hashOf("hello"), 0, 1, new Uint8Array(1), 0), false);
  assert.deepEqual(blockFiles(directory), []);
});

test("a file from before a reboot is hashed before it is used: it was never synced", async (t) => {
  const directory = await tempDir(t);
  await withFill(t, directory, "hello", "world");
  const path = blockFiles(directory)[0]!;
  writeFileSync(path, Buffer.alloc(10));
  editIndex(directory, `update file set boot = 'an earlier one', ctime_ms = ${statSync(path).ctimeMs}`);
  assert.equal(textIn(diskIn(t, directory).disk, "hello"), undefined);
});

test("in a folder that others may write to, a block is hashed at its first use in a process", async (t) => {
  const directory = await tempDir(t);
  chmodSync(directory, 0o2770);
  await withFill(t, directory, "hello", "world");
  const path = blockFiles(directory)[0]!;
  assert.equal(statSync(path).mode & 0o777, 0o660);
  writeFileSync(path, "hellOworld");
  editIndex(directory, `update file set ctime_ms = ${statSync(path).ctimeMs}`);
  const { disk } = diskIn(t, directory);
  assert.equal(disk.copy(hashOf("world"), 0, 5, new Uint8Array(5), 0), true);
  assert.equal(disk.copy(hashOf("hello"), 0, 1, new Uint8Array(1), 0), false);
});

test("a new folder is for its user alone", async (t) => {
  const directory = join(await tempDir(t), "a", "cache");
  await withFill(t, directory, "hello");
  assert.equal(statSync(directory).mode & 0o777, 0o700);
  assert.equal(statSync(blockFiles(directory)[0]!).mode & 0o777, 0o600);
});

test("a folder of another user that is not shared is refused", { skip: !isRoot }, async (t) => {
  const directory = await tempDir(t);
  chownSync(directory, 12_345, 12_345);
  const refusal = { code: "bad-input", message: /belongs to user 12345 \(mode 700\) and is not shared/ };
  assert.throws(() => new DiskTier(directory, () => {}), refusal);
});

test("orphans are swept with the first fill: files older than an hour or than the index; a new file stays", async (t) => {
  const directory = await tempDir(t);
  const blocks = join(directory, "blocks");
  mkdirSync(blocks);
  for (const name of ["old.part", "old", "new"]) writeFileSync(join(blocks, name), "orphan");
  for (const name of ["old.part", "old"])
    utimesSync(join(blocks, name), new Date(), new Date(Date.now() - HOUR_MS - 1000));
  const { disk } = diskIn(t, directory);
  utimesSync(join(blocks, "new"), new Date(), new Date(Date.now() + 1000));
  await disk.keep(fillOf("hello"), MiB);
  const names = readdirSync(blocks);
  assert.deepEqual([names.length, names.includes("new")], [2, true]);
  assert.equal(textIn(disk, "hello"), "hello");
});

test("an index that is no database is moved aside with a warning, and the cache starts anew", async (t) => {
  const directory = await tempDir(t);
  await withFill(t, directory, "hello");
  writeFileSync(join(directory, "index.db"), "what is this? ".repeat(1000));
  const { disk, warnings } = diskIn(t, directory);
  assert.equal(textIn(disk, "hello"), undefined);
  await disk.keep(fillOf("hello"), MiB);
  assert.equal(textIn(disk, "hello"), "hello");
  assert.deepEqual(warnings, ["damaged cache index moved aside"]);
  assert.equal(existsSync(join(directory, "index.db.damaged")), true);
  assert.equal(blockFiles(directory).length, 1, "files that only the damaged index knew are swept");
});

test("an index damaged while it is open is a miss, and the cache starts anew", async (t) => {
  const directory = await tempDir(t);
  await withFill(t, directory, "hello");
  const { disk, warnings } = diskIn(t, directory);
  writeFileSync(join(directory, "index.db"), Buffer.alloc(16 * KiB, 0xee), { flag: "r+" });
  assert.equal(textIn(disk, "hello"), undefined);
  await disk.keep(fillOf("world"), MiB);
  assert.equal(textIn(disk, "world"), "world");
  assert.deepEqual(warnings, ["damaged cache index moved aside"]);
});

test("closing a cache whose index another one replaced does no harm to the new index", async (t) => {
  const directory = await tempDir(t);
  await withFill(t, directory, "hello");
  const { disk: old } = diskIn(t, directory);
  writeFileSync(join(directory, "index.db"), Buffer.alloc(16 * KiB, 0xee), { flag: "r+" });
  const { disk, warnings: ofSecond } = diskIn(t, directory);
  assert.deepEqual(ofSecond, ["damaged cache index moved aside"]);
  await disk.keep(fillOf("hello"), MiB);
  old.close();
  await disk.keep(fillOf("world"), MiB);
  const { disk: third, warnings } = diskIn(t, directory);
  assert.deepEqual([textIn(third, "hello"), textIn(third, "world"), warnings], ["hello", "world", []]);
});

test("an index moved aside shares nothing with the next one, even while somebody has it open", async (t) => {
  const directory = await tempDir(t);
  const { disk: old } = diskIn(t, directory);
  await old.keep(fillOf("hello"), MiB); // The row is in SQLite's log alone.
  moveAside(join(directory, "index.db"));
  const { disk } = diskIn(t, directory);
  await disk.keep(fillOf("world"), MiB);
  const known = [old, disk].map((each) => ["hello", "world"].map((content) => each.has(hashOf(content))));
  assert.deepEqual(known, [
    [true, false],
    [false, true],
  ]);
});

test("an index made by a newer varve is left alone", async (t) => {
  const directory = await tempDir(t);
  await withFill(t, directory, "hello");
  editIndex(directory, "pragma user_version = 99");
  const { disk, warnings } = diskIn(t, directory);
  await disk.keep(fillOf("world"), MiB);
  assert.equal(textIn(disk, "hello"), undefined);
  assert.deepEqual(warnings, ["disk cache bypassed"]);
  assert.equal(blockFiles(directory).length, 1);
});

test("a folder that is removed while it is used is made again by the next fill", async (t) => {
  const directory = join(await tempDir(t), "cache");
  const { disk, warnings } = diskIn(t, directory);
  await disk.keep(fillOf("hello"), MiB);
  rmSync(directory, { recursive: true });
  await disk.keep(fillOf("world"), MiB);
  assert.deepEqual([textIn(disk, "hello"), textIn(disk, "world")], [undefined, "world"]);
  assert.deepEqual(warnings, []);
});

test("where no folder can be, there is one warning and no failure", async (t) => {
  const { disk, warnings } = diskIn(t, "/dev/null/cache");
  for (const content of ["hello", "world"]) await disk.keep(fillOf(content), MiB);
  assert.equal(textIn(disk, "hello"), undefined);
  assert.deepEqual(warnings, ["disk cache bypassed"]);
});

test("a full disk costs one warning; what was kept before stays readable", async (t) => {
  const directory = await smallDisk(t);
  if (!directory) {
    t.skip("needs the right to mount a tmpfs");
    return;
  }
  const { disk, warnings } = diskIn(t, directory);
  await disk.keep(fillOf("hello"), 64 * MiB);
  for (const seed of [1, 2]) await disk.keep(fillOf(bytesOf(seed, 2 * MiB)), 64 * MiB);
  assert.equal(textIn(disk, "hello"), "hello");
  assert.equal(disk.has(sha256(bytesOf(1, 2 * MiB))), false);
  assert.equal(blockFiles(directory).length, 1, "nothing half written is left");
  assert.deepEqual(warnings, ["disk cache bypassed"]);
});

/** Keeps a fill in a folder, and closes it. */
async function withFill(t: TestContext, directory: string, ...contents: string[]): Promise<void> {
  const { disk } = diskIn(t, directory);
  await disk.keep(fillOf(...contents), MiB);
  disk.close();
}

function editIndex(directory: string, sql: string): void {
  const db = new Database(join(directory, "index.db"));
  db.exec(sql);
  db.close();
}

function makeOlder(directory: string, byMs: number): void {
  editIndex(directory, `update file set last_use_ms = last_use_ms - ${byMs}`);
}

/** Bytes this process has read from files, by its own count. */
function bytesRead(): number {
  return Number(/rchar: (\d+)/.exec(readFileSync("/proc/self/io", "latin1"))?.[1]);
}

/** A folder on a disk of 1 MiB, or undefined. */
async function smallDisk(t: TestContext): Promise<string | undefined> {
  const directory = await tempDir(t);
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs", directory]);
  return mounted.status === 0 ? directory : undefined;
}
