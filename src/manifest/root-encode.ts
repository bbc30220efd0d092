/** Writes a root (`root.ts`) from what it names; totals and digests follow from its ranges. */
import { EMPTY_SHA256, type RemoteId, type Sha256 } from "../content/chunk.js";
import { sha256 } from "../content/hash.js";
import type { SegmentRef } from "../content/segment.js";
import { ByteWriter } from "./binary.js";
import type { RangeRef } from "./range-ref.js";
import { ROOT_LEVELS, ROOT_MAGIC, ROOT_VERSION, SAYS_CHUNKS } from "./root-layout.js";
import { NO_TOTALS, type Totals, addTotals } from "./totals.js";

export interface RootParts {
  /** The remote the root is to lie in. */
  remote: RemoteId;
  /** In the order of their keys. */
  ranges: readonly RangeRef[];
  segments: readonly SegmentRef[];
}

/** What follows from the ranges of a tree. */
export interface Summary {
  totals: Totals;
  treeDigest: Sha256;
  contentDigest: Sha256;
}

/** Encodes a root. The same parts give the same bytes. It says which chunks files consist of where all its ranges do. */
export function encodeRoot({ remote, ranges, segments }: RootParts): Uint8Array {
  const remotes = [
    ...new Set([remote, ...ranges.map((ref) => ref.remote), ...segments.map((ref) => ref.remote)]),
  ];
  const remoteIndex = new Map(remotes.map((id, i) => [id, i]));
  const heapBytes = ranges.reduce((sum, { firstKey }) => sum + firstKey.length, 0);
  const lists = chunkListsIn(ranges);
  const writer = new ByteWriter(256 * (ranges.length + 1));
  const version = lists ? ROOT_VERSION : SAYS_CHUNKS - 1;
  const counts = [ranges.length, segments.length, remotes.length, heapBytes];
  writeHeader(writer, version, counts, summarize(ranges));
  if (lists) writer.u32(lists.size);
  for (const id of remotes) writer.hex(id);
  for (const { id } of ranges) writer.hex(id);
  for (const { content } of ranges) writer.hex(content);
  for (const { object } of ranges) writer.hex(object);
  for (const ref of ranges) writeFact(writer, ref);
  for (const ref of ranges) writer.u32(remoteIndex.get(ref.remote)!);
  for (const ref of segments) writeSegment(writer, ref, remoteIndex.get(ref.remote)!);
  for (const [number, hash] of lists ?? []) {
    writer.u32(number);
    writer.hex(hash);
  }
  for (const { firstKey } of ranges) writer.text(firstKey);
  return writer.written();
}

/** Totals and digests of the tree that these ranges make up. */
export function summarize(ranges: readonly RangeRef[]): Summary {
  return {
    totals: ranges.reduce((sum, ref) => addTotals(sum, ref.totals), NO_TOTALS),
    treeDigest: digestOf(ranges.map(({ id }) => id)),
    contentDigest: digestOf(ranges.map(({ content }) => content)),
  };
}

function digestOf(hashes: readonly Sha256[]): Sha256 {
  return sha256(Buffer.from(hashes.join(""), "hex"));
}

/** By number, of the ranges that have any; undefined where one does not say. */
function chunkListsIn(ranges: readonly RangeRef[]): Map<number, Sha256> | undefined {
  const lists = new Map<number, Sha256>();
  for (const [number, { chunkLists }] of ranges.entries()) {
    if (chunkLists === undefined) return undefined;
    if (chunkLists !== EMPTY_SHA256) lists.set(number, chunkLists);
  }
  return lists;
}

function writeHeader(
  writer: ByteWriter,
  version: number,
  counts: number[],
  { totals, treeDigest, contentDigest }: Summary,
): void {
  writer.text(ROOT_MAGIC);
  writer.u16(version);
  writer.u16(ROOT_LEVELS);
  for (const count of counts) writer.u32(count);
  const { entries, files, directories, symlinks, links, contentBytes } = totals;
  for (const total of [entries, files, directories, symlinks, links, contentBytes]) writer.u64(total);
  writer.hex(treeDigest);
  writer.hex(contentDigest);
}

/** In the order of `Fact`. */
function writeFact(writer: ByteWriter, { firstKey, objectBytes, logicalBytes, totals }: RangeRef): void {
  writer.u64(totals.contentBytes);
  writer.u32(firstKey.length);
  writer.u32(objectBytes);
  writer.u32(logicalBytes);
  for (const count of [totals.files, totals.directories, totals.symlinks, totals.links]) writer.u16(count);
}

function writeSegment(writer: ByteWriter, segment: SegmentRef, remote: number): void {
  writer.u32(remote);
  writer.hex(segment.id);
  writer.hex(segment.headerHash);
  writer.u32(segment.headerBytes);
  writer.u64(segment.sizeBytes);
  writer.u32(segment.chunkCount);
}
