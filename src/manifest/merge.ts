/**
 * Lays one tree over another: of every path that both have, the later one's entry counts. A file over a directory ends
 * what lay below it; a directory over a file takes its place. Paths of the later tree are hard links of each other as
 * they are there, whatever they were linked with before.
 *
 * Laying three trees over each other gives the same however they are grouped, unless a path is a directory in one of
 * them and something else in another; so parents are merged in their order, from the first.
 */
import type { TreePath } from "../paths.js";
import { type EditOptions, type EditedTree, editTree } from "./edit.js";
import { type Edit, type Entry, EntryType } from "./entry.js";
import { comparePaths, keyOf, pathOfKey } from "./key.js";
import type { LoadRange } from "./range-ref.js";
import { encodeRoot, openRoot } from "./root.js";
import { SortedQueue } from "./sorted-queue.js";
import { TreeReader } from "./tree-reader.js";
import { type StoredTree, TreeWalk } from "./tree-walk.js";

/**
 * The edits that lay `other` over `base`, sorted, for `editTree` of `base`. Ranges of `other` that `base` has too are
 * skipped unread; of `base` only those are loaded that the rest of `other` falls into.
 */
export async function* mergeEdits(base: StoredTree, other: StoredTree, load: LoadRange): AsyncGenerator<Edit> {
  const walk = new TreeWalk(other.root, load);
  const below = new TreeReader(base.root, load);
  const ended = new EndedDirectories(base, load);
  const owed = new SortedQueue();
  for (; !walk.atEnd; ) {
    if (ended.startBefore(walk.key)) yield* ended.removalsBefore(walk.key);
    if (baseHasRange(base, walk) && !isOwed(owed, walk.root.firstKeyAt(walk.number + 1))) {
      walk.skipRange();
      continue;
    }
    const { range = await walk.open(), index, key } = walk;
    const awaited = below.rangeFor(key);
    const baseRange = awaited instanceof Promise ? await awaited : awaited;
    const baseIndex = baseRange ? baseRange.indexOf(range.parentAt(index), range.nameAt(index)) : -1;
    const mustName = takeOwed(owed, key);
    walk.step();
    if (baseIndex >= 0 && !mustName && range.sameLogical(index, baseRange!, baseIndex)) continue;
    const entry = range.entryAt(index);
    for (const member of othersOfGroup(entry)) owed.add(keyOf(member));
    const wasDirectory = baseIndex >= 0 && baseRange!.typeAt(baseIndex) === EntryType.directory;
    if (wasDirectory && entry.type !== EntryType.directory) ended.add(entry.path);
    yield entry;
  }
  yield* ended.removalsBefore(undefined);
}

/**
 * Merges trees in order, each laid over what is there by then. No trees give an empty one.
 * @param options.load Is also asked for ranges that `put` was given: what two trees make is the base of the third.
 */
export async function mergeTrees(trees: readonly StoredTree[], options: EditOptions): Promise<EditedTree> {
  const [first, ...others] = trees;
  let merged = await editTree(first, [], options);
  for (const other of others) {
    const base = { root: openRoot(encodeRoot({ ...merged, segments: [], remote: options.remote })) };
    const next = await editTree(base, mergeEdits(base, other, options.load), options);
    const putRanges = merged.putRanges + next.putRanges;
    merged = { ...next, putRanges, putBytes: merged.putBytes + next.putBytes };
  }
  return merged;
}

/** Whether the walk stands at the start of a range that the base has as well. */
function baseHasRange({ root }: StoredTree, walk: TreeWalk): boolean {
  if (walk.index > 0) return false;
  const number = root.rangeOfKey(walk.key);
  return number >= 0 && root.firstKeyAt(number) === walk.key && root.sameRange(number, walk.root, walk.number);
}

/**
 * The other members of a hard-link group, on its first member. Where that one differs from the base's, all are put
 * again, equal or not: an entry that no edit names stays linked with what it was linked with in the base.
 */
function othersOfGroup(entry: Entry): readonly TreePath[] {
  if (entry.type !== EntryType.file || !entry.hardLinks) return [];
  return comparePaths(entry.path, entry.hardLinks[0]!) < 0 ? entry.hardLinks : [];
}

function isOwed(owed: SortedQueue, before: string): boolean {
  return owed.least !== undefined && owed.least < before;
}

/** Takes out what is owed up to `key`; gives whether `key` itself was. */
function takeOwed(owed: SortedQueue, key: string): boolean {
  let last: string | undefined;
  while (owed.least !== undefined && owed.least <= key) last = owed.take();
  return last === key;
}

/** Directories of the base that a file took the place of. What lay below them goes, in its place in the order. */
class EndedDirectories {
  /** Where runs of keys start that end: a directory's children, and all below these. */
  readonly #starts = new SortedQueue();
  readonly #reader: TreeReader;

  constructor({ root }: StoredTree, load: LoadRange) {
    this.#reader = new TreeReader(root, load);
  }

  add(directory: TreePath): void {
    this.#starts.add(`${directory}\0`);
    this.#starts.add(`${directory}/`);
  }

  /** Whether something of the base goes before `key`. */
  startBefore(key: string | undefined): boolean {
    const { least } = this.#starts;
    return least !== undefined && (key === undefined || least < key);
  }

  /** Removals of all that goes before `key`; of all, without one. */
  async *removalsBefore(key: string | undefined): AsyncGenerator<Edit> {
    while (this.startBefore(key)) yield* this.#removals(this.#starts.take()!);
  }

  async *#removals(start: string): AsyncGenerator<Edit> {
    const { table } = this.#reader;
    const end = endOfRun(start);
    const parent = start.endsWith("\0") ? start.slice(0, -1) : start;
    for (let number = table.rangeOfKey(start); number < table.rangeCount; number++) {
      if (table.firstKeyAt(number) >= end) return;
      const range = await this.#reader.range(number);
      for (let index = range.lowerBound(parent as TreePath, ""); index < range.count; index++) {
        const key = range.keyAt(index);
        if (key >= end) return;
        yield { path: pathOfKey(key), type: 0 };
      }
    }
  }
}

/** The string after all that start with `start`: its last byte plus one. */
function endOfRun(start: string): string {
  return start.slice(0, -1) + String.fromCharCode(start.charCodeAt(start.length - 1) + 1);
}
