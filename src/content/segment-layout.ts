/**
 * How an index segment is laid out. All numbers are little endian.
 *
 *     header        "varveseg", version u32, chunk count u32, pack count u32
 *                   the first 8 bytes of the first hash of each entry page
 *                   the SHA-256 of each page: fingerprints, then entries, then packs
 *     fingerprints  pages of 3 bytes an entry: the last of its hash
 *     entries       pages of 51 bytes an entry, sorted by hash: hash, pack number u32, offset u48, stored bytes u32,
 *                   size u32, codec u8
 *     packs         pages of 48 bytes a pack: its id, its remote's id
 *
 * A page is read only when a look-up needs it, and is checked by its hash. A small segment is read whole: then its
 * header block covers all of it.
 */
import { KiB } from "../units.js";

export const MAGIC = "varveseg";
export const FORMAT_VERSION = 1;
export const FIXED_BYTES = 20;
export const PREFIX_BYTES = 8;
export const HASH_BYTES = 32;

export const FINGERPRINT_BYTES = 3;
export const ENTRY_BYTES = 51;
export const PACK_BYTES = 48;

/** 51 KiB: what a hit costs. In a segment of 10,000,000 the header has 400 KB, and one look-up in 16,000 reads in vain. */
export const ENTRIES_IN_PAGE = 1024;
/** A whole number of entry pages, in 63 KiB. */
export const ENTRY_PAGES_IN_FINGERPRINT_PAGE = 21;
export const PACKS_IN_PAGE = 1024;

/** Up to this size one request for all costs less than several for parts. */
const READ_WHOLE_BYTES = 64 * KiB;

/** Pages of one kind, back to back. */
export interface Section {
  /** Where the first page starts in the segment. */
  start: number;
  end: number;
  pageBytes: number;
  pageCount: number;
  /** Where the pages' hashes start in the header. */
  hashesAt: number;
}

export interface SegmentLayout {
  chunkCount: number;
  packCount: number;
  fingerprints: Section;
  entries: Section;
  packs: Section;
  headerBytes: number;
  sizeBytes: number;
}

/** The layout of a segment of so many chunks in so many packs. */
export function layoutOf(chunkCount: number, packCount: number): SegmentLayout {
  const fingerprintsInPage = ENTRY_PAGES_IN_FINGERPRINT_PAGE * ENTRIES_IN_PAGE;
  const pageCounts = [
    Math.ceil(chunkCount / fingerprintsInPage),
    Math.ceil(chunkCount / ENTRIES_IN_PAGE),
    Math.ceil(packCount / PACKS_IN_PAGE),
  ] as const;
  const hashesAt = FIXED_BYTES + pageCounts[1] * PREFIX_BYTES;
  const pagesAt = hashesAt + (pageCounts[0] + pageCounts[1] + pageCounts[2]) * HASH_BYTES;

  const place = { start: pagesAt, hashesAt };
  const fingerprints = section(place, chunkCount, FINGERPRINT_BYTES, fingerprintsInPage);
  const entries = section(after(fingerprints), chunkCount, ENTRY_BYTES, ENTRIES_IN_PAGE);
  const packs = section(after(entries), packCount, PACK_BYTES, PACKS_IN_PAGE);
  const headerBytes = packs.end <= READ_WHOLE_BYTES ? packs.end : pagesAt;
  return { chunkCount, packCount, fingerprints, entries, packs, headerBytes, sizeBytes: packs.end };
}

/** Where a page lies in the segment, as `[start, end)`. */
export function pageRange({ start, end, pageBytes }: Section, page: number): [start: number, end: number] {
  const from = start + page * pageBytes;
  return [from, Math.min(end, from + pageBytes)];
}

type Place = Pick<Section, "start" | "hashesAt">;

function section({ start, hashesAt }: Place, count: number, rowBytes: number, rowsInPage: number): Section {
  const pageCount = Math.ceil(count / rowsInPage);
  return { start, end: start + count * rowBytes, pageBytes: rowsInPage * rowBytes, pageCount, hashesAt };
}

function after({ end, hashesAt, pageCount }: Section): Place {
  return { start: end, hashesAt: hashesAt + pageCount * HASH_BYTES };
}
