/** From a version's root to its files, with what explains them. */
import type { Block, LocalBlocks } from "../cache/block.js";
import { type ExpectedTree, matchRoot } from "../manifest/outline.js";
import type { Range } from "../manifest/range.js";
import type { RangeRef } from "../manifest/range-ref.js";
import { openRoot } from "../manifest/root.js";
import { Tree } from "../manifest/tree.js";
import { FactsFolder } from "./explain/facts-folder.js";
import { Origins } from "./explain/origins.js";
import { type NamedVersion, versionFacts } from "./explain/version-facts.js";
import type { AnswerMemory } from "./questions.js";
import { VersionFiles } from "./version-files.js";
import type { WholeSource } from "./whole-files.js";

/** Whom entries belong to: `uid` and `gid`, or with `preserveOwner` whom they keep. Others look in where it `isShared`. */
export interface Owner {
  uid: number;
  gid: number;
  preserveOwner: boolean;
  isShared?: boolean | undefined;
}

/** What is on this machine, and how it comes to be. */
export interface Supplied {
  blocks: LocalBlocks;
  /** Answers that the main thread has given. */
  answers: AnswerMemory;
  /** Told of blocks that are likely to be read soon. */
  prefetch: (blocks: readonly Block[]) => void;
  /** Gives a range; throws `Missing` for one that is not here. */
  load: (ref: RangeRef) => Range;
  /** Set where the kernel may read large files by itself. */
  wholes?: WholeSource | undefined;
}

/** A version's files, and the files of its `.varve`. */
export interface OpenVersion {
  files: VersionFiles;
  facts: FactsFolder;
}

/** A version to be opened: the bytes of its root, and what they must be. */
export interface RootedVersion {
  version: NamedVersion;
  root: Uint8Array;
  expected?: ExpectedTree | undefined;
}

/** Opens a version from the bytes of its root. @throws {DatasetError} `format-damaged`, `format-newer`, `untrusted` */
export function openVersion(
  { version, root: bytes, expected }: RootedVersion,
  owner: Owner,
  { blocks, answers, prefetch, load, wholes }: Supplied,
): OpenVersion {
  const root = openRoot(bytes);
  const tree = new Tree(expected ? matchRoot(root, expected) : root, load);
  const lineage = () => answers.get({ about: "lineage", version: version.id });
  const origins = new Origins(version.id, tree, blocks, lineage);
  const originOf = (ordinal: number) => origins.of(ordinal);
  return {
    files: new VersionFiles(tree, blocks, {
      ...owner,
      prefetch,
      keepsWholes: wholes !== undefined,
      originOf,
    }),
    facts: new FactsFolder(versionFacts(version, tree.root, lineage), { uid: owner.uid, gid: owner.gid }),
  };
}
