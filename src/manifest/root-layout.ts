/** Where the parts of a root lie (the table is in `root.ts`), and how one of each is read. */
import type { RemoteId, Sha256 } from "../content/chunk.js";
import type { SegmentRef } from "../content/segment.js";
import { newerFormat } from "../format.js";
import { asBuffer, damaged, readU64, viewOf } from "./binary.js";
import type { Key } from "./key.js";
import { REMOTE_BYTES, remotesAt, sha256At } from "./range-layout.js";
import type { RangeRef } from "./range-ref.js";
import type { Totals } from "./totals.js";

export const ROOT_MAGIC = "VVRT";
export const ROOT_VERSION = 2;
/** The first version that says which chunks files consist of. */
export const SAYS_CHUNKS = 2;
/** One level: the root names every range. A root of roots is for a later format. */
export const ROOT_LEVELS = 1;
export const ROOT_WHAT = "root of a manifest";

/** Of version 1; later ones have four bytes more. */
export const ROOT_HEADER_BYTES = 136;
export const HASH_BYTES = 32;
export const FACT_BYTES = 28;
export const SEGMENT_BYTES = 84;
export const LIST_BYTES = 36;

/** Offsets in the facts of a range: u64, u32 three times, u16 four times, u32. */
export const Fact = {
  contentBytes: 0,
  keyBytes: 8,
  objectBytes: 12,
  logicalBytes: 16,
  files: 20,
  directories: 22,
  symlinks: 24,
  links: 26,
} as const;

/** The parts of one root as offsets into its bytes. */
export interface RootLayout {
  bytes: Buffer;
  view: DataView;
  rangeCount: number;
  segmentCount: number;
  remotes: RemoteId[];
  totals: number;
  treeDigest: number;
  contentDigest: number;
  ids: number;
  contents: number;
  objects: number;
  facts: number;
  /** u32 each: the remote of a range's object. */
  rangeRemotes: number;
  segments: number;
  /** Undefined in version 1, which has none. */
  lists: { start: number; count: number } | undefined;
  heap: number;
}

/**
 * Finds the parts of a root; together they are all of its bytes.
 * @throws {DatasetError} `format-damaged`, `format-newer`
 */
export function rootLayoutOf(object: Uint8Array): RootLayout {
  const bytes = asBuffer(object);
  const view = viewOf(object);
  const version = checkMagic(bytes);
  const [rangeCount, segmentCount, remoteCount, heapBytes] = [8, 12, 16, 20].map((at) =>
    view.getUint32(at, true),
  ) as [number, number, number, number];
  const listCount = version < SAYS_CHUNKS ? undefined : view.getUint32(ROOT_HEADER_BYTES, true);
  const remotesStart = ROOT_HEADER_BYTES + (listCount === undefined ? 0 : 4);
  const ids = remotesStart + remoteCount * REMOTE_BYTES;
  const contents = ids + rangeCount * HASH_BYTES;
  const objects = contents + rangeCount * HASH_BYTES;
  const facts = objects + rangeCount * HASH_BYTES;
  const rangeRemotes = facts + rangeCount * FACT_BYTES;
  const segments = rangeRemotes + rangeCount * 4;
  const listsStart = segments + segmentCount * SEGMENT_BYTES;
  const heap = listsStart + (listCount ?? 0) * LIST_BYTES;
  if (remoteCount === 0 || heap + heapBytes !== bytes.length)
    throw damaged(ROOT_WHAT, "its parts do not make up its length");
  const remotes = remotesAt(bytes, remotesStart, remoteCount);
  const lists = listCount === undefined ? undefined : { start: listsStart, count: listCount };
  const header = {
    bytes,
    view,
    rangeCount,
    segmentCount,
    remotes,
    totals: 24,
    treeDigest: 72,
    contentDigest: 104,
  };
  return { ...header, ids, contents, objects, facts, rangeRemotes, segments, lists, heap };
}

/** The totals that the header gives. */
export function totalsOf({ view, totals }: RootLayout): Totals {
  const at = (number: number) => readU64(view, totals + number * 8);
  return {
    entries: at(0),
    files: at(1),
    directories: at(2),
    symlinks: at(3),
    links: at(4),
    contentBytes: at(5),
  };
}

/** What range `number` holds. */
export function rangeTotalsAt({ view, facts }: RootLayout, number: number): Totals {
  const fact = facts + number * FACT_BYTES;
  const files = view.getUint16(fact + Fact.files, true);
  const directories = view.getUint16(fact + Fact.directories, true);
  const symlinks = view.getUint16(fact + Fact.symlinks, true);
  const links = view.getUint16(fact + Fact.links, true);
  const contentBytes = readU64(view, fact + Fact.contentBytes);
  return {
    entries: files + directories + symlinks + links,
    files,
    directories,
    symlinks,
    links,
    contentBytes,
  };
}

/** The whole reference to range `number`. */
export function refAt(layout: RootLayout, number: number, firstKey: Key): RangeRef {
  const { bytes, view, facts, rangeRemotes, remotes } = layout;
  const fact = facts + number * FACT_BYTES;
  return {
    firstKey,
    id: sha256At(bytes, layout.ids + number * HASH_BYTES),
    content: sha256At(bytes, layout.contents + number * HASH_BYTES),
    object: sha256At(bytes, layout.objects + number * HASH_BYTES),
    objectBytes: view.getUint32(fact + Fact.objectBytes, true),
    logicalBytes: view.getUint32(fact + Fact.logicalBytes, true),
    totals: rangeTotalsAt(layout, number),
    remote: remotes[view.getUint32(rangeRemotes + number * 4, true)]!,
  };
}

/** All index segments, in order. */
export function segmentsOf({ bytes, view, segments, segmentCount, remotes }: RootLayout): SegmentRef[] {
  return Array.from({ length: segmentCount }, (_, number) => {
    const at = segments + number * SEGMENT_BYTES;
    return {
      remote: remotes[view.getUint32(at, true)]!,
      id: sha256At(bytes, at + 4),
      headerHash: sha256At(bytes, at + 36),
      headerBytes: view.getUint32(at + 68, true),
      sizeBytes: readU64(view, at + 72),
      chunkCount: view.getUint32(at + 80, true),
    };
  });
}

/** What of files of several chunks the ranges hold, by number; undefined where the root does not say. */
export function chunkListsAt({ bytes, view, lists }: RootLayout): Map<number, Sha256> | undefined {
  if (!lists) return undefined;
  return new Map(
    Array.from({ length: lists.count }, (_, i) => {
      const at = lists.start + i * LIST_BYTES;
      return [view.getUint32(at, true), sha256At(bytes, at + 4)];
    }),
  );
}

/** Gives the version. */
function checkMagic(bytes: Buffer): number {
  if (bytes.length < ROOT_HEADER_BYTES + 4 || bytes.toString("latin1", 0, 4) !== ROOT_MAGIC)
    throw damaged(ROOT_WHAT, "it is not one");
  const version = bytes.readUInt16LE(4);
  const levels = bytes.readUInt16LE(6);
  if (version > ROOT_VERSION) throw newerFormat(ROOT_WHAT, version, ROOT_VERSION);
  if (version === 0 || levels === 0) throw damaged(ROOT_WHAT, "its version cannot be");
  if (levels > ROOT_LEVELS) throw newerFormat(`${ROOT_WHAT} of ${levels} levels`, version, ROOT_VERSION);
  return version;
}
