/** Which edits of its parents a version of several parents does not hold. */
import type { RemoteId } from "../content/chunk.js";
import { type LostEdit, lostEdits } from "../manifest/overridden.js";
import type { TreePath } from "../paths.js";
import { nameOfVersion } from "./history.js";
import { type Layer, type MergeMode, mergeSteps } from "./layers.js";
import type { LoadedTree } from "./version-tree.js";
import type { Workspace } from "./workspace.js";

export interface Overridden {
  path: TreePath;
  /** `project/name@label` of the parent whose edit is lost, or the names of several that were joined before. */
  of: string;
  /** The same of the other side. */
  by: string;
  /** Whether that side changed the path too, to something else; if not, it held it as it was. */
  both: boolean;
}

/**
 * What parents changed since they came apart and the result does not hold, parent by parent. Costs the ranges that
 * differ; none for less than two parents.
 */
export async function overriddenEdits(
  workspace: Workspace,
  { layers, merge, remote }: { layers: readonly Layer[]; merge: MergeMode; remote: RemoteId },
  result: LoadedTree,
): Promise<Overridden[]> {
  const found: Overridden[] = [];
  const before: string[] = layers.slice(0, 1).map(nameOfVersion);
  for await (const { layer, sides, load } of mergeSteps(workspace, layers, remote, merge, result.load)) {
    const names = { earlier: before.join(", "), later: nameOfVersion(layer) };
    found.push(...(await lostEdits(sides, result.tree, load)).map((edit) => told(edit, names)));
    before.push(names.later);
  }
  return found;
}

function told({ path, side, both }: LostEdit, names: Record<LostEdit["side"], string>): Overridden {
  return { path, of: names[side], by: names[side === "earlier" ? "later" : "earlier"], both };
}
