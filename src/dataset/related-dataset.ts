/** How a version stands to others: what it changed, where it comes from, and what came of it. */
import type { VersionRow } from "../catalog/catalog.js";
import type { RemoteId } from "../content/chunk.js";
import type { TreeDiff } from "../manifest/diff.js";
import type { Rename } from "../manifest/renames.js";
import type { TreePath } from "../paths.js";
import { ancestryOfIds } from "./ancestry.js";
import { draftAsTree } from "./draft-comparison.js";
import { nameOfVersion } from "./history.js";
import { mergeLayers, openLayers } from "./layers.js";
import { gatherLineage } from "./remote-lineage.js";
import { type Overridden, overriddenEdits } from "./overridden.js";
import { packsOf } from "./pack-counts.js";
import { ReadableDataset } from "./readable-dataset.js";
import { locateVersion } from "./remote-reference.js";
import { diffOf } from "./version-diff.js";
import { type LoadedTree, asyncRangeLoader, loadedTree, loadsBoth, openVersionTree } from "./version-tree.js";

/** How many paths differ, by how. A renamed one is counted once. */
export type Comparison = { [Kind in keyof TreeDiff]: number };

/** A version that came of another. */
export interface DescendantVersion {
  id: string;
  /** `project/name@label`. */
  reference: string;
  state: VersionRow["state"];
}

export abstract class RelatedDataset extends ReadableDataset {
  /** What leads from this version to another, as numbers; `diff` has the paths. Either may be a draft. */
  async compare(other: RelatedDataset | string): Promise<Comparison> {
    const { added, modified, metadata, removed, renamed } = await this.diff(other);
    return {
      added: added.length,
      modified: modified.length,
      metadata: metadata.length,
      removed: removed.length,
      renamed: renamed.length,
    };
  }

  /** What `other` has that this version has not, and the other way round. Either may be a draft. */
  async diff(other: RelatedDataset | string): Promise<TreeDiff> {
    const after = typeof other === "string" ? await this.#treeOf(other) : await other.comparable();
    return diffBetween(await this.comparable(), after);
  }

  /** Paths that this version has and another has not. @param reference Default: its parents, merged. */
  async listAddedFiles(reference?: string): Promise<TreePath[]> {
    return (await this.#changesSince(reference)).added;
  }

  /** Paths whose content differs from another version's. @param reference Default: its parents, merged. */
  async listModifiedFiles(reference?: string): Promise<TreePath[]> {
    return (await this.#changesSince(reference)).modified;
  }

  /** Paths that another version has and this one has not. @param reference Default: its parents, merged. */
  async listRemovedFiles(reference?: string): Promise<TreePath[]> {
    return (await this.#changesSince(reference)).removed;
  }

  /** What only lies elsewhere than in another version. @param reference Default: its parents, merged. */
  async listRenamedFiles(reference?: string): Promise<Rename[]> {
    return (await this.#changesSince(reference)).renamed;
  }

  /** What its parents changed since they came apart and it does not hold; nothing for less than two parents. */
  async overridden(): Promise<Overridden[]> {
    const layers = this.draft?.layers ?? (await openLayers(this.workspace, await this.#parents()));
    const merge = this.draft?.merge ?? "ordered";
    const remote = this.current.remoteId as RemoteId;
    return overriddenEdits(this.workspace, { layers, merge, remote }, await this.comparable());
  }

  /** Ids of this version and all its ancestors, each with the ids of its direct parents, in order. */
  async getDependencyGraph(): Promise<Record<string, readonly string[]>> {
    if (this.remote !== undefined)
      await gatherLineage(this.workspace, { dataset: this.row, version: this.current, remote: this.remote });
    return Object.fromEntries(await ancestryOfIds(this.workspace, [this.id]));
  }

  /** The versions of this catalog, drafts too, that have this one among their ancestors; the first made at the front. */
  async descendants(): Promise<DescendantVersion[]> {
    const catalog = await this.workspace.catalog();
    const found: DescendantVersion[] = [];
    for (const version of await catalog.descendantsOf(this.id)) {
      const dataset = await catalog.datasetById(version.datasetId);
      if (dataset)
        found.push({ id: version.id, reference: nameOfVersion({ dataset, version }), state: version.state });
    }
    return found;
  }

  /**
   * How many packs the content of a finished version lies in. Reads its listing.
   *
   * @param options.includeParents Default true; else only packs that none of its parents needs.
   * @throws {DatasetError} `version-unfinished`
   */
  async getNumChunks({ includeParents = true } = {}): Promise<number> {
    const parents = includeParents ? [] : await openLayers(this.workspace, await this.#parents());
    const load = asyncRangeLoader(await this.workspace.cache());
    const others = parents.map(({ tree }) => tree);
    return (await packsOf(await this.tree(), load, others)).size;
  }

  /** The URL of the remote that its record and what it adds lie in. */
  async getStorage(): Promise<string> {
    return (await this.workspace.remote(this.current.remoteId as RemoteId)).url;
  }

  /** This version as a tree to compare, also where it is a draft. */
  protected async comparable(): Promise<LoadedTree> {
    if (this.draft) return draftAsTree(this.workspace, this.draft);
    return loadedTree(await this.workspace.cache(), await this.tree());
  }

  async #changesSince(reference: string | undefined): Promise<TreeDiff> {
    const before = reference === undefined ? await this.#parentsTree() : await this.#treeOf(reference);
    return diffBetween(before, await this.comparable());
  }

  async #parentsTree(): Promise<LoadedTree> {
    const layers = await openLayers(this.workspace, await this.#parents());
    const merge = this.draft?.merge ?? "ordered";
    return mergeLayers(this.workspace, layers, this.current.remoteId as RemoteId, merge);
  }

  async #parents(): Promise<string[]> {
    return (await this.workspace.catalog()).parentsOf(this.id);
  }

  async #treeOf(reference: string): Promise<LoadedTree> {
    const { workspace, found } = await locateVersion(this.workspace, reference);
    const cache = await workspace.cache();
    return loadedTree(cache, await openVersionTree(workspace, found.version));
  }
}

function diffBetween(before: LoadedTree, after: LoadedTree): Promise<TreeDiff> {
  return diffOf(before.tree, after.tree, loadsBoth(before, after));
}
