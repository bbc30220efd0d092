/**
 * Look-ups in index segments, in place: pages are asked of the local blocks, and those that are not there are named by
 * throwing `Missing`. A look-up reads the header and one page of fingerprints; a hit also its page of entries and of
 * packs. A segment of up to 64 KiB is one block.
 */
import { type Block, type LocalBlocks, Missing } from "../cache/block.js";
import { type Chunk, Codec, type Sha256 } from "./chunk.js";
import {
  ENTRIES_IN_PAGE,
  ENTRY_BYTES,
  ENTRY_PAGES_IN_FINGERPRINT_PAGE,
  FINGERPRINT_BYTES,
  FIXED_BYTES,
  HASH_BYTES,
  PACKS_IN_PAGE,
  PACK_BYTES,
  PREFIX_BYTES,
  type Section,
  type SegmentLayout,
  pageRange,
} from "./segment-layout.js";
import {
  type PackPlace,
  chunkOfRow,
  damagedSegment,
  packNumberIn,
  packOfRow,
  parseHeader,
} from "./segment-object.js";
import { type SegmentRef, segmentKey } from "./segment.js";

/**
 * The chunks of some hashes, where any of the segments has them. What all segments miss is asked for together, so that
 * a cold look-up costs four rounds of requests, however many segments there are.
 *
 * @throws {Missing} the pages to fetch
 */
export function findChunks(
  segments: readonly SegmentRef[],
  blocks: LocalBlocks,
  hashes: readonly Sha256[],
): Map<Sha256, Chunk> {
  const missing: Block[] = [];
  const found = new Map<Sha256, Chunk>();
  for (const segment of segments)
    try {
      for (const [hash, chunk] of new SegmentReader(segment, blocks).lookupMany(hashes))
        found.set(hash, chunk);
    } catch (thrown) {
      if (!(thrown instanceof Missing)) throw thrown;
      missing.push(...thrown.blocks);
    }
  if (missing.length > 0) throw new Missing(missing);
  return found;
}

/** A hash that is looked up, and where in the segment it may stand. */
interface Candidate {
  hash: Sha256;
  bytes: Buffer;
  entryPage: number;
}

/** One segment. Making a reader costs nothing. */
export class SegmentReader {
  constructor(
    readonly segment: SegmentRef,
    readonly blocks: LocalBlocks,
  ) {}

  /** The chunk of one hash, if it is here. @throws {Missing} the pages to fetch */
  lookup(hash: Sha256): Chunk | undefined {
    return this.lookupMany([hash]).get(hash);
  }

  /**
   * The chunks of those hashes that are here. All pages needed are in memory at once: ask for a few thousand at most.
   * @throws {Missing} the pages to fetch
   */
  lookupMany(hashes: readonly Sha256[]): Map<Sha256, Chunk> {
    const pages = new Pages(this.segment, this.blocks);
    const { layout } = pages;
    const candidates = byFingerprint(
      pages,
      hashes.flatMap((hash) => candidatesFor(pages, hash)),
    );
    const entries = pages.require(
      layout.entries,
      candidates.map(({ entryPage }) => entryPage),
    );
    const rows = candidates.flatMap(({ hash, bytes, entryPage }) => {
      const row = findRow(entries.get(entryPage)!, bytes);
      return row ? [{ hash, row, pack: packNumberIn(row, layout) }] : [];
    });
    const packs = pages.require(
      layout.packs,
      rows.map(({ pack }) => packPageOf(pack)),
    );
    return new Map(rows.map(({ hash, row, pack }) => [hash, chunkOfRow(row, placeIn(packs, pack))]));
  }

  /** Every pack it names. @throws {Missing} the pages to fetch */
  packs(): PackPlace[] {
    const pages = new Pages(this.segment, this.blocks);
    const { packs, packCount } = pages.layout;
    const numbers = Array.from({ length: packs.pageCount }, (_, page) => page);
    const found = pages.require(packs, numbers);
    return Array.from({ length: packCount }, (_, pack) => placeIn(found, pack));
  }
}

/** The pages of a segment that are on this machine. */
class Pages {
  readonly header: Buffer;
  readonly layout: SegmentLayout;

