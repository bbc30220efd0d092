import assert from "node:assert/strict";
import { test } from "node:test";

import { Missing, type LocalBlocks } from "../../src/cache/block.js";
import { type Chunk, Codec, type RemoteId, type Sha256 } from "../../src/content/chunk.js";
import { sha256 } from "../../src/content/hash.js";
import { NewSegments } from "../../src/content/new-segments.js";
import { type EncodedSegment, type SegmentRef, findChunks } from "../../src/content/segment.js";

const REMOTE = "0123456789abcdef0123456789abcdef" as RemoteId;
const MAX_CHUNKS = 10_000;

test("a commit of more chunks than a segment may hold makes several, which hold each chunk once", async () => {
  const store = new Store();
  const refs = await store.commit([], chunksNumbered(0, 25_000));
  assert.ok(refs.length >= 3 && refs.length <= 4, `${refs.length} segments`);
  assert.ok(refs.every(({ chunkCount }) => chunkCount <= MAX_CHUNKS));
  assert.equal(countOf(refs), 25_000);
  const hashes = chunksNumbered(0, 25_001).map(({ hash }) => hash);
  assert.deepEqual(
    store.find(refs, hashes),
    new Map(chunksNumbered(0, 25_000).map((chunk) => [chunk.hash, chunk])),
  );
});

test("a chunk that many files share stands in one segment, once", async () => {
  const few = chunksNumbered(0, 7);
  const many = Array.from({ length: 50_000 }, (_, number) => few[number % few.length]!);
  const refs = await new Store().commit([], many);
  assert.deepEqual(
    refs.map(({ chunkCount }) => chunkCount),
    [7],
  );
});

test("chunks that the lineage holds are left out, and small older segments are merged with the new ones", async () => {
  const store = new Store();
  const parent = await store.commit([], chunksNumbered(0, 4_000));
  const child = await store.commit(parent, [...chunksNumbered(0, 4_000), ...chunksNumbered(4_000, 3_000)]);
  assert.deepEqual(
    child.map(({ chunkCount }) => chunkCount),
    [7_000],
  );
  assert.deepEqual(await store.commit(child, chunksNumbered(0, 7_000)), child);
});

test("a segment that cannot be put fails the commit", async () => {
  const store = new Store();
  store.put = () => Promise.reject(new Error("the disk is full"));
  await assert.rejects(store.commit([], chunksNumbered(0, 25_000)), /the disk is full/);
});

/** Segments that were put, read as a look-up does. */
class Store {
  readonly #segments = new Map<Sha256, EncodedSegment>();
  put = async (segment: EncodedSegment): Promise<void> => void this.#segments.set(segment.ref.id, segment);

  async commit(older: readonly SegmentRef[], chunks: readonly Chunk[]): Promise<SegmentRef[]> {
    const segments = new NewSegments({
      older,
      known: async (hashes) => this.find(older, hashes),
      read: async (refs) => refs.map(({ id }) => this.#segments.get(id)!.bytes),
      put: (segment) => this.put(segment),
      remote: REMOTE,
      maxChunks: MAX_CHUNKS,
    });
    for (const chunk of chunks) segments.add(chunk);
    return segments.finish();
  }

  find(refs: readonly SegmentRef[], hashes: readonly Sha256[]): Map<Sha256, Chunk> {
    const pages = new Map<Sha256, Uint8Array>();
    const blocks: Pick<LocalBlocks, "get"> = { get: (hash) => pages.get(hash) };
    for (;;) {
      try {
        return findChunks(refs, blocks as LocalBlocks, hashes);
      } catch (thrown) {
        if (!(thrown instanceof Missing)) throw thrown;
        for (const { hash, key, offset, sizeBytes } of thrown.blocks) {
          const { bytes } = this.#segments.get(key.split("/").at(-1) as Sha256)!;
          pages.set(hash, bytes.subarray(offset, offset + sizeBytes));
        }
      }
    }
  }
}

function chunksNumbered(from: number, count: number): Chunk[] {
  return Array.from({ length: count }, (_, index) => {
    const hash = sha256(Buffer.from(`chunk ${from + index}`));
    const pack = sha256(Buffer.from(`pack ${(from + index) % 5}`));
    const sizes = { sizeBytes: 10, storedBytes: 10, codec: Codec.raw };
    return { hash, remote: REMOTE, pack, offset: (from + index) * 10, ...sizes };
  });
}

function countOf(refs: readonly SegmentRef[]): number {
  return refs.reduce((sum, { chunkCount }) => sum + chunkCount, 0);
}
