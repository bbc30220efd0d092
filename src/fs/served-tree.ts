/** From the description of a mount to the file system behind it: a version to be read, or with an overlay above it. */
import type { Block, LocalBlocks } from "../cache/block.js";
import { DatasetError } from "../errors.js";
import { openRoot } from "../manifest/root.js";
import { Tree } from "../manifest/tree.js";
import type { FileSystem } from "./filesystem.js";
import type { WorkerData } from "./messages.js";
import { type Overlay, openOverlay } from "./overlay/overlay.js";
import { rangeLoader } from "./range-loader.js";
import { readOnlyFileSystem } from "./read-only.js";
import { VersionFiles } from "./version-files.js";

export type ServedTreeOptions = Pick<
  WorkerData,
  "root" | "overlayDirectory" | "uid" | "gid" | "preserveOwner"
>;

export interface ServedTree {
  readonly fileSystem: FileSystem;
  /** Runs an operation other than the kernel's; may throw `Missing`. @throws {DatasetError} `unsupported` */
  call(name: string, values: readonly unknown[]): unknown;
  close(): void;
}

/** Opens a version, with the overlay the description names. @throws {DatasetError} `format-damaged`, `format-newer` */
export function openServedTree(
  { root, overlayDirectory, uid, gid, preserveOwner }: ServedTreeOptions,
  blocks: LocalBlocks,
  prefetch: (blocks: readonly Block[]) => void,
): ServedTree {
  const tree = new Tree(openRoot(root), rangeLoader(blocks));
  const files = new VersionFiles(tree, blocks, { uid, gid, preserveOwner, prefetch });
  return overlayDirectory === undefined ? readOnly(files) : overlaid(files, overlayDirectory);
}

function readOnly(files: VersionFiles): ServedTree {
  const call = (name: string) => refuse(name, "this mount is only read");
  return { fileSystem: readOnlyFileSystem(files), call, close: () => undefined };
}

function overlaid(files: VersionFiles, directory: string): ServedTree {
  const overlay = openOverlay(directory, files, { facts: (ordinal, name) => files.fact(ordinal, name) });
  return {
    fileSystem: overlay,
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
