/**
 * What a draft's tree is made of before anything is staged: the trees of its parents, or of what it is squashed from,
 * merged in order. The first is the draft's base; what the others change of it is staged.
 */
import type { RemoteId, Sha256 } from "../content/chunk.js";
import { diffTrees } from "../manifest/diff.js";
import type { Edits } from "../manifest/edit-source.js";
import { mergeEdits } from "../manifest/merge.js";
import type { Range } from "../manifest/range.js";
import type { LoadRange } from "../manifest/range-ref.js";
import { type Sides, mergeThreeWay } from "../manifest/three-way.js";
import type { Tree } from "../manifest/tree.js";
import type { StoredTree } from "../manifest/tree-walk.js";
import { ancestryOfIds, commonAncestors } from "./ancestry.js";
import { type FoundVersion, findVersion } from "./history.js";
import { Effect, type Staging } from "./staging.js";
import {
  type LoadedTree,
  asyncRangeLoader,
  editInMemory,
  emptyTree,
  openVersionTree,
} from "./version-tree.js";
import type { Workspace } from "./workspace.js";

/**
 * How several trees become one. `ordered`: each is laid over what is there by then, so a later one wins wherever it has a
 * path. `three-way`: of each counts what it changed since it and the others came apart, and only where both did the
 * later one wins.
 */
export type MergeMode = "ordered" | "three-way";

/** A finished version and its tree. */
export interface Layer extends FoundVersion {
  tree: Tree;
}

/** Of a version that is to be squashed from others, which are no parents of it. */
export interface Squash {
  /** All it is said to be squashed from, in order, by the names they have now. */
  sources: readonly { id: string; dataset: string; label: string }[];
  /** Ids of those whose trees are merged. */
  layers: readonly string[];
  /** Whether some of their bytes lie in other remotes than its own, so that all of it is stored anew. */
  copies: boolean;
}

export async function openLayers(workspace: Workspace, ids: readonly string[]): Promise<Layer[]> {
  const layers: Layer[] = [];
  for (const id of ids) {
    const found = await findVersion(workspace, id);
    layers.push({ ...found, tree: await openVersionTree(workspace, found.version) });
  }
  return layers;
}

/** One more layer on its way into the merged tree. All ranges are read through `load`. */
export interface MergeStep {
  layer: Layer;
  sides: Sides;
  load: LoadRange;
}

/** The merged tree, its new ranges in memory alone. No layers give an empty one. */
export async function mergeLayers(
  workspace: Workspace,
  layers: readonly Layer[],
  remote: RemoteId,
  mode: MergeMode,
): Promise<LoadedTree> {
  const merging = new Merging(workspace, asyncRangeLoader(await workspace.cache()), remote);
  return { tree: await merging.merge(layers, mode), load: merging.load, made: merging.made };
}

/**
 * The steps of a merge: each layer but the first, the merged ones before it, and what both come from.
 *
 * @param stored Loads what the merge does not make.
 */
export async function* mergeSteps(
  workspace: Workspace,
  layers: readonly Layer[],
  remote: RemoteId,
  mode: MergeMode,
  stored: LoadRange,
): AsyncGenerator<MergeStep> {
  const merging = new Merging(workspace, stored, remote);
  for (const [at, layer] of layers.entries()) {
    if (at === 0) continue;
    const before = layers.slice(0, at);
    const sides = await merging.sides(before, await merging.merge(before, mode), layer);
    yield { layer, sides, load: merging.load };
  }
}

/** Stages what makes the first layer's tree the merged one. */
export async function stageLayers(
  staging: Staging,
  first: Layer | undefined,
  { tree, load }: LoadedTree,
): Promise<void> {
  if (!first) return;
  for await (const change of diffTrees(first.tree, tree, load)) {
    if (change.kind === "removed") staging.remove(change.path);
    else staging.put(change.after, change.kind === "metadata" ? Effect.metadata : Effect.content);
  }
}

/** Trees that are merged share the ranges they make, so that one `load` serves all of them. */
class Merging {
  readonly load: LoadRange;
  readonly made = new Map<Sha256, Range>();

  constructor(
    private readonly workspace: Workspace,
    stored: LoadRange,
    private readonly remote: RemoteId,
  ) {
    this.load = async (ref) => this.made.get(ref.object) ?? stored(ref);
  }

  async merge(layers: readonly Layer[], mode: MergeMode): Promise<StoredTree> {
    let merged: StoredTree = layers[0]?.tree ?? emptyTree(this.remote);
    for (const [at, layer] of layers.entries()) {
      if (at === 0) continue;
      merged =
        mode === "ordered"
          ? await this.#laidOver(merged, layer.tree)
          : await this.#joined(await this.sides(layers.slice(0, at), merged, layer));
    }
    return merged;
  }

  async sides(before: readonly Layer[], earlier: StoredTree, layer: Layer): Promise<Sides> {
    return { base: await this.#baseOf(before, layer), earlier, later: layer.tree };
  }

  #joined(sides: Sides): Promise<StoredTree> {
    const edited = (tree = emptyTree(this.remote), edits: Edits) => this.#edited(tree, edits);
    return mergeThreeWay(sides, { load: this.load, edited });
  }

  #laidOver(below: StoredTree, over: StoredTree): Promise<StoredTree> {
    return this.#edited(below, mergeEdits(below, over, this.load));
  }

  async #edited(tree: StoredTree, edits: Edits): Promise<StoredTree> {
    return (await editInMemory({ tree, load: this.load }, edits, this.remote, this.made)).tree;
  }

  /** Of several nearest common ancestors, none of which comes from another, their own merge. */
  async #baseOf(before: readonly Layer[], { version }: Layer): Promise<StoredTree> {
    const ids = before.map((layer) => layer.version.id);
    const ancestry = await ancestryOfIds(this.workspace, [...ids, version.id]);
    const common = await this.#known(commonAncestors(ancestry, ids, version.id));
    return this.merge(await openLayers(this.workspace, common), "three-way");
  }

  /** The catalog may have heard of an ancestor only as the parent of another. */
  async #known(ids: readonly string[]): Promise<string[]> {
    const rows = await (await this.workspace.catalog()).versionsById(ids);
    const known = new Set(rows.map(({ id }) => id));
    return ids.filter((id) => known.has(id));
  }
}
