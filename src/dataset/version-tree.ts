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
import { Tree } from "../manifest/tree.js";

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

/** Opens the tree of a finished version. Costs its root; ranges are read as they are asked for. */
export async function openVersionTree(cache: Cache, version: VersionRow): Promise<Tree> {
  const root = openRoot(await cache.read(rootBlockOf(version)));
  return treeOf(cache, root);
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
  tree: Tree;
  load: LoadRange;
}

/**
 * A tree with edits laid over it whose new ranges are in no remote, only in memory: for merges and comparisons. The
 * base may itself be such a tree.
 */
export async function editInMemory(
  cache: Cache,
  base: Tree | LoadedTree | undefined,
  edits: Iterable<Edit> | AsyncIterable<Edit>,
  remote: RemoteId,
): Promise<LoadedTree> {
  const made = new Map<Sha256, Range>();
  const below = base && !(base instanceof Tree) ? base : undefined;
  const loadBelow = below?.load ?? asyncRangeLoader(cache);
  const load: LoadRange = async (ref) => made.get(ref.object) ?? loadBelow(ref);
  const put = async (range: EncodedRange) => {
    made.set(range.object, openRange(range.bytes, remote));
  };
  const edited = await editTree(base instanceof Tree ? base : below?.tree, edits, { load, put, remote });
  const loaded = new Map<Sha256, Range>();
  for (const ref of edited.ranges) loaded.set(ref.object, await load(ref));
  const root = openRoot(encodeRoot({ ranges: edited.ranges, segments: [], remote }));
  return { tree: new Tree(root, (ref) => loaded.get(ref.object)!), load };
}
