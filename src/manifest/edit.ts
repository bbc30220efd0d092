/**
 * Lays sorted edits over a tree and gives the tree that results, which is the same whatever way led to it: the same
 * ranges, digests and logical blocks as when it is built anew from its entries. Pure but for `load` and `put`.
 */
import type { Chunk, RemoteId, Sha256 } from "../content/chunk.js";
import { LinkLedger } from "./edit-links.js";
import { ParentGuard } from "./edit-parents.js";
import { runPass } from "./edit-pass.js";
import { EditSource, type Edits } from "./edit-source.js";
import { NewRanges } from "./new-ranges.js";
import type { EncodedRange, Range } from "./range.js";
import type { LoadRange, RangeRef } from "./range-ref.js";
import { type RangeTable, tableOf } from "./range-table.js";
import { type Summary, summarize } from "./root-encode.js";
import { TreeBuilder } from "./tree-builder.js";
import { TreeReader } from "./tree-reader.js";

/** Tells of a range that is to be made anew where chunks of it lie from now on; of those it does not name, where they did. */
export type Relocate = (range: Range) => Promise<ReadonlyMap<Sha256, Chunk>>;

export interface EditOptions {
  /** Gives a range of the base. Also asked, now and then, for one that `put` was given before. */
  load: LoadRange;
  /** Stores a new range. Up to eight are on their way at a time, and memory holds no more than 32 MiB of others. */
  put: (range: EncodedRange) => Promise<void>;
  /** The remote that new ranges are for. */
  remote: RemoteId;
  /** Default: every chunk of the base stays where it lies. */
  relocate?: Relocate | undefined;
}

/** A tree as `encodeRoot` takes it, and what it cost. */
export interface EditedTree extends Summary {
  ranges: RangeRef[];
  putRanges: number;
  putBytes: number;
}

/**
 * Applies `edits`, which come sorted by key and one for each path. Loads and writes only ranges that an edit touches
 * (and those up to the next common cut); removing what is not there and putting what is there already change nothing.
 * A put that says what the base says keeps the base's chunks. Hard-link groups are kept canonical (`edit-links.ts`).
 *
 * @param base The tree before, or undefined for an empty one.
 * @throws {DatasetError} `bad-input` when edits are out of order, or leave an entry without a directory above it
 */
export async function editTree(
  base: { root: RangeTable } | undefined,
  edits: Edits,
  { load, put, remote, relocate = staying }: EditOptions,
): Promise<EditedTree> {
  const made = new NewRanges(put, load);
  const before = new TreeReader(base?.root ?? tableOf([]), made.load);
  const links = new LinkLedger();
  let ranges = await applyEdits(before, edits, made, { remote, relocate }, links);
  const after = new TreeReader(tableOf(ranges), made.load);
  const corrections = await links.corrections(before, after);
  if (corrections.length > 0)
    ranges = await applyEdits(after, corrections, made, { remote, relocate: staying }, new LinkLedger());
  await made.finish(ranges);
  return { ranges, ...summarize(ranges), putRanges: made.putRanges, putBytes: made.putBytes };
}

async function applyEdits(
  base: TreeReader,
  edits: Edits,
  made: NewRanges,
  { remote, relocate }: { remote: RemoteId; relocate: Relocate },
  links: LinkLedger,
): Promise<RangeRef[]> {
  const builder = new TreeBuilder(made, remote);
  const source = await EditSource.open(edits);
  try {
    await runPass({ base, edits: source, builder, guard: new ParentGuard(base), links, relocate });
  } finally {
    if (source.next) await source.close();
  }
  return builder.ranges;
}

const staying: Relocate = async () => new Map();
