/** Edits that a merge lost: what one of two trees changed since both came apart, and the merged tree does not hold. */
import type { TreePath } from "../paths.js";
import { type Change, diffTrees } from "./diff.js";
import { EntryType } from "./entry.js";
import type { LoadRange } from "./range-ref.js";
import type { Sides } from "./three-way.js";
import type { StoredTree } from "./tree-walk.js";

export interface LostEdit {
  path: TreePath;
  /** Whose edit it was. */
  side: "earlier" | "later";
  /** Whether the other side changed the path too, to something else. */
  both: boolean;
}

/** Edits of content, by sides and in the order of keys; folders are told by what lies in them. Loads the ranges that differ. */
export async function lostEdits(
  { base, earlier, later }: Sides,
  result: StoredTree,
  load: LoadRange,
): Promise<LostEdit[]> {
  const edited = {
    earlier: await edits(base, earlier, load),
    later: await edits(base, later, load),
  };
  const lostOf = async (side: "earlier" | "later", tree: StoredTree): Promise<LostEdit[]> => {
    const other = side === "earlier" ? edited.later : edited.earlier;
    const differs = await edits(tree, result, load);
    const lost = [...edited[side]].filter((path) => differs.has(path));
    return lost.map((path) => ({ path, side, both: other.has(path) }));
  };
  return [...(await lostOf("earlier", earlier)), ...(await lostOf("later", later))];
}

async function edits(from: StoredTree, to: StoredTree, load: LoadRange): Promise<Set<TreePath>> {
  const paths = new Set<TreePath>();
  for await (const change of diffTrees(from, to, load)) if (isEdit(change)) paths.add(change.path);
  return paths;
}

function isEdit(change: Change): boolean {
  if (change.kind === "metadata") return false;
  const entries = [change.kind !== "added" && change.before, change.kind !== "removed" && change.after];
  return entries.some((entry) => entry && entry.type !== EntryType.directory);
}
