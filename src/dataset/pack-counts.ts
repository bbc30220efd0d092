/** How many packs a tree's content lies in. */
import type { PackId } from "../content/chunk.js";
import { EntryType } from "../manifest/entry.js";
import type { LoadRange } from "../manifest/range-ref.js";
import { type StoredTree, TreeWalk } from "../manifest/tree-walk.js";

/** The packs that a tree names and none of `others` does. Costs the listing of each: memory is 150 B a pack. */
export async function packsOf(
  tree: StoredTree,
  load: LoadRange,
  others: readonly StoredTree[] = [],
): Promise<ReadonlySet<PackId>> {
  const packs = await packsIn(tree, load);
  for (const other of others) for (const pack of await packsIn(other, load)) packs.delete(pack);
  return packs;
}

async function packsIn({ root }: StoredTree, load: LoadRange): Promise<Set<PackId>> {
  const packs = new Set<PackId>();
  const walk = new TreeWalk(root, load);
  while (!walk.atEnd) {
    const range = await walk.open();
    for (let index = 0; index < range.count; index++)
      if (range.typeAt(index) === EntryType.file)
        for (const { pack } of range.chunksAt(index)) packs.add(pack);
    walk.skipRange();
  }
  return packs;
}
