/** From a version's row to its tree: its root and ranges, read through the cache. */
import type { Cache } from "../cache/cache.js";
import type { Block } from "../cache/block.js";
import type { VersionRow } from "../catalog/catalog.js";
import { Codec, type RemoteId, type Sha256 } from "../content/chunk.js";
import { DatasetError } from "../errors.js";
import { rangeLoader } from "../fs/range-loader.js";
import { editTree } from "../manifest/edit.js";
import type { Edit } from "../manifest/entry.js";
import { type EncodedRange, type Range, openRange, openRangeOf } from "../manifest/range.js";
import { type LoadRange, blockOfRange } from "../manifest/range-ref.js";
import { type Root, encodeRoot, openRoot } from "../manifest/root.js";
import { type ExpectedTree, matchRoot } from "../manifest/outline.js";
import { Tree } from "../manifest/tree.js";
import type { StoredTree } from "../manifest/tree-walk.js";
import { asksForSignatures } from "./signing/asked.js";
import type { Workspace } from "./workspace.js";

/** What of a workspace reading a version needs. */
export type ReadingWorkspace = Pick<Workspace, "home" | "catalogOf" | "cache">;

/** The block that holds a finished version's root. @throws {DatasetError} `version-unfinished` */
export function rootBlockOf(version: VersionRow): Block {
  const { rootKey, rootHash, rootBytes, remoteId } = version;
  if (rootKey === null || rootHash === null || rootBytes === null) {
    const message = `Cannot read the version "${version.label}": it has no manifest yet`;
    throw new DatasetError("version-unfinished", { version: version.label }, message);
  }
  return {
    hash: rootHash as Sha256,
    sizeBytes: rootBytes,
    remote: remoteId as RemoteId,
    key: rootKey,
    offset: 0,
    storedBytes: rootBytes,
    codec: Codec.raw,
  };
}

/**
 * Opens the tree of a finished version. Costs its root; ranges are read as they are asked for.
 *
 * @throws {DatasetError} `version-unfinished`; `untrusted` where it must be signed and is not; `format-damaged`
 */
export async function openVersionTree(workspace: ReadingWorkspace, version: VersionRow): Promise<Tree> {
  const block = rootBlockOf(version);
  const expected = await expectedTree(workspace, version);
  const cache = await workspace.cache();
  return treeOf(cache, matchRoot(openRoot(await cache.read(block)), expected));
}

/**
 * What the root of a version must be: that of its digests, and where it must be signed, the one that was.
 *
 * @throws {DatasetError} `untrusted`; `bad-input`, `format-damaged` for keys that cannot be read
 */
export async function expectedTree(
  workspace: Pick<ReadingWorkspace, "home" | "catalogOf">,
  version: VersionRow,
): Promise<ExpectedTree> {
  const expected = { tree: version.treeDigest, content: version.contentDigest };
  if (!asksForSignatures(workspace.home)) return expected;
  const { signedOutline } = await import("./signing/signatures.js");
  return { ...expected, outline: await signedOutline(workspace, version) };
}

/** A tree over ranges that lie in remotes. */
export function treeOf(cache: Cache, root: Root): Tree {
  return new Tree(root, rangeLoader(cache.local));
}

/** Loads ranges for code that may wait: merge, diff and edit. */
export function asyncRangeLoader(cache: Cache): LoadRange {
  return async (ref) => openRangeOf(await cache.read(blockOfRange(ref)), ref);
}

/** A tree together with what loads its ranges for code that may wait. */
export interface LoadedTree {
  tree: StoredTree;
  load: LoadRange;
  /** Its ranges that are in memory alone, by the hash of their objects. Default: none. */
  made?: ReadonlyMap<Sha256, Range> | undefined;
}

/** Loads the ranges of two trees, of which either may be in memory. */
export function loadsBoth(a: LoadedTree, b: LoadedTree): LoadRange {
  return async (ref) => a.made?.get(ref.object) ?? b.load(ref);
}

/** A stored tree, its ranges read through the cache. */
export function loadedTree(cache: Cache, tree: StoredTree): LoadedTree {
  return { tree, load: asyncRangeLoader(cache) };
}

/**
 * A tree with edits laid over it whose new ranges are in no remote, only in memory: for merges and comparisons. The
 * base may itself be such a tree. Costs what the edits touch.
 *
 * @param made Where the new ranges go, for who works on several such trees at once.
 */
export async function editInMemory(
  base: LoadedTree,
  edits: Iterable<Edit> | AsyncIterable<Edit>,
  remote: RemoteId,
  made: Map<Sha256, Range> = new Map(),
): Promise<LoadedTree> {
  const load: LoadRange = async (ref) => made.get(ref.object) ?? base.load(ref);
  const put = async (range: EncodedRange) => {
    made.set(range.object, openRange(range.bytes, remote));
  };
  const { ranges } = await editTree(base.tree, edits, { load, put, remote });
  return { tree: { root: openRoot(encodeRoot({ ranges, segments: [], remote })) }, load, made };
}

/** What a version without parents starts from. */
export function emptyTree(remote: RemoteId): StoredTree {
  return { root: openRoot(encodeRoot({ ranges: [], segments: [], remote })) };
}
