import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Block, type LocalBlocks, Missing } from "../../src/cache/block.js";
import { type Chunk, Codec, type RemoteId, type Sha256 } from "../../src/content/chunk.js";
import { sha256 } from "../../src/content/hash.js";
import {
  type EncodedSegment,
  SegmentReader,
  encodeSegment,
  findChunks,
  mergeSegments,
} from "../../src/content/segment.js";
import { KiB } from "../../src/units.js";

const REMOTE = "0123456789abcdef0123456789abcdef" as RemoteId;
const OTHER_REMOTE = "f".repeat(32) as RemoteId;

test("a segment finds each of its chunks as it was, and no other", () => {
  const property = fc.property(
    fc.integer({ min: 0, max: 3000 }),
    fc.integer({ min: 1, max: 2000 }),
    (count, packs) => {
      const chunks = chunksNumbered(0, count, packs);
      const store = new Store(encodeSegment(chunks, REMOTE));
      const strangers = chunksNumbered(count, 50, packs).map(({ hash }) => hash);
      const found = store.find([...chunks.map(({ hash }) => hash), ...strangers]);
      assert.deepEqual(found, byHash(chunks));
    },
  );
  fc.assert(property, { numRuns: 15 });
});

test("the same chunks give the same segment in any order", () => {
  const chunks = chunksNumbered(0, 2500, 7);
  assert.deepEqual(encodeSegment(chunks.toReversed(), REMOTE), encodeSegment(chunks, REMOTE));
});

test("of chunks with one hash the first counts", () => {
  const [chunk] = chunksNumbered(0, 1, 1) as [Chunk];
  const later = { ...chunk, offset: 77 };
  const store = new Store(encodeSegment([chunk, later], REMOTE));
  assert.deepEqual(store.find([chunk.hash]), byHash([chunk]));
});

test("hashes that begin alike are told apart across pages", () => {
  const chunks = chunksNumbered(0, 3000, 3).map((chunk) => ({
    ...chunk,
    hash: `${"a".repeat(20)}${chunk.hash.slice(20)}` as Sha256,
  }));
  const store = new Store(encodeSegment(chunks, REMOTE));
  assert.deepEqual(store.find(chunks.map(({ hash }) => hash)), byHash(chunks));
});

test("a miss in a large segment reads the header and one page, a hit two pages more", () => {
  const chunks = chunksNumbered(0, 100_000, 3000);
  const segment = encodeSegment(chunks, REMOTE);
  assert.ok(segment.ref.headerBytes < 8 * KiB, `${segment.ref.headerBytes} bytes of header`);

  const missing = new Store(segment);
  assert.deepEqual(missing.find([sha256(Buffer.from("stranger"))]), new Map());
  assert.deepEqual(
    missing.rounds.map((blocks) => blocks.length),
    [1, 1],
  );

  const hit = new Store(segment);
  assert.deepEqual(hit.find([chunks[5]!.hash]), byHash([chunks[5]!]));
  assert.deepEqual(
    hit.rounds.map((blocks) => blocks.length),
    [1, 1, 1, 1],
  );
  assert.ok(hit.rounds.flat().every(({ sizeBytes }) => sizeBytes <= 64 * KiB));
});

test("a small segment is read in one request", () => {
  const chunks = chunksNumbered(0, 1000, 5);
  const segment = encodeSegment(chunks, REMOTE);
  const store = new Store(segment);
  assert.deepEqual(store.find(chunks.map(({ hash }) => hash)), byHash(chunks));
  assert.deepEqual(
    store.rounds.flat().map(({ sizeBytes }) => sizeBytes),
    [segment.ref.sizeBytes],
  );
});

test("a look-up in many segments asks for what all of them miss together", () => {
  const groups = [0, 1, 2].map((group) => chunksNumbered(group * 10_000, 3000, 9));
  const store = new Store(...groups.map((chunks) => encodeSegment(chunks, REMOTE)));
  const wanted = groups.map((chunks) => chunks[17]!);
  assert.deepEqual(store.find(wanted.map(({ hash }) => hash)), byHash(wanted));
  assert.equal(store.rounds[0]!.length, 3);
  assert.equal(store.rounds.length, 4);
});

