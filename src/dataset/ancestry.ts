/** Who came from whom: versions and all their ancestors by id, taken from the catalog in one query. */
import type { ParentEdge } from "../catalog/catalog.js";
import type { Workspace } from "./workspace.js";

/** Ids of versions to the ids of their direct parents, in order. What the catalog does not know has none. */
export type Ancestry = ReadonlyMap<string, readonly string[]>;

/** The given versions and all their ancestors. */
export async function ancestryOfIds(workspace: Workspace, ids: readonly string[]): Promise<Ancestry> {
  return ancestryFrom(await (await workspace.catalog()).ancestryOf(ids), ids);
}

export function ancestryFrom(edges: readonly ParentEdge[], ids: readonly string[]): Ancestry {
  const parents = new Map<string, string[]>(ids.map((id) => [id, []]));
  const known = (id: string) => parents.get(id) ?? parents.set(id, []).get(id)!;
  for (const { versionId, parentId } of edges) {
    known(versionId).push(parentId);
    known(parentId);
  }
  return parents;
}

/** Ids of a version's ancestors, itself among them. */
export function selfAndAncestors(ancestry: Ancestry, id: string): ReadonlySet<string> {
  const found = new Set([id]);
  for (const one of found) for (const parent of ancestry.get(one) ?? []) found.add(parent);
  return found;
}

/**
 * The nearest versions that some versions together and another have in common, themselves among them: none of these is
 * an ancestor of another.
 */
export function commonAncestors(ancestry: Ancestry, some: readonly string[], other: string): string[] {
  const ofSome = new Set(some.flatMap((id) => [...selfAndAncestors(ancestry, id)]));
  const common = [...selfAndAncestors(ancestry, other)].filter((id) => ofSome.has(id));
  const further = new Set(common.flatMap((id) => ancestry.get(id) ?? []));
  for (const one of further) for (const parent of ancestry.get(one) ?? []) further.add(parent);
  return common.filter((id) => !further.has(id));
}
