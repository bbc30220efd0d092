/** From the description of a mount to the file system behind it: a version to be read, or with an overlay above it. */
import type { Block, LocalBlocks } from "../cache/block.js";
import { DatasetError } from "../errors.js";
import { explained } from "./explain/explained.js";
import { FactsFolder } from "./explain/facts-folder.js";
import { Origins } from "./explain/origins.js";
import { versionFacts } from "./explain/version-facts.js";
import { openRoot } from "../manifest/root.js";
import { Tree } from "../manifest/tree.js";
import type { FileSystem } from "./filesystem.js";
import type { WorkerData } from "./messages.js";
import { type Overlay, type OverlayOptions, openOverlay } from "./overlay/overlay.js";
import type { AnswerMemory } from "./questions.js";
import { rangeLoader } from "./range-loader.js";
import { readOnlyFileSystem } from "./read-only.js";
import { VersionFiles } from "./version-files.js";
import { WholeFiles, type WholeSource } from "./whole-files.js";

export interface ServedTreeOptions extends Pick<
  WorkerData,
  "root" | "version" | "overlayDirectory" | "uid" | "gid" | "preserveOwner"
> {
  writeTimes: OverlayOptions["writeTimes"];
}

/** What is on this machine: blocks, and answers of the main thread. */
export interface Supplied {
  blocks: LocalBlocks;
  answers: AnswerMemory;
  /** Set where the kernel may read large files by itself; a writable mount has no use for it. */
  wholes?: WholeSource | undefined;
}

export interface ServedTree {
  readonly fileSystem: FileSystem;
  /** Runs an operation other than the kernel's; may throw `Missing`. @throws {DatasetError} `unsupported` */
  call(name: string, values: readonly unknown[]): unknown;
  close(): void;
}

/** Opens a version, with the overlay the description names. @throws {DatasetError} `format-damaged`, `format-newer` */
export function openServedTree(
  { root, version, overlayDirectory, uid, gid, preserveOwner, writeTimes }: ServedTreeOptions,
  { blocks, answers, wholes }: Supplied,
  prefetch: (blocks: readonly Block[]) => void,
): ServedTree {
  const tree = new Tree(openRoot(root), rangeLoader(blocks));
  const lineage = () => answers.get({ about: "lineage", version: version.id });
  const origins = new Origins(version.id, tree, blocks, lineage);
  const originOf = (ordinal: number) => origins.of(ordinal);
  const keepsWholes = wholes !== undefined;
  const files = new VersionFiles(tree, blocks, { uid, gid, preserveOwner, prefetch, keepsWholes, originOf });
  const facts = new FactsFolder(versionFacts(version, tree.root, lineage), { uid, gid });
  if (overlayDirectory === undefined) return readOnly(files, facts, wholes && new WholeFiles(files, wholes));
  const factOf: OverlayOptions["facts"] = (ordinal, name) => files.fact(ordinal, name);
  return overlaid(openOverlay(overlayDirectory, files, { facts: factOf, writeTimes }), facts);
}

function readOnly(files: VersionFiles, facts: FactsFolder, backings: WholeFiles | undefined): ServedTree {
  const call = (name: string) => refuse(name, "this mount is only read");
  const fileSystem = explained(readOnlyFileSystem(files, backings), facts);
  return { fileSystem, call, close: () => undefined };
}

function overlaid(overlay: Overlay, facts: FactsFolder): ServedTree {
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
