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
import { EndedDirectories } from "./ended-directories.js";
import { type Edit, type Entry, EntryType, hardLinksOf } from "./entry.js";
import { comparePaths, keyOf } from "./key.js";
import type { LoadRange } from "./range-ref.js";
import type { Range } from "./range-view.js";
import { encodeRoot, openRoot } from "./root.js";
import { SortedQueue } from "./sorted-queue.js";
import { TreeReader } from "./tree-reader.js";
import { type StoredTree, TreeWalk } from "./tree-walk.js";

/**
 * The edits that lay `other` over `base`, sorted, for `editTree` of `base`. Ranges of `other` that `base` has too are
 * skipped unread; of `base` only those are loaded that the rest of `other` falls into.
 */
export async function* mergeEdits(
  base: StoredTree,
  other: StoredTree,
  load: LoadRange,
): AsyncGenerator<Edit> {
  const walk = new TreeWalk(other.root, load);
  const ended = new EndedDirectories(base, load);
  const overlay = new Overlay(base, load, ended);
  while (!walk.atEnd) {
    if (ended.startBefore(walk.key)) yield* ended.removalsBefore(walk.key);
    if (overlay.hasRange(walk)) {
      walk.skipRange();
      continue;
    }
    if (!walk.range) await walk.open();
    const found = overlay.find(walk);
    const entry = overlay.entryFor(walk, found instanceof Promise ? await found : found);
    walk.step();
    if (entry) yield entry;
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

/** Entry by entry, what of the later tree the base lacks. */
class Overlay {
  readonly #below: TreeReader;
  /** Keys of entries to be put, equal to the base's or not. */
  readonly #owed = new SortedQueue();

  constructor(
    private readonly base: StoredTree,
    load: LoadRange,
    private readonly ended: EndedDirectories,
  ) {
    this.#below = new TreeReader(base.root, load);
  }

  /** Whether the walk stands at the start of a range that the base has as well and nothing in it is owed. */
  hasRange({ root, number, index, key }: TreeWalk): boolean {
    const { root: base } = this.base;
    if (index > 0) return false;
    const twin = base.rangeOfKey(key);
    if (twin < 0 || base.firstKeyAt(twin) !== key || !base.sameRange(twin, root, number)) return false;
    return this.#owed.least === undefined || this.#owed.least >= root.firstKeyAt(number + 1);
  }

  /** The range of the base that the entry at the walk's position falls into; a promise when it must be loaded. */
  find({ key }: TreeWalk): Range | undefined | Promise<Range> {
    return this.#below.rangeFor(key);
  }

  /** The entry at the walk's position, unless the base has the same. */
  entryFor({ range, index, key }: TreeWalk, below: Range | undefined): Entry | undefined {
    const found = below ? below.indexOf(range!.parentAt(index), range!.nameAt(index)) : -1;
    const isOwed = this.#takeOwed(key);
    if (found >= 0 && !isOwed && range!.sameLogical(index, below!, found)) return undefined;
    const entry = range!.entryAt(index);
    for (const member of othersOfGroup(entry)) this.#owed.add(keyOf(member));
    const wasDirectory = found >= 0 && below!.typeAt(found) === EntryType.directory;
    if (wasDirectory && entry.type !== EntryType.directory) this.ended.add(entry.path);
    return entry;
  }

  /** Takes out what is owed up to `key`; gives whether `key` itself was. */
  #takeOwed(key: string): boolean {
    let last: string | undefined;
    while (this.#owed.least !== undefined && this.#owed.least <= key) last = this.#owed.take();
    return last === key;
  }
}

/**
 * The other members of a hard-link group, on its first member. Where that one differs from the base's, all are put
 * again: an entry that no edit names stays linked with what it was linked with in the base.
 */
function othersOfGroup(entry: Entry): readonly TreePath[] {
  const hardLinks = hardLinksOf(entry) ?? [];
  return hardLinks.length > 0 && comparePaths(entry.path, hardLinks[0]!) < 0 ? hardLinks : [];
}
