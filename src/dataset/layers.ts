/**
 * What a draft's tree is made of before anything is staged: the trees of its parents, or of what it is squashed from,
 * laid over one another in order. The first is the draft's base; what the others change of it is staged.
 */
import type { RemoteId } from "../content/chunk.js";
import { diffTrees } from "../manifest/diff.js";
import { mergeEdits } from "../manifest/merge.js";
import type { Tree } from "../manifest/tree.js";
import { type FoundVersion, findVersion } from "./history.js";
import { Effect, type Staging } from "./staging.js";
import { type LoadedTree, editInMemory, emptyTree, loadedTree, openVersionTree } from "./version-tree.js";
import type { Workspace } from "./workspace.js";

/** A finished version and its tree. */
export interface Layer extends FoundVersion {
  tree: Tree;
}

/** Of a version that is to be squashed from others, which are no parents of it. */
export interface Squash {
  /** All it is said to be squashed from, in order, by the names they have now. */
  sources: readonly { id: string; dataset: string; label: string }[];
  /** Ids of those whose trees are laid over one another. */
  layers: readonly string[];
  /** Whether some of their bytes lie in other remotes than its own, so that all of it is stored anew. */
  copies: boolean;
}

export async function openLayers(workspace: Workspace, ids: readonly string[]): Promise<Layer[]> {
  const cache = await workspace.cache();
  const layers: Layer[] = [];
  for (const id of ids) {
    const found = await findVersion(workspace, id);
    layers.push({ ...found, tree: await openVersionTree(cache, found.version) });
  }
  return layers;
}

/** The merged tree, its new ranges in memory alone. No layers give an empty one. */
export async function mergeLayers(
  workspace: Workspace,
  layers: readonly Layer[],
  remote: RemoteId,
): Promise<LoadedTree> {
  const cache = await workspace.cache();
  const [first, ...others] = layers;
  let merged = first ? loadedTree(cache, first.tree) : emptyTree(remote);
  for (const other of others)
    merged = await editInMemory(merged, mergeEdits(merged.tree, other.tree, merged.load), remote);
  return merged;
}

/** Stages what makes the first layer's tree the merged one. */
export async function stageLayers(
  workspace: Workspace,
  staging: Staging,
  layers: readonly Layer[],
  remote: RemoteId,
): Promise<void> {
  if (layers.length < 2) return;
  const merged = await mergeLayers(workspace, layers, remote);
  for await (const change of diffTrees(layers[0]!.tree, merged.tree, merged.load)) {
    if (change.kind === "removed") staging.remove(change.path);
    else staging.put(change.after, change.kind === "metadata" ? Effect.metadata : Effect.content);
  }
}
