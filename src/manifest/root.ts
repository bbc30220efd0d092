/**
 * The root of a manifest: names the ranges of a tree and the index segments of its history. Read where its bytes lie.
 * All numbers little-endian; hashes are 32 bytes.
 *
 * | part | bytes | what |
 * |---|---|---|
 * | header | 136 | "VVRT", u16 version, u16 levels (1), u32 each: ranges, segments, remotes, heap; u64 each: entries, files, directories, symbolic links, links, content bytes; tree digest, content digest |
 * | lists | 4 | from version 2: u32 number of chunk lists |
 * | remotes | 16 each | identity; the first is the remote the root itself lies in |
 * | ids | 32 each | identity of each range; the tree digest is the SHA-256 of this part |
 * | contents | 32 each | content hash of each range; the content digest is the SHA-256 of this part |
 * | objects | 32 each | object hash of each range |
 * | facts | 28 each | of each range; see `Fact` |
 * | range remotes | 4 each | u32 number of the remote that holds each range
 * | segments | 84 each | u32 remote, id, header hash, u32 header bytes, u64 size, u32 chunks |
 * | chunk lists | 36 each | of ranges with files of several chunks, in order: u32 number of the range, hash of its chunk lists |
 * | heap | | first keys of the ranges, end to end |
 *
 * Version 1 has no chunk lists. It is still written where ranges of a parent that has none are taken over unread.
 */
import { EMPTY_SHA256, type RemoteId, type Sha256 } from "../content/chunk.js";
import type { SegmentRef } from "../content/segment.js";
import type { Key } from "./key.js";
import { sha256At } from "./range-layout.js";
import type { RangeRef } from "./range-ref.js";
import { AFTER_ALL_KEYS, type RangeTable, lastNotAbove } from "./range-table.js";
import { checkRoot } from "./root-check.js";
import {
  type RootLayout,
  chunkListsAt,
  rangeTotalsAt,
  refAt,
  rootLayoutOf,
  segmentsOf,
  totalsOf,
} from "./root-layout.js";
import type { Totals } from "./totals.js";

export { type LoadRange, type RangeRef, blockOfRange } from "./range-ref.js";
export { type RootParts, encodeRoot } from "./root-encode.js";

/**
 * Opens a root and keeps `bytes`. Costs time linear in their number: milliseconds for 10,000,000 entries.
 * @throws {DatasetError} `format-damaged`, `format-newer`
 */
export function openRoot(bytes: Uint8Array): Root {
  const layout = rootLayoutOf(bytes);
  const firstKeys = checkRoot(layout);
  return new Root(layout, firstKeys);
}

export class Root implements RangeTable {
  readonly rangeCount: number;
  readonly totals: Totals;
  readonly treeDigest: Sha256;
  readonly contentDigest: Sha256;
  /** The remote the root lies in. */
  readonly remote: RemoteId;
  readonly segments: readonly SegmentRef[];

  /** Whether it says which chunks its files consist of, as roots of format 1 do not. */
  readonly saysChunks: boolean;

  /** Ordinal of each range's first entry, then the number of all entries. */
  private readonly ordinals: Float64Array;
  /** By number, of the ranges that have any. */
  private readonly chunkLists: ReadonlyMap<number, Sha256> | undefined;
  /** References made so far: a mount asks for the same ones again and again. */
  private readonly refs: (RangeRef | undefined)[] = [];

  /** @param layout Checked, as are `firstKeys`: see `openRoot`. */
  constructor(
    private readonly layout: RootLayout,
    private readonly firstKeys: readonly Key[],
  ) {
    this.rangeCount = layout.rangeCount;
    this.totals = totalsOf(layout);
    this.treeDigest = sha256At(layout.bytes, layout.treeDigest);
    this.contentDigest = sha256At(layout.bytes, layout.contentDigest);
    this.remote = layout.remotes[0]!;
    this.segments = segmentsOf(layout);
    this.ordinals = ordinalsOf(layout);
    this.chunkLists = chunkListsAt(layout);
    this.saysChunks = this.chunkLists !== undefined;
  }

  rangeAt(number: number): RangeRef {
    return (this.refs[number] ??= this.refAt(number));
  }

  firstKeyAt(number: number): string {
    return this.firstKeys[number] ?? AFTER_ALL_KEYS;
  }

  rangeOfKey(key: string): number {
    return lastNotAbove(this.rangeCount, (number) => this.firstKeys[number]! <= key);
  }

  /** The ordinal of a range's first entry; of the number after the last range, the number of all entries. */
  ordinalAt(number: number): number {
    return this.ordinals[number]!;
  }

  /** The range that holds an ordinal; -1 for a negative one, the last range for one beyond the end. */
  rangeOfOrdinal(ordinal: number): number {
    return lastNotAbove(this.rangeCount, (number) => this.ordinals[number]! <= ordinal);
  }

  /** Whether two ranges have the same identity. */
  sameRange(number: number, other: Root, otherNumber: number): boolean {
    const [mine, theirs] = [this.layout.ids + number * 32, other.layout.ids + otherNumber * 32];
    return this.layout.bytes.compare(other.layout.bytes, theirs, theirs + 32, mine, mine + 32) === 0;
  }

  private refAt(number: number): RangeRef {
    const ref = refAt(this.layout, number, this.firstKeys[number]!);
    if (!this.chunkLists) return ref;
    return { ...ref, chunkLists: this.chunkLists.get(number) ?? EMPTY_SHA256 };
  }
}

function ordinalsOf(layout: RootLayout): Float64Array {
  const ordinals = new Float64Array(layout.rangeCount + 1);
  for (let i = 0; i < layout.rangeCount; i++)
    ordinals[i + 1] = ordinals[i]! + rangeTotalsAt(layout, i).entries;
  return ordinals;
}
