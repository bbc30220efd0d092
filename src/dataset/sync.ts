/** A new version from a folder in one step: create, sync, upload, finalize. No change, no version. */
import { realpathSync } from "node:fs";
import { resolve } from "node:path";

import { anewWhenCollected } from "./collect/commit-point.js";
import type { CommitResult } from "./commit.js";
import { type CopyOf, copyAt, noteCopy } from "./copies/copy-of.js";
import { Dataset } from "./dataset.js";
import type { SyncFolderOptions } from "./addition.js";
import type { FinalizeOptions } from "./editable-dataset.js";
import type { CreateOptions } from "./draft.js";
import { findDataset, findVersion, refresh } from "./history.js";
import { DatasetError, isDatasetError } from "../errors.js";
import { bytesOfText } from "../paths.js";
import { parseDatasetName, textOfDataset } from "./reference.js";
import type { StageCounts } from "./stage-counts.js";
import { checkFolder } from "./stage-folder.js";
import { locateVersion } from "./remote-reference.js";
import type { UploadOptions } from "./upload.js";
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
 * Makes the next version of a dataset from a folder. Its parent is the version that the folder is a copy of, where that
 * is known and of this dataset, else the latest one, unless others are named.
 *
 * @param given `project/name`; may be left out for a folder that is known to be a copy.
 * @throws {DatasetError} as `create`, `syncFolder` and `finalize` do; nothing is left behind then
 */
export function syncVersion(
  folder: string,
  given: string | undefined,
  options: SyncOptions = {},
): Promise<SyncResult> {
  return anewWhenCollected(() => syncOnce(folder, given, options));
}

async function syncOnce(
  folder: string,
  given: string | undefined,
  options: SyncOptions,
): Promise<SyncResult> {
  const workspace = options.workspace ?? defaultWorkspace();
  checkFolder(bytesOfText(resolve(folder))); // Before a dataset is made for it.
  const origin = await originOf(workspace, folder);
  const name = given ?? origin?.name ?? notACopy(folder);
  const parents = options.parents?.length
    ? options.parents
    : await parentsOf(workspace, name, origin, options);
  const { version, remote, tags, description } = options;
  const isOfLatest = !options.parents?.length && origin?.name !== name;
  const refreshed = isOfLatest && parents.length > 0; // Finding the latest has done so.
  const asked = { version, remote, tags, description, parents, refreshed, transient: true, workspace };
  const draft = await Dataset.create(name, asked);
  let staged: StageCounts | undefined;
  try {
    staged = await draft.syncFolder(folder, walkOptionsOf(options));
    await draft.upload(uploadOptionsOf(options));
    const effect = draft.stagedEffect();
    const worth = parents.length === 0 || effect === "content" || (effect === "metadata" && options.metadata);
    if (worth) {
      const unlessEqual = options.metadata ? "tree" : "content";
      const committed = await draft.finalize({
        ...uploadOptionsOf(options),
        publish: options.publish,
        unlessEqual,
      });
      if (origin?.name === name)
        noteCopy(workspace.home, {
          ...origin.copy,
          path: realpathSync(folder),
          id: draft.id,
          reference: draft.reference,
        });
      return { committed, staged };
    }
    await draft.discard();
    return { committed: undefined, staged };
  } catch (error) {
    if (!draft.isFinal) await draft.discard();
    if (!staged || !isDatasetError(error, "version-equal")) throw error;
    return { committed: undefined, equal: error.data.version, staged };
  }
}

/** The version a folder is a copy of, where this user has made that copy and the version is still known. */
interface Origin {
  copy: CopyOf;
  /** Of the dataset. */
  name: string;
}

async function originOf(workspace: Workspace, folder: string): Promise<Origin | undefined> {
  const copy = copyAt(workspace.home, realpathSync(folder));
  if (copy?.state !== "whole") return undefined;
  try {
    return { copy, name: textOfDataset((await findVersion(workspace, copy.id)).dataset) };
  } catch (error) {
    if (isDatasetError(error, "not-found")) return undefined;
    throw error;
  }
}

/** @throws {DatasetError} `conflict` for a copy of some files: the rest would be taken for removed */
async function parentsOf(
  workspace: Workspace,
  name: string,
  origin: Origin | undefined,
  { remote }: SyncOptions,
): Promise<string[]> {
  if (origin?.name !== name) return latestOf(workspace, name, remote);
  if (origin.copy.selection === undefined) return [origin.copy.id];
  const { reference, path } = origin.copy;
  const message = `Cannot sync "${path}" as the next version: it is a copy of some files of ${reference}, and the others would be gone; varve create --parent ${reference} and varve add take what changed`;
  throw new DatasetError("conflict", { what: path }, message);
}

function notACopy(folder: string): never {
  const message = `Cannot sync "${folder}" without a name: it is not known to be a copy of a version; say PROJECT/NAME`;
  throw new DatasetError("bad-input", { value: folder }, message);
}

function walkOptionsOf(options: SyncOptions): SyncFolderOptions {
  const { wildcards, recursive, datasetPath, to, symlinks, ignoreFiles, maxWorkers, signal } = options;
  return { wildcards, recursive, datasetPath, to, symlinks, ignoreFiles, maxWorkers, signal };
}

function uploadOptionsOf(options: SyncOptions): UploadOptions {
  const { maxWorkers, packBytes, preview, compression, retries, signal, onProgress } = options;
  return { maxWorkers, packBytes, preview, compression, retries, signal, onProgress };
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
