import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import {
  ChunkCutter,
  MAX_CHUNK_BYTES,
  MIN_CHUNK_BYTES,
  ONE_CHUNK_BYTES,
  cutPoint,
  cutWhole,
} from "../../src/content/fastcdc.js";
import { sha256 } from "../../src/content/hash.js";
import { KiB, MiB } from "../../src/units.js";
import { noise } from "./noise.js";

test("the cut points of known bytes never change, since stored chunks depend on them", () => {
  const sizes = cutWhole(noise("pinned", 8 * MiB)).map((chunk) => chunk.length);
  assert.deepEqual(sizes, [880697, 1042339, 1478850, 1196970, 1097511, 922174, 1162317, 607750]);
});

test("content of up to 1 MiB is one chunk, and no content is none", () => {
  assert.deepEqual(cutWhole(new Uint8Array(0)), []);
  const content = noise("small", ONE_CHUNK_BYTES);
  assert.deepEqual(
    cutWhole(content).map((chunk) => chunk.length),
    [ONE_CHUNK_BYTES],
  );
});

test("random bytes give chunks of 1 MiB on average", () => {
  const count = cutWhole(noise("average", 128 * MiB)).length;
  assert.ok(count > 110 && count < 146, `${count} chunks in 128 MiB`);
});

test("zeros are cut into equal chunks, so that a sparse file is sent once", () => {
  const hashes = new Set(cutWhole(new Uint8Array(32 * MiB)).map(sha256));
  assert.equal(hashes.size, 1);
});

test("cutPoint() asks for more bytes unless it has a largest chunk or the end", () => {
  const content = noise("more", 3 * MiB);
  assert.equal(cutPoint(content, 0, MAX_CHUNK_BYTES - 1, false), undefined);
  assert.equal(cutPoint(content, 0, 100 * KiB, true), 100 * KiB);
  assert.equal(cutPoint(content, 0, MAX_CHUNK_BYTES, false), cutPoint(content, 0, content.length, true));
});

test("content in pieces of any size is cut as content in one piece, within the bounds of a chunk", () => {
  const pieceSizes = fc.array(fc.integer({ min: 1, max: 5 * MiB }), { minLength: 1, maxLength: 8 });
  const property = fc.property(fc.integer({ min: 0, max: 9 }), pieceSizes, (seed, sizes) => {
    const content = noise(`pieces ${seed}`, Math.max(ONE_CHUNK_BYTES + 1, sum(sizes)));
    const chunks = cutInPieces(content, sizes);
    assert.deepEqual(chunks, cutWhole(content).map(sizeAndHash));
    for (const { sizeBytes } of chunks) assert.ok(sizeBytes <= MAX_CHUNK_BYTES);
    for (const { sizeBytes } of chunks.slice(0, -1)) assert.ok(sizeBytes > MIN_CHUNK_BYTES);
  });
  fc.assert(property, { numRuns: 10 });
});

test("bytes inserted anywhere in a large file make few new chunks", () => {
  const content = noise("insert", 32 * MiB);
  const before = new Set(cutWhole(content).map(sha256));
  const property = fc.property(
    fc.integer({ min: 0, max: content.length }),
    fc.uint8Array({ minLength: 1, maxLength: 64 }),
    (at, inserted) => {
      const changed = Buffer.concat([content.subarray(0, at), inserted, content.subarray(at)]);
      const added = cutWhole(changed).filter((chunk) => !before.has(sha256(chunk)));
      assert.ok(added.length <= 6, `${added.length} new chunks`);
    },
  );
  fc.assert(property, { numRuns: 10 });
});

function cutInPieces(content: Uint8Array, sizes: readonly number[]) {
  const cutter = new ChunkCutter();
  const buffer = new Uint8Array(content.length); // used again for each piece, as a reader would
  const chunks: { sizeBytes: number; hash: string }[] = [];
  let at = 0;
  for (const size of [...sizes, content.length]) {
    const piece = buffer.subarray(0, Math.min(size, content.length - at));
    piece.set(content.subarray(at, at + piece.length));
    at += piece.length;
    for (const chunk of cutter.push(piece, at === content.length)) chunks.push(sizeAndHash(chunk));
  }
  return chunks;
}

function sizeAndHash(chunk: Uint8Array) {
  return { sizeBytes: chunk.length, hash: createHash("sha256").update(chunk).digest("hex") };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
