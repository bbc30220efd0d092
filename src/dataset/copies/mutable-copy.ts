/** A copy of a version that is the user's own: a folder to work in, which knows what it is a copy of. */
import { isDeepStrictEqual } from "node:util";
import { bytesOfText } from "../../paths.js";
import { type FoundVersion, nameOfVersion } from "../history.js";
import { type OptionNames, checkOptions } from "../known-options.js";
import { openVersionTree } from "../version-tree.js";
import type { Workspace } from "../workspace.js";
import { refuseClashes } from "./case-clash.js";
import { type CopyOf, copyAt, noteCopy } from "./copy-of.js";
import { CopyPool } from "./copy-pool.js";
import { type CopyCounts, type CopyProgress, makeCopy } from "./make-copy.js";
import { COPY_SELECTION, type CopySelection, isPartial, selectEntries } from "./selection.js";
import { findTarget, notEmpty, openTarget } from "./target-folder.js";

export interface CopyOptions extends CopySelection {
  /** Threads that write. Default: one a core, at most 8. */
  maxWorkers?: number | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: CopyProgress) => void) | undefined;
}

export const COPY_OPTIONS: OptionNames<CopyOptions> = {
  ...COPY_SELECTION,
  maxWorkers: true,
  signal: true,
  onProgress: true,
};

export interface MutableCopyOptions extends CopyOptions {
  /**
   * Default false: a folder that holds something is refused. Else what differs is replaced and what the copy has not is
   * removed; what is equal stays untouched.
   */
  overwrite?: boolean | undefined;
}

export interface MutableCopy extends CopyCounts {
  /** Real path of the folder. */
  path: string;
  /** `project/name@label`. */
  reference: string;
  id: string;
}

/**
 * Restores a version into a folder: contents, permissions, times, links, empty folders and extended attributes. Owners
 * are the caller's, and no file is set-uid. One that was cut off is gone on with.
 *
 * @throws {DatasetError} `conflict` when the folder holds something, or names clash; `bad-input` for a folder that must
 *   not be filled; `path-missing`, `disk-full`, `target-unwritable`, `version-unfinished`; what the remote throws
 */
export async function makeMutableCopy(
  workspace: Workspace,
  found: FoundVersion,
  target: string,
  options: MutableCopyOptions = {},
): Promise<MutableCopy> {
  checkOptions("getMutableLocalCopy", options, { ...COPY_OPTIONS, overwrite: true });
  const { home } = workspace;
  const real = findTarget(home, target);
  const cache = await workspace.cache();
  const tree = await openVersionTree(workspace, found.version);
  const selection = await selectEntries(cache, tree, options);
  const { device, isEmpty } = openTarget(real);
  const copy = copyOf(found, real, options);
  if (!isEmpty && !options.overwrite && !isBegun(copyAt(home, real), copy))
    throw notEmpty(target, "it is not empty; --overwrite makes it equal to the version");
  await refuseClashes(cache, tree, selection, real);
  noteCopy(home, copy);
  const { maxWorkers, signal, onProgress } = options;
  const pool = new CopyPool(maxWorkers);
  try {
    const place = { root: bytesOfText(real), device, replace: !isEmpty };
    const foundThere = isEmpty ? "nothing" : "anything";
    const counts = await makeCopy({
      cache,
      tree,
      selection,
      place,
      style: "kept",
      found: foundThere,
      pool,
      signal,
      onProgress,
    });
    noteCopy(home, { ...copy, state: "whole" });
    return { path: real, reference: nameOfVersion(found), id: found.version.id, ...counts };
  } finally {
    await pool.close();
  }
}

function copyOf(found: FoundVersion, path: string, options: CopySelection): CopyOf {
  const { files, globs, part, numParts, links } = options;
  const asked = { files: files && [...files], globs: globs && [...globs], part, numParts, links };
  const selection = isPartial(options) ? withoutUndefined(asked) : undefined;
  const name = nameOfVersion(found);
  const reference = found.remote === undefined ? name : `${found.remote}#${name}`;
  const { id } = found.version;
  return { format: 1, path, id, reference, selection, state: "making", madeAtMs: Date.now() };
}

function isBegun(known: CopyOf | undefined, { id, selection }: CopyOf): boolean {
  return known?.state === "making" && known.id === id && isDeepStrictEqual(known.selection, selection);
}

function withoutUndefined<T extends object>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
