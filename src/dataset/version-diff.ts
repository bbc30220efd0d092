/**
 * A diff as people mean it: files and links, and folders only where they say something of their own. That a folder
 * came, went or has a new time because something in it did is part of the version, and not worth a line.
 */
import { type Change, type TreeDiff, diffTrees, findRenames } from "../manifest/diff.js";
import { type Entry, EntryType } from "../manifest/entry.js";
import { sameLogicalEntry } from "../manifest/entry-compare.js";
import type { LoadRange } from "../manifest/range-ref.js";
import type { StoredTree } from "../manifest/tree-walk.js";
import { type TreePath, parentOf } from "../paths.js";

/** What leads from one tree to another. Costs the ranges that differ. */
export async function diffOf(before: StoredTree, after: StoredTree, load: LoadRange): Promise<TreeDiff> {
  const changes: Change[] = [];
  for await (const change of diffTrees(before, after, load)) changes.push(change);
  const directories = new Map(changes.filter(isOfDirectory).map((change) => [change.path, change]));
  return withoutImplied(findRenames(changes), directories);
}

function withoutImplied(diff: TreeDiff, directories: ReadonlyMap<TreePath, Change>): TreeDiff {
  const appeared = parentsOf([...diff.added, ...diff.renamed.map(({ to }) => to)]);
  const vanished = parentsOf([...diff.removed, ...diff.renamed.map(({ from }) => from)]);
  const isStirred = (path: TreePath) => appeared.has(path) || vanished.has(path);
  return {
    added: diff.added.filter((path) => !(directories.has(path) && appeared.has(path))),
    removed: diff.removed.filter((path) => !(directories.has(path) && vanished.has(path))),
    modified: diff.modified,
    metadata: diff.metadata.filter((path) => !(isStirred(path) && onlyTimesDiffer(directories.get(path)))),
    renamed: diff.renamed.filter(({ to }) => !(directories.has(to) && appeared.has(to))),
  };
}

function parentsOf(paths: readonly TreePath[]): ReadonlySet<TreePath> {
  return new Set(paths.map(parentOf));
}

function isOfDirectory(change: Change): boolean {
  const entry: Entry = change.kind === "removed" ? change.before : change.after;
  return entry.type === EntryType.directory;
}

function onlyTimesDiffer(change: Change | undefined): boolean {
  if (change?.kind !== "metadata") return false;
  const { mtimeSec, mtimeNsec } = change.before;
  return sameLogicalEntry(change.before, { ...change.after, mtimeSec, mtimeNsec });
}
