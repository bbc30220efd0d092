/** A version to read on this machine, at a path that stays: mounted where that is possible, else a folder of files. */
import { type ProcessMark, thisProcess } from "../../daemon/process.js";
import { DatasetError, isDatasetError } from "../../errors.js";
import { type FoundVersion, nameOfVersion } from "../history.js";
import { type OptionNames, checkOptions } from "../known-options.js";
import type { Workspace } from "../workspace.js";
import { makeKeptFiles } from "./kept-files.js";
import { makeKeptMount } from "./kept-mount.js";
import { COPY_OPTIONS, type CopyOptions } from "./mutable-copy.js";
import { isPartial } from "./selection.js";

export interface LocalCopyOptions extends CopyOptions {
  /**
   * `mount`: reads what is touched, and nothing before. `files`: all of it, or what is chosen, as files that nobody may
   * write to. Default `auto`: a mount where that can be and all is asked for, else files.
   */
  mode?: "auto" | "mount" | "files" | undefined;
  /** The process it is for: it is kept at least for as long as that lives. Default: this one. */
  user?: ProcessMark | undefined;
}

export interface LocalCopy {
  /** Absolute; the same for every call for the same version and choice. */
  path: string;
  kind: "mount" | "files";
  /** `project/name@label`. */
  reference: string;
  id: string;
  /** Of a folder of files: how many are in it and what had to be written now. */
  files?: number | undefined;
  bytes?: number | undefined;
  writtenFiles?: number | undefined;
}

const OPTIONS: OptionNames<LocalCopyOptions> = { ...COPY_OPTIONS, mode: true, user: true };

/** @throws {DatasetError} `bad-input`, `mount-refused`, `cache-full`, `path-missing`, `disk-full`; what the remote throws */
export async function makeLocalCopy(
  workspace: Workspace,
  found: FoundVersion,
  options: LocalCopyOptions = {},
): Promise<LocalCopy> {
  checkOptions("getLocalCopy", options, OPTIONS);
  const { mode = "auto", user = thisProcess(), ...given } = options;
  const named = { reference: nameOfVersion(found), id: found.version.id };
  if (mode === "mount" && isPartial(given)) throw notMountable();
  const path = mode === "files" || isPartial(given) ? undefined : await mounted(workspace, found, user, mode);
  if (path !== undefined) return { path, kind: "mount", ...named };
  const { path: folder, files, bytes, writtenFiles } = await makeKeptFiles(workspace, found, user, given);
  return { path: folder, kind: "files", ...named, files, bytes, writtenFiles };
}

async function mounted(
  workspace: Workspace,
  found: FoundVersion,
  user: ProcessMark,
  mode: "auto" | "mount",
): Promise<string | undefined> {
  try {
    return await makeKeptMount(workspace, found, user);
  } catch (error) {
    const isImpossible = isDatasetError(error, "mount-refused") || isDatasetError(error, "unsupported");
    if (mode === "auto" && isImpossible) return undefined;
    throw error;
  }
}

function notMountable(): DatasetError<"bad-input"> {
  const message = "Cannot mount some files of a version: mount all of it, or take these as files";
  return new DatasetError("bad-input", { value: "mount" }, message);
}
