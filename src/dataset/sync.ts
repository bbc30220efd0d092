/** A new version from a folder in one step: create, sync, upload, finalize. No change, no version. */
import { resolve } from "node:path";

import type { Dataset as DatasetRow } from "../catalog/catalog.js";
import type { CommitResult } from "./commit.js";
import { Dataset } from "./dataset.js";
import type { SyncFolderOptions } from "./addition.js";
import type { FinalizeOptions } from "./editable-dataset.js";
import type { CreateOptions } from "./draft.js";
import { findDataset, refresh } from "./history.js";
import { isDatasetError } from "../errors.js";
import { bytesOfText } from "../paths.js";
import { workspaceOfDrafts } from "./new-draft.js";
import { parseDatasetName } from "./reference.js";
import type { StageCounts } from "./stage-counts.js";
import { checkFolder } from "./stage-folder.js";
import { locateVersion } from "./remote-reference.js";
import { discardCutOff } from "./transient-drafts.js";
import { type WithWorkspace, type Workspace, defaultWorkspace } from "./workspace.js";

export interface SyncOptions
  extends CreateOptions, FinalizeOptions, Omit<SyncFolderOptions, "onProgress">, WithWorkspace {
  /** Default false: changed times, modes, owners and attributes alone make no version. */
  metadata?: boolean | undefined;
}

export interface SyncResult {
  /** Undefined when the folder holds what the parents hold. */
  committed: CommitResult | undefined;
  /** `project/name@label` of a version that somebody else made meanwhile, and that holds what the folder holds. */
  equal?: string | undefined;
  staged: StageCounts;
}

/**
 * Makes the next version of a dataset from a folder. Its parent is the latest version unless others are named.
 *
 * @throws {DatasetError} as `create`, `syncFolder` and `finalize` do; nothing is left behind then
 */
export async function syncVersion(
  folder: string,
  name: string,
  options: SyncOptions = {},
): Promise<SyncResult> {
  const workspace = options.workspace ?? defaultWorkspace();
  checkFolder(bytesOfText(resolve(folder))); // Before a dataset is made for it.
  const parents = options.parents?.length ? options.parents : await latestOf(workspace, name, options.remote);
  const own = workspaceOfDrafts(workspace);
  const dataset = await knownDataset(own, name);
  if (dataset) await discardCutOff(own, dataset);
  const { version, remote, tags, description } = options;
  const asked = { version, remote, tags, description, parents, transient: true, workspace };
  const draft = await Dataset.create(name, asked);
  let staged: StageCounts | undefined;
  try {
    staged = await draft.syncFolder(folder, walkOptionsOf(options));
    await draft.upload(options);
    const effect = draft.stagedEffect();
    const worth = parents.length === 0 || effect === "content" || (effect === "metadata" && options.metadata);
    if (worth) {
      const unlessEqual = options.metadata ? "tree" : "content";
      return { committed: await draft.finalize({ ...options, unlessEqual }), staged };
    }
    await draft.discard();
    return { committed: undefined, staged };
  } catch (error) {
    if (!draft.isFinal) await draft.discard();
    if (!staged || !isDatasetError(error, "version-equal")) throw error;
    return { committed: undefined, equal: error.data.version, staged };
  }
}

function walkOptionsOf(options: SyncOptions): SyncFolderOptions {
  const { wildcards, recursive, datasetPath, to, symlinks, ignoreFiles, maxWorkers, signal } = options;
  return { wildcards, recursive, datasetPath, to, symlinks, ignoreFiles, maxWorkers, signal };
}

async function knownDataset(workspace: Workspace, text: string): Promise<DatasetRow | undefined> {
  const { project, name } = parseDatasetName(text);
  return (await workspace.catalog()).findDataset(project, name);
}

/** The latest version's id, in a list; none for a new dataset. */
async function latestOf(workspace: Workspace, name: string, remote: string | undefined): Promise<string[]> {
  try {
    if (workspace.isOffline) return [(await locateVersion(workspace, name)).found.version.id];
    const dataset = await findDataset(workspace, parseDatasetName(name), { remote });
    await refresh(workspace, dataset);
    const latest = await (await workspace.catalog()).latestVersion(dataset.id);
    return latest ? [latest.id] : [];
  } catch (error) {
    if (isDatasetError(error, "not-found")) return [];
    throw error;
  }
}
