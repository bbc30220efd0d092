/**
 * Index segments: which chunk lies where, for the chunks that one commit, or a merge of older segments, brought. Here
 * they are written and merged; look-ups are `segment-reader.ts`, the format is `segment-layout.ts`.
 */
import type { Block } from "../cache/block.js";
import { type Chunk, Codec, type RemoteId, type Sha256 } from "./chunk.js";
import { sha256 } from "./hash.js";
import {
  ENTRIES_IN_PAGE,
  ENTRY_BYTES,
  FINGERPRINT_BYTES,
  FIXED_BYTES,
  FORMAT_VERSION,
  HASH_BYTES,
  MAGIC,
  PACK_BYTES,
  PREFIX_BYTES,
  type Section,
  type SegmentLayout,
  layoutOf,
  pageRange,
} from "./segment-layout.js";
import { SegmentObject } from "./segment-object.js";
import { SegmentRows, renumberPacks } from "./segment-rows.js";

export { MAX_MERGED_CHUNKS, planSegments } from "./segment-plan.js";
export { SegmentReader, findChunks } from "./segment-reader.js";
export { SegmentRows } from "./segment-rows.js";

/** An index segment, as a root names it. */
export interface SegmentRef {
  /** Where the segment lies; its chunks may lie elsewhere. */
  remote: RemoteId;
  /** SHA-256 of the whole object. */
  id: Sha256;
  headerHash: Sha256;
  headerBytes: number;
  sizeBytes: number;
  chunkCount: number;
}

/** A segment to be put at `segmentKey(ref.id)`. */
export interface EncodedSegment {
  ref: SegmentRef;
  bytes: Uint8Array;
}

export function segmentKey(id: Sha256): string {
  return `segments/${id.slice(0, 2)}/${id}`;
}

/** The whole segment as one block: how a merge gets it. */
export function blockOfSegment({ remote, id, sizeBytes }: SegmentRef): Block {
  const whole = { offset: 0, storedBytes: sizeBytes, sizeBytes, codec: Codec.raw };
  return { hash: id, remote, key: segmentKey(id), ...whole };
}

/**
 * The segment of some chunks, to lie in `remote`. Of chunks with one hash the first counts. The same chunks give the
 * same segment in any order. Memory: 100 B a chunk.
 */
export function encodeSegment(chunks: Iterable<Chunk>, remote: RemoteId): EncodedSegment {
  return mergeSegments([], chunks, remote);
}

/**
 * One segment of whole older ones, newest first, and of new chunks, which come before them.
 * @throws {DatasetError} `format-damaged`, `format-newer` for what is no segment
 */
export function mergeSegments(
  segments: readonly Uint8Array[],
  chunks: Iterable<Chunk> | SegmentRows,
  remote: RemoteId,
): EncodedSegment {
  const rows = chunks instanceof SegmentRows ? chunks : rowsOf(chunks);
  for (const bytes of segments) addSegment(rows, new SegmentObject(bytes));
  return encodeSegmentRows(rows.sorted(), remote);
}

function rowsOf(chunks: Iterable<Chunk>): SegmentRows {
  const rows = new SegmentRows();
  for (const chunk of chunks) rows.addChunk(chunk);
  return rows;
}

function addSegment(rows: SegmentRows, segment: SegmentObject): void {
  const numbers = segment.packs().map(({ pack, remote }) => rows.packNumber(pack, remote));
  for (const { row, pack } of segment.rows()) rows.addRow(row, numbers[pack]!);
}

/** The segment of sorted rows, which are spent by it. */
export function encodeSegmentRows(sorted: SegmentRows, remote: RemoteId): EncodedSegment {
  const rows = sorted.written();
  const packRows = renumberPacks(rows, sorted.packs());
  const layout = layoutOf(sorted.count, packRows.length / PACK_BYTES);
  const bytes = Buffer.alloc(layout.sizeBytes);
  writeFingerprints(bytes, layout, rows);
  rows.copy(bytes, layout.entries.start);
  packRows.copy(bytes, layout.packs.start);
  writeHeader(bytes, layout);
  return { bytes, ref: refOf(bytes, layout, remote) };
}

function writeFingerprints(bytes: Buffer, { fingerprints }: SegmentLayout, rows: Buffer): void {
  let at = fingerprints.start;
  for (let end = HASH_BYTES; end < rows.length; end += ENTRY_BYTES) {
    rows.copy(bytes, at, end - FINGERPRINT_BYTES, end);
    at += FINGERPRINT_BYTES;
  }
}

/** Last, since it holds the hashes of all pages. */
function writeHeader(
  bytes: Buffer,
  { chunkCount, packCount, fingerprints, entries, packs }: SegmentLayout,
): void {
  bytes.write(MAGIC, "latin1");
  bytes.writeUInt32LE(FORMAT_VERSION, 8);
  bytes.writeUInt32LE(chunkCount, 12);
  bytes.writeUInt32LE(packCount, 16);
  for (let page = 0; page < entries.pageCount; page++) {
    const first = entries.start + page * ENTRIES_IN_PAGE * ENTRY_BYTES;
    bytes.copy(bytes, FIXED_BYTES + page * PREFIX_BYTES, first, first + PREFIX_BYTES);
  }
  for (const section of [fingerprints, entries, packs]) writePageHashes(bytes, section);
}

function writePageHashes(bytes: Buffer, section: Section): void {
  for (let page = 0; page < section.pageCount; page++) {
    const [start, end] = pageRange(section, page);
    bytes.write(sha256(bytes.subarray(start, end)), section.hashesAt + page * HASH_BYTES, "hex");
  }
}

function refOf(
  bytes: Buffer,
  { headerBytes, sizeBytes, chunkCount }: SegmentLayout,
  remote: RemoteId,
): SegmentRef {
  const headerHash = sha256(bytes.subarray(0, headerBytes));
  return { remote, id: sha256(bytes), headerHash, headerBytes, sizeBytes, chunkCount };
}
