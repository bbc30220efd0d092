/** What belongs in a folder of a copy: the names of the entries in it that are selected. */
import type { Cache } from "../../cache/cache.js";
import type { Tree } from "../../manifest/tree.js";
import type { TreePath } from "../../paths.js";
import type { Selection } from "./selection.js";

/** Costs what lies in the folder. */
export async function namesToKeep(
  cache: Cache,
  tree: Tree,
  selection: Selection,
  folder: TreePath,
): Promise<string[]> {
  const { start, end } = await cache.complete(() => tree.children(folder));
  const names: string[] = [];
  for (let ordinal = start; ordinal < end; ordinal++)
    if (selection.has(ordinal)) names.push(await cache.complete(() => tree.name(ordinal)));
  return names;
}
