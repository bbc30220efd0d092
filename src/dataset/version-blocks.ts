/** The blocks that a version, or some paths of it, consists of: its ranges, and the content in them in tree order. */
import { LRUCache } from "lru-cache";

import type { Block } from "../cache/block.js";
import type { Whole } from "../cache/whole.js";
import type { Sha256 } from "../content/chunk.js";
import { DatasetError } from "../errors.js";
import { type Content, blocksOf, linkedContent, packedContent } from "../fs/content.js";
import { isBackable } from "../fs/content-memory.js";
import { EntryType, type LinkEntry } from "../manifest/entry.js";
import type { Range } from "../manifest/range.js";
import { blockOfRange } from "../manifest/range-ref.js";
import type { Tree } from "../manifest/tree.js";
import { type TreePath, textOf } from "../paths.js";

/** Runs what may throw `Missing`; gives undefined for what is not to be had. */
export type Complete = <T>(operation: () => T) => Promise<T | undefined>;

/** Entries `[start, end)` of one range. */
export interface Slice {
  block: Block;
  range: Range;
  start: number;
  end: number;
}

const HOLDS_CONTENT = new Set<EntryType>([EntryType.file, EntryType.link]);
/** Hashes remembered so that content which occurs again and again counts once: 30 MB of memory. */
const KNOWN_HASHES = 262_144;

/**
 * The entries at and below paths, the empty path being all. Costs the ranges they lie in; one that cannot be had is
 * left out.
 *
 * @throws {DatasetError} `path-missing`
 */
export async function* slicesOf(
  tree: Tree,
  paths: readonly TreePath[],
  complete: Complete,
): AsyncGenerator<Slice> {
  if (paths.some((path) => path === "")) {
    yield* slicesBetween(tree, 0, tree.entryCount, complete);
    return;
  }
  for (const path of paths) {
    const ordinal = await complete(() => tree.find(path) ?? -1);
    if (ordinal === -1) throw noSuchPath(path);
    if (ordinal !== undefined) yield* slicesBelow(tree, ordinal, complete);
  }
}

/** The blocks of each file and external file of a slice, in order; those of a large file with their places, where it is kept whole. */
export function* filesIn(
  { range, start, end }: Slice,
  keepsWhole: (whole: Whole) => boolean,
): Generator<Block[]> {
  for (let index = start; index < end; index++)
    if (HOLDS_CONTENT.has(range.typeAt(index)) && range.sizeAt(index) > 0)
      yield blocksOf(contentOf(range, index, keepsWhole));
}

/** Tells which blocks come for the first time, as far as it remembers. */
export function firstTime(): (block: Block) => boolean {
  const known = new LRUCache<Sha256, true>({ max: KNOWN_HASHES });
  return ({ hash }) => {
    const isNew = !known.has(hash);
    if (isNew) known.set(hash, true);
    return isNew;
  };
}

async function* slicesBelow(tree: Tree, first: number, complete: Complete): AsyncGenerator<Slice> {
  const runs = [{ start: first, end: first + 1 }];
  for (let run = runs.pop(); run; run = runs.pop()) {
    for await (const slice of slicesBetween(tree, run.start, run.end, complete)) {
      yield slice;
      for (const path of directoriesIn(slice)) {
        const children = await complete(() => tree.children(path));
        if (children && children.end > children.start) runs.push(children);
      }
    }
  }
}

async function* slicesBetween(
  tree: Tree,
  start: number,
  end: number,
  complete: Complete,
): AsyncGenerator<Slice> {
  const { root } = tree;
  for (let number = root.rangeOfOrdinal(start); root.ordinalAt(number) < end; number++) {
    const ordinal = root.ordinalAt(number);
    const place = await complete(() => tree.place(ordinal));
    const from = Math.max(0, start - ordinal);
    const to = Math.min(root.ordinalAt(number + 1), end) - ordinal;
    if (place) yield { block: blockOfRange(root.rangeAt(number)), range: place.range, start: from, end: to };
  }
}

function directoriesIn({ range, start, end }: Slice): TreePath[] {
  const indexes = Array.from({ length: end - start }, (_, at) => start + at);
  return indexes
    .filter((index) => range.typeAt(index) === EntryType.directory)
    .map((index) => range.pathAt(index));
}

function contentOf(range: Range, index: number, keepsWhole: (whole: Whole) => boolean): Content {
  if (range.typeAt(index) === EntryType.link) return linkedContent(range.entryAt(index) as LinkEntry);
  const chunks = range.chunksAt(index);
  const content = packedContent(chunks, isBackable(range, index));
  return content.whole && !keepsWhole(content.whole) ? packedContent(chunks, false) : content;
}

function noSuchPath(path: TreePath): DatasetError<"path-missing"> {
  const shown = textOf(path);
  const message = `Cannot find "${shown}": the version has no such path`;
  return new DatasetError("path-missing", { path: shown }, message);
}
