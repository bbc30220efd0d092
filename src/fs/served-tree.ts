/** From the description of a mount to the file system behind it: a version, one with an overlay above it, or all. */
import { DatasetError } from "../errors.js";
import { browseFileSystem } from "./browse/browse.js";
import { explained } from "./explain/explained.js";
import type { FileSystem } from "./filesystem.js";
import type { WorkerData } from "./messages.js";
import { type OpenVersion, type Supplied, openVersion } from "./open-version.js";
import { type Overlay, type OverlayOptions, openOverlay } from "./overlay/overlay.js";
import { readOnlyFileSystem } from "./read-only.js";
import { Subset } from "./subset.js";
import { WholeFiles } from "./whole-files.js";

export interface ServedTreeOptions extends Pick<
  WorkerData,
  "shown" | "subset" | "overlayDirectory" | "uid" | "gid" | "preserveOwner" | "isShared"
> {
  writeTimes: OverlayOptions["writeTimes"];
}

export interface ServedTree {
  readonly fileSystem: FileSystem;
  /** Runs an operation other than the kernel's; may throw `Missing`. @throws {DatasetError} `unsupported` */
  call(name: string, values: readonly unknown[]): unknown;
  close(): void;
}

/** Opens what the description names. @throws {DatasetError} `format-damaged`, `format-newer` */
export function openServedTree(
  { shown, subset, overlayDirectory, uid, gid, preserveOwner, isShared, writeTimes }: ServedTreeOptions,
  supplied: Supplied,
): ServedTree {
  const owner = { uid, gid, preserveOwner, isShared };
  if (!shown) return readOnly(browseFileSystem(owner, supplied));
  const version = openVersion(shown, owner, supplied);
  if (overlayDirectory !== undefined) return overlaid(version, overlayDirectory, writeTimes);
  const backings = supplied.wholes && new WholeFiles(version.files, supplied.wholes);
  const shows = subset && new Subset(subset);
  return readOnly(explained(readOnlyFileSystem(version.files, backings, shows), version.facts));
}

function readOnly(fileSystem: FileSystem): ServedTree {
  return { fileSystem, call: (name) => refuse(name, "this mount is only read"), close: () => undefined };
}

function overlaid(
  { files, facts }: OpenVersion,
  directory: string,
  writeTimes: OverlayOptions["writeTimes"],
): ServedTree {
  const factOf: OverlayOptions["facts"] = (ordinal, name) => files.fact(ordinal, name);
  const overlay = openOverlay(directory, files, { facts: factOf, writeTimes });
  return {
    fileSystem: explained(overlay, facts),
    call: (name, values) => callOf(overlay, name)(...values),
    close: () => overlay.close(),
  };
}

/** What the main thread may ask of an overlay, with values it gives: it is the other half of this program. */
const CALLS = ["beginSnapshot", "endSnapshot", "openForWriting", "failedWrites", "fact", "setFact"] as const;

function callOf(overlay: Overlay, name: string): (...values: readonly unknown[]) => unknown {
  const known = CALLS.find((call) => call === name);
  if (!known) return refuse(name, "an overlay has no such operation");
  return (overlay[known] as (...values: readonly unknown[]) => unknown).bind(overlay);
}

function refuse(name: string, problem: string): never {
  throw new DatasetError("unsupported", { what: name }, `Cannot run "${name}": ${problem}`);
}
