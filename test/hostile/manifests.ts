/** Ranges, roots, chunks and index segments. */
import { brotliCompressSync } from "node:zlib";

import { type LocalBlocks, Missing } from "../../src/cache/block.js";
import type { Chunk, Sha256 } from "../../src/content/chunk.js";
import { decodeChunk } from "../../src/content/decode.js";
import { sha256 } from "../../src/content/hash.js";
import { type SegmentRef, SegmentReader, encodeSegment, mergeSegments } from "../../src/content/segment.js";
import type { Entry } from "../../src/manifest/entry.js";
import { EntryType } from "../../src/manifest/entry.js";
import { outlineOf } from "../../src/manifest/outline.js";
import { encodeRange, openRange } from "../../src/manifest/range.js";
import { encodeRoot, openRoot } from "../../src/manifest/root.js";
import { KiB } from "../../src/units.js";
import { REMOTE, chunkOf, directory, file, hashFor, path, sorted } from "../manifest/support.js";
import { noise } from "../content/noise.js";
import type { Decoder } from "./fuzz.js";

export async function manifestDecoders(): Promise<Decoder[]> {
  const ranges = [rangeOf(sample()), rangeOf([directory("")]), rangeOf(many())];
  const refs = ranges.slice(0, 1).map(({ ref }) => ref);
  const segment = encodeSegment(chunksNumbered(1_500), REMOTE);
  return [
    { name: "range", samples: ranges.map(({ bytes }) => bytes), decode: readRange },
    {
      name: "root",
      samples: [
        encodeRoot({ remote: REMOTE, ranges: refs, segments: [segment.ref] }),
        encodeRoot({
          remote: REMOTE,
          ranges: refs.map((ref) => ({ ...ref, chunkLists: undefined })),
          segments: [],
        }),
      ],
      decode: readRoot,
    },
    { name: "chunk", samples: storedChunks(), decode: readChunk },
    {
      name: "index segment",
      samples: [segment.bytes, encodeSegment(chunksNumbered(3), REMOTE).bytes],
      decode: (bytes) => mergeSegments([bytes], [], REMOTE),
    },
    {
      name: "index segment, looked up in",
      samples: [segment.bytes],
      decode: (bytes) => lookUp(segment.ref, bytes),
    },
  ];
}

function rangeOf(entries: readonly Entry[]) {
  return encodeRange(sorted(entries), REMOTE);
}

/** A bit of everything a range holds. */
function sample(): Entry[] {
  const chunks = ["a", "b", "c"].map((name) => chunkOf(hashFor(name), 70_000, name));
  const xattrs = new Map([["user.colour", Buffer.from("red")]]);
  return [
    directory(""),
    directory("d", { xattrs }),
    file("d/one", "content"),
    file("d/empty", ""),
    file("d/large", "", { sizeBytes: 210_000, sha256: hashFor("large"), chunks }),
    file("d/holes", "h".repeat(100), {
      holes: [
        [3, 50],
        [60, 90],
      ],
    }),
    file("l1", "linked", { hardLinks: [path("l2")] }),
    file("l2", "linked", { hardLinks: [path("l1")] }),
    { ...directory("s"), type: EntryType.symlink, target: "../d/one" },
    { ...directory("x"), type: EntryType.link, sizeBytes: 9, url: "https://x/y", pin: "etag:1" },
  ];
}

function many(): Entry[] {
  return [directory(""), ...Array.from({ length: 300 }, (_, at) => file(`f${at}`, `content ${at}`))];
}

function readRange(bytes: Uint8Array): void {
  const range = openRange(bytes, REMOTE);
  range.id();
  range.totals();
  range.chunkLists();
  for (let index = 0; index < range.count; index++) {
    range.entryAt(index);
    range.chunksAt(index);
    range.childrenOf(range.pathAt(index));
    if (range.indexOf(range.parentAt(index), range.nameAt(index)) !== index)
      throw new Error("an entry is not where it is");
  }
}

function readRoot(bytes: Uint8Array): void {
  const root = openRoot(bytes);
  for (let number = 0; number < root.rangeCount; number++) root.rangeAt(number);
  outlineOf(root);
}

/** u8 codec, u32 size, then the stored bytes. */
function storedChunks(): Uint8Array[] {
  const raw = noise("raw", 3_000);
  const zeros = Buffer.alloc(200 * KiB);
  return [
    Buffer.concat([chunkHeader(0, raw.length), raw]),
    Buffer.concat([chunkHeader(1, zeros.length), brotliCompressSync(zeros)]),
  ];
}

function chunkHeader(codec: number, sizeBytes: number): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt8(codec);
  header.writeUInt32LE(sizeBytes, 1);
  return header;
}

/** No range names a chunk of more than 256 MiB; here they end at 16, so that a run takes little memory. */
function readChunk(bytes: Uint8Array): void {
  const buffer = Buffer.from(bytes);
  if (buffer.length < 5) return;
  const sizeBytes = buffer.readUInt32LE(1) % (16 * 1024 * KiB);
  decodeChunk(buffer.subarray(5), { codec: buffer.readUInt8() as 0 | 1, sizeBytes });
}

function chunksNumbered(count: number): Chunk[] {
  return Array.from({ length: count }, (_, at) => ({
    ...chunkOf(hashFor(`chunk ${at}`), 100 + at, `pack ${at % 7}`),
  }));
}

/** A store whose bytes have the hashes they are asked by, as a writer of the remote can bring about. */
function lookUp(ref: SegmentRef, bytes: Uint8Array): void {
  const known = new Map<string, Uint8Array>();
  const blocks = { get: (hash: Sha256) => known.get(hash) } as unknown as LocalBlocks;
  const segment: SegmentRef = {
    ...ref,
    sizeBytes: bytes.length,
    id: sha256(bytes),
    remote: REMOTE,
  };
  for (let rounds = 0; rounds < 8; rounds++)
    try {
      new SegmentReader(segment, blocks).lookupMany(chunksNumbered(20).map(({ hash }) => hash));
      return;
    } catch (thrown) {
      if (!(thrown instanceof Missing)) throw thrown;
      for (const { hash, offset, storedBytes } of thrown.blocks)
        known.set(hash, bytes.subarray(offset, Math.min(bytes.length, offset + storedBytes)));
    }
}