test("merging segments and new chunks equals encoding all of them at once", () => {
  const older = chunksNumbered(0, 1500, 20);
  const newer = chunksNumbered(1000, 1500, 30);
  const fresh = chunksNumbered(2400, 300, 2);
  const segments = [newer, older].map((chunks) => encodeSegment(chunks, OTHER_REMOTE).bytes);
  assert.deepEqual(
    mergeSegments(segments, fresh, REMOTE),
    encodeSegment([...fresh, ...newer, ...older], REMOTE),
  );
});

test("bytes that are no segment, or one of a newer format, are refused", () => {
  const { bytes } = encodeSegment(chunksNumbered(0, 10, 1), REMOTE);
  const newer = Buffer.from(bytes);
  newer.writeUInt32LE(2, 8);
  const merge = (object: Uint8Array) => () => mergeSegments([object], [], REMOTE);
  assert.throws(merge(newer), { code: "format-newer", data: { what: "index segment", version: 2 } });
  assert.throws(merge(bytes.subarray(0, -1)), { code: "format-damaged" });
  assert.throws(merge(new Uint8Array(0)), { code: "format-damaged" });
  assert.throws(merge(Buffer.alloc(100)), { code: "format-damaged" });
});

test("any change of a segment's bytes is refused, or gives no chunk that was not there", () => {
  const chunks = chunksNumbered(0, 20, 3);
  const { ref, bytes } = encodeSegment(chunks, REMOTE);
  const property = fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
    const damaged = Uint8Array.from(bytes, (byte, index) => (index === at ? byte ^ change : byte));
    const local: LocalBlocks = { get: () => damaged, copy: () => false };
    const hashes = chunks.map(({ hash }) => hash);
    try {
      for (const hash of new SegmentReader(ref, local).lookupMany(hashes).keys())
        assert.ok(hashes.includes(hash));
    } catch (error) {
      assert.match(String((error as { code?: unknown }).code), /^format-(damaged|newer)$/);
    }
  });
  fc.assert(property, { numRuns: 500 });
});

/** Chunks with hashes and packs told by their number. */
function chunksNumbered(first: number, count: number, packCount: number): Chunk[] {
  return Array.from({ length: count }, (_, index) => {
    const number = first + index;
    return {
      hash: sha256(Buffer.from(`chunk ${number}`)),
      remote: number % 5 === 0 ? OTHER_REMOTE : REMOTE,
      pack: sha256(Buffer.from(`pack ${number % packCount}`)),
      offset: number * 2 ** 22,
      storedBytes: number + 1,
      sizeBytes: number * 2 + 1,
      codec: number % 2 === 0 ? Codec.raw : Codec.brotli,
    };
  });
}

function byHash(chunks: readonly Chunk[]): Map<Sha256, Chunk> {
  return new Map(chunks.map((chunk) => [chunk.hash, chunk]));
}

/** Segments in a remote, and a cold cache before it that counts what it is asked to fetch. */
class Store {
  readonly rounds: Block[][] = [];
  readonly #segments: EncodedSegment[];
  readonly #local = new Map<Sha256, Uint8Array>();

  constructor(...segments: EncodedSegment[]) {
    this.#segments = segments;
  }

  find(hashes: Sha256[]): Map<Sha256, Chunk> {
    const blocks: LocalBlocks = { get: (hash) => this.#local.get(hash), copy: () => false };
    for (;;)
      try {
        const refs = this.#segments.map(({ ref }) => ref);
        return findChunks(refs, blocks, hashes);
      } catch (thrown) {
        if (!(thrown instanceof Missing)) throw thrown;
        this.rounds.push([...thrown.blocks]);
        for (const block of thrown.blocks) this.#local.set(block.hash, this.#fetch(block));
      }
  }

  #fetch({ key, offset, storedBytes, hash }: Block): Uint8Array {
    const segment = this.#segments.find(({ ref }) => key === `segments/${ref.id.slice(0, 2)}/${ref.id}`);
    const bytes = segment!.bytes.subarray(offset, offset + storedBytes);
    assert.equal(sha256(bytes), hash, `block of ${key} at ${offset}`);
    return bytes;
  }
}