  constructor(
    readonly segment: SegmentRef,
    readonly blocks: LocalBlocks,
  ) {
    const { headerHash, headerBytes, sizeBytes, chunkCount } = segment;
    const header = blocks.get(headerHash);
    if (!header) throw new Missing([this.#block(headerHash, 0, headerBytes)]);
    this.header = bufferOver(header);
    this.layout = parseHeader(this.header);
    if (this.layout.sizeBytes !== sizeBytes || this.layout.headerBytes !== headerBytes)
      throw damagedSegment("its size is not what its root says");
    if (this.layout.chunkCount !== chunkCount) throw damagedSegment("its count is not what its root says");
  }

  /** Pages of a section by number. @throws {Missing} all that are not here */
  require(section: Section, numbers: readonly number[]): Map<number, Buffer> {
    const pages = new Map<number, Buffer>();
    const missing: Block[] = [];
    for (const number of new Set(numbers)) {
      const page = this.#page(section, number);
      if (page instanceof Uint8Array) pages.set(number, page);
      else missing.push(page);
    }
    if (missing.length > 0) throw new Missing(missing);
    return pages;
  }

  #page(section: Section, number: number): Buffer | Block {
    const [start, end] = pageRange(section, number);
    if (end <= this.header.length) return this.header.subarray(start, end);
    const hashAt = section.hashesAt + number * HASH_BYTES;
    const hash = this.header.toString("hex", hashAt, hashAt + HASH_BYTES) as Sha256;
    const page = this.blocks.get(hash);
    return page ? bufferOver(page) : this.#block(hash, start, end);
  }

  #block(hash: Sha256, start: number, end: number): Block {
    const { remote, id } = this.segment;
    const sizeBytes = end - start;
    return {
      hash,
      sizeBytes,
      remote,
      key: segmentKey(id),
      offset: start,
      storedBytes: sizeBytes,
      codec: Codec.raw,
    };
  }
}

/** The pages of entries that may hold a hash: one, or two when it begins like the first hash of a page. */
function candidatesFor({ header, layout }: Pages, hash: Sha256): Candidate[] {
  const bytes = Buffer.from(hash, "hex");
  const prefix = bytes.readBigUInt64BE();
  const firstOf = (page: number) => header.readBigUInt64BE(FIXED_BYTES + page * PREFIX_BYTES);
  const { pageCount } = layout.entries;
  const candidates: Candidate[] = [];
  const from = Math.max(0, lowerBound(pageCount, (page) => firstOf(page) >= prefix) - 1);
  for (let entryPage = from; entryPage < pageCount && firstOf(entryPage) <= prefix; entryPage++)
    candidates.push({ hash, bytes, entryPage });
  return candidates;
}

/** The candidates whose last bytes stand among the fingerprints of their page. */
function byFingerprint(pages: Pages, candidates: readonly Candidate[]): Candidate[] {
  const pageOf = ({ entryPage }: Candidate) => Math.floor(entryPage / ENTRY_PAGES_IN_FINGERPRINT_PAGE);
  const fingerprints = pages.require(pages.layout.fingerprints, candidates.map(pageOf));
  return candidates.filter((candidate) => {
    const start =
      (candidate.entryPage % ENTRY_PAGES_IN_FINGERPRINT_PAGE) * ENTRIES_IN_PAGE * FINGERPRINT_BYTES;
    const page = fingerprints.get(pageOf(candidate))!;
    return hasFingerprint(page.subarray(start, start + ENTRIES_IN_PAGE * FINGERPRINT_BYTES), candidate.bytes);
  });
}

function hasFingerprint(fingerprints: Buffer, hash: Buffer): boolean {
  const wanted = hash.subarray(HASH_BYTES - FINGERPRINT_BYTES);
  for (let at = fingerprints.indexOf(wanted); at >= 0; at = fingerprints.indexOf(wanted, at + 1))
    if (at % FINGERPRINT_BYTES === 0) return true;
  return false;
}

function findRow(page: Buffer, hash: Buffer): Buffer | undefined {
  const order = (row: number) =>
    page.compare(hash, 0, HASH_BYTES, row * ENTRY_BYTES, row * ENTRY_BYTES + HASH_BYTES);
  const count = page.length / ENTRY_BYTES;
  const row = lowerBound(count, (at) => order(at) >= 0);
  if (row === count || order(row) !== 0) return undefined;
  return page.subarray(row * ENTRY_BYTES, (row + 1) * ENTRY_BYTES);
}

function packPageOf(pack: number): number {
  return Math.floor(pack / PACKS_IN_PAGE);
}

function placeIn(pages: ReadonlyMap<number, Buffer>, pack: number) {
  const start = (pack % PACKS_IN_PAGE) * PACK_BYTES;
  return packOfRow(pages.get(packPageOf(pack))!.subarray(start, start + PACK_BYTES));
}

/** The first of `count` positions from which `isReached` holds. */
function lowerBound(count: number, isReached: (at: number) => boolean): number {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isReached(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

function bufferOver(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
