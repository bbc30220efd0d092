import assert from "node:assert/strict";
import { test } from "node:test";

import { WriteBehind } from "../../src/cache/write-behind.js";
import { sha256 } from "../../src/content/hash.js";
import { KiB, MiB } from "../../src/units.js";
import { bytesOf } from "./blocks.js";

const blocks = Array.from({ length: 100 }, (_, seed) => bytesOf(seed, 1 * KiB));

function addAll(writeBehind: WriteBehind): void {
  for (const block of blocks) writeBehind.add(sha256(block), block);
}

test("small blocks gather to fills of the size asked for", async () => {
  const sizes: number[] = [];
  const writeBehind = new WriteBehind(async (fill) => void sizes.push(fill.size), 40 * KiB);
  addAll(writeBehind);
  await writeBehind.flush();
  assert.deepEqual(sizes, [40, 40, 20]);
});

test("a fill that gets no more blocks is written after a moment", async () => {
  const written = await new Promise<number>((resolve) => {
    const writeBehind = new WriteBehind(async (fill) => resolve(fill.size), MiB);
    addAll(writeBehind);
  });
  assert.equal(written, 100);
});

test("a block can be read until it is written, and not longer", async () => {
  const disk = slowDisk();
  const writeBehind = new WriteBehind(() => disk.isDone, 40 * KiB);
  addAll(writeBehind);
  const flushed = writeBehind.flush();
  assert.ok(blocks.every((block) => writeBehind.get(sha256(block)) === block));
  disk.finish();
  await flushed;
  assert.ok(blocks.every((block) => writeBehind.get(sha256(block)) === undefined));
});

test("a block added twice is written once", async () => {
  const sizes: number[] = [];
  const writeBehind = new WriteBehind(async (fill) => void sizes.push(fill.size), MiB);
  addAll(writeBehind);
  addAll(writeBehind);
  await writeBehind.flush();
  assert.deepEqual(sizes, [100]);
});

test("what waits for a slow disk is bounded, and blocks are taken again once it has caught up", async () => {
  const disk = slowDisk();
  const writeBehind = new WriteBehind(() => disk.isDone, 4 * MiB);
  const large = Array.from({ length: 20 }, (_, at) => ({
    hash: sha256(bytesOf(at, 8)),
    bytes: new Uint8Array(4 * MiB),
  }));
  for (const { hash, bytes } of large) writeBehind.add(hash, bytes);
  assert.deepEqual(
    large.map(({ hash }) => writeBehind.get(hash) !== undefined),
    large.map((_, at) => at < 16),
  );
  disk.finish();
  await writeBehind.flush();
  writeBehind.add(large[19]!.hash, large[19]!.bytes);
  assert.ok(writeBehind.get(large[19]!.hash));
  await writeBehind.flush();
});

/** A disk that has written nothing until it is told to finish. */
function slowDisk(): { isDone: Promise<void>; finish: () => void } {
  let finish = (): void => {};
  const isDone = new Promise<void>((resolve) => (finish = resolve));
  return { isDone, finish: () => finish() };
}
