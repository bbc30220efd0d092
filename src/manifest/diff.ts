/** What differs between two trees, entry by entry. Ranges that both have are skipped unread. */
import type { TreePath } from "../paths.js";
import type { Entry } from "./entry.js";
import { compareKeys, type Key, pathOfKey } from "./key.js";
import type { LoadRange } from "./range-ref.js";
import { type StoredTree, TreeWalk } from "./tree-walk.js";

export { type TreeDiff, findRenames } from "./renames.js";

/**
 * One path that differs. `modified` where the content digest sees it: type, size, hash, target, executable bits, source
 * of a link; `metadata` for the rest: mode, times, owner, extended attributes, hard links, holes.
 */
export type Change =
  | { kind: "added"; path: TreePath; after: Entry }
  | { kind: "removed"; path: TreePath; before: Entry }
  | { kind: "modified" | "metadata"; path: TreePath; before: Entry; after: Entry };

/** The changes that lead from `a` to `b`, in the order of keys. Loads ranges that only one of them has. */
export async function* diffTrees(a: StoredTree, b: StoredTree, load: LoadRange): AsyncGenerator<Change> {
  const before = new TreeWalk(a.root, load);
  const after = new TreeWalk(b.root, load);
  while (!before.atEnd || !after.atEnd) {
    if (before.startsLike(after)) {
      before.skipRange();
      after.skipRange();
      continue;
    }
    const order = compareKeys(before.key, after.key);
    const path = pathOfKey((order <= 0 ? before.key : after.key) as Key);
    if (order <= 0 && !before.range) await before.open();
    if (order >= 0 && !after.range) await after.open();
    const change =
      order < 0 ? removedAt(before, path) : order > 0 ? addedAt(after, path) : changeAt(before, after, path);
    if (order <= 0) before.step();
    if (order >= 0) after.step();
    if (change) yield change;
  }
}

function removedAt(walk: TreeWalk, path: TreePath): Change {
  return { kind: "removed", path, before: walk.range!.entryAt(walk.index) };
}

function addedAt(walk: TreeWalk, path: TreePath): Change {
  return { kind: "added", path, after: walk.range!.entryAt(walk.index) };
}

function changeAt(before: TreeWalk, after: TreeWalk, path: TreePath): Change | undefined {
  const [mine, theirs] = [before.range!, after.range!];
  if (mine.sameLogical(before.index, theirs, after.index)) return undefined;
  const kind = mine.sameContent(before.index, theirs, after.index) ? "metadata" : "modified";
  return { kind, path, before: mine.entryAt(before.index), after: theirs.entryAt(after.index) };
}
