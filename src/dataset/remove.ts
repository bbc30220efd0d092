/** Stages removals. What paths, wildcards and URLs name stands in `select-entries.ts`. */
import type { DraftTree } from "./draft-tree.js";
import { type SelectOptions, selectEntries, selectLinks } from "./select-entries.js";

/** Gives how many files and links are no more. @throws {DatasetError} `path-missing`, `bad-input`; nothing is removed then */
export async function removeSelected(
  tree: DraftTree,
  texts: readonly string[],
  options: SelectOptions = {},
): Promise<number> {
  let removed = 0;
  for (const { path } of await selectEntries(tree, texts, options))
    removed += (await tree.remove(path)).length;
  return removed;
}

/** The same for the links that lead to URLs; gives how many. */
export async function removeLinks(tree: DraftTree, urls: readonly string[]): Promise<number> {
  let removed = 0;
  for (const { path } of await selectLinks(tree, urls)) removed += (await tree.remove(path)).length;
  return removed;
}
