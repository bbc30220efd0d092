/**
 * What one tree changed since another, to be laid over a third that changed since as well: a three-way merge. Where both
 * changed a path the later one's change counts, but that a change of nothing but metadata gives way to one of content,
 * and a folder stays as long as something of the earlier tree is to lie in it.
 */
import { type TreePath, ROOT, parentOf } from "../paths.js";
import { type Change, diffTrees } from "./diff.js";
import type { Edits } from "./edit-source.js";
import { type Edit, type Entry, EntryType, hardLinksOf } from "./entry.js";
import { comparePaths } from "./key.js";
import { mergeEdits } from "./merge.js";
import type { LoadRange } from "./range-ref.js";
import { TreeReader } from "./tree-reader.js";
import type { StoredTree } from "./tree-walk.js";

export interface Sides {
  /** What both come from. */
  base: StoredTree;
  earlier: StoredTree;
  later: StoredTree;
}

interface LaterChanges {
  /** Edits of the earlier tree, sorted. */
  removals: Edit[];
  /** Entries to be laid over it, with the directories above them, sorted: a tree by themselves. */
  puts: Entry[];
}

export interface MergeTools {
  load: LoadRange;
  /** A tree with edits laid over it, its ranges loaded by `load`; of an empty tree without one. */
  edited: (tree: StoredTree | undefined, edits: Edits) => Promise<StoredTree>;
}

/** The merged tree: where only one side changed a path, that change; where both did, the later one's. */
export async function mergeThreeWay(sides: Sides, { load, edited }: MergeTools): Promise<StoredTree> {
  const { removals, puts } = await laterChanges(sides, load);
  const left = await edited(sides.earlier, removals);
  return edited(left, mergeEdits(left, await edited(undefined, puts), load));
}

/** What makes the earlier tree the merged one. Loads the ranges that differ; memory: what both changed. */
async function laterChanges(sides: Sides, load: LoadRange): Promise<LaterChanges> {
  const { base, earlier, later } = sides;
  const mine = new Map<TreePath, Change>();
  for await (const change of diffTrees(base, earlier, load)) mine.set(change.path, change);
  const needed = directoriesAbove([...mine.values()].filter(({ kind }) => kind === "added"));
  const removals: Edit[] = [];
  const puts = new Puts(earlier, later, mine, load);
  for await (const change of diffTrees(base, later, load)) {
    if (change.kind !== "removed") puts.take(change);
    else if (!needed.has(change.path)) removals.push({ path: change.path, type: 0 });
  }
  return { removals, puts: await puts.whole() };
}

function directoriesAbove(changes: readonly Change[]): ReadonlySet<TreePath> {
  const directories = new Set<TreePath>();
  for (const { path } of changes)
    for (let at = path; at !== ROOT && !directories.has(parentOf(at)); at = parentOf(at))
      directories.add(parentOf(at));
  return directories;
}

class Puts {
  readonly #entries = new Map<TreePath, Entry>();
  readonly #earlier: TreeReader;
  readonly #later: TreeReader;

  constructor(
    earlier: StoredTree,
    later: StoredTree,
    private readonly mine: ReadonlyMap<TreePath, Change>,
    load: LoadRange,
  ) {
    this.#earlier = new TreeReader(earlier.root, load);
    this.#later = new TreeReader(later.root, load);
  }

  take(change: Exclude<Change, { kind: "removed" }>): void {
    const mine = this.mine.get(change.path)?.kind;
    const isOutdone = change.kind === "metadata" && (mine === "modified" || mine === "removed");
    if (!isOutdone) this.#entries.set(change.path, change.after);
  }

  async whole(): Promise<Entry[]> {
    const taken = [...this.#entries.values()];
    for (const entry of taken) await this.#addNames(entry);
    for (const path of [...this.#entries.keys()]) await this.#addAbove(path);
    return [...this.#entries.values()].sort((a, b) => comparePaths(a.path, b.path));
  }

  /** The other names of one file come along, unless the earlier tree did something else with them. */
  async #addNames(entry: Entry): Promise<void> {
    for (const path of hardLinksOf(entry) ?? [])
      if (!this.#entries.has(path) && !this.mine.has(path)) await this.#add(path, this.#later);
  }

  /** Directories above what is put are those of the earlier tree where it has them. */
  async #addAbove(path: TreePath): Promise<void> {
    for (let at = path; at !== ROOT && !this.#entries.has(parentOf(at)); at = parentOf(at)) {
      const place = await this.#earlier.find(parentOf(at));
      const isThere = place?.range.typeAt(place.index) === EntryType.directory;
      await this.#add(parentOf(at), isThere ? this.#earlier : this.#later);
    }
  }

  async #add(path: TreePath, tree: TreeReader): Promise<void> {
    const place = await tree.find(path);
    if (place) this.#entries.set(path, place.range.entryAt(place.index));
  }
}
