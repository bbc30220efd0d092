/**
 * Hard links of files that moved along with their folders. Each folder is moved on its own, so one name of a file may go
 * one way and another name another: the groups are put together anew once all is staged.
 */
import { type Entry, type LinkableEntry, isLinkable } from "../manifest/entry.js";
import { samePaths } from "../manifest/entry-compare.js";
import { compareKeys, keyOf } from "../manifest/key.js";
import type { TreePath } from "../paths.js";
import type { DraftTree } from "./draft-tree.js";

interface Arrival {
  path: TreePath;
  /** What was staged there; whatever has other links by now was put there later. */
  hardLinks: readonly TreePath[];
}

export class GraftedLinks {
  /** By the names that a group has in the base: where each came to lie, also for a while. */
  private readonly groups = new Map<TreePath, Map<TreePath, Arrival[]>>();

  /** An entry of the base was staged under another path. */
  note(before: Entry, after: Entry): void {
    if (!isLinkable(before) || !before.hardLinks || !isLinkable(after)) return;
    const group = this.groupOf(before.path, before.hardLinks);
    const arrivals = group.get(before.path) ?? [];
    group.set(before.path, [...arrivals, { path: after.path, hardLinks: after.hardLinks ?? [] }]);
  }

  async stage(draft: DraftTree): Promise<void> {
    for (const [first, group] of this.groups) {
      addNames(group, namesOf(await draft.inBase(first)));
      const entries: LinkableEntry[] = [];
      for (const [path, arrivals] of group) entries.push(...(await present(draft, path, arrivals)));
      entries.sort((a, b) => compareKeys(keyOf(a.path), keyOf(b.path)));
      const [head, ...others] = entries.map(({ path }) => path);
      for (const entry of entries) {
        const hardLinks = entry.path === head ? others : [head!];
        draft.staging.setHardLinks({ ...entry, hardLinks: hardLinks.length > 0 ? hardLinks : undefined });
      }
    }
  }

  /** The member that sorts first names all, each other one only that: whoever stayed is learnt from the first one. */
  private groupOf(path: TreePath, hardLinks: readonly TreePath[]): Map<TreePath, Arrival[]> {
    const first = [path, ...hardLinks].sort((a, b) => compareKeys(keyOf(a), keyOf(b)))[0]!;
    const group = this.groups.get(first) ?? new Map<TreePath, Arrival[]>();
    this.groups.set(first, group);
    addNames(group, [path, ...hardLinks]);
    return group;
  }
}

function addNames(group: Map<TreePath, Arrival[]>, names: readonly TreePath[]): void {
  for (const name of names) if (!group.has(name)) group.set(name, []);
}

function namesOf(entry: Entry | undefined): readonly TreePath[] {
  return entry && isLinkable(entry) ? (entry.hardLinks ?? []) : [];
}

/** A name is where its folders went, if nothing took its place since; one whose folders stayed is where it was. */
async function present(
  draft: DraftTree,
  path: TreePath,
  arrivals: readonly Arrival[],
): Promise<LinkableEntry[]> {
  if (arrivals.length === 0) {
    const entry = draft.staging.get(path) === undefined ? await draft.get(path) : undefined;
    return entry && isLinkable(entry) ? [entry] : [];
  }
  const found: LinkableEntry[] = [];
  for (const { path: at, hardLinks } of arrivals) {
    const entry = await draft.get(at);
    if (entry && isLinkable(entry) && samePaths(entry.hardLinks ?? [], hardLinks)) found.push(entry);
  }
  return found;
}
