/** What lies in a version or a draft: listings and the bytes of one file. */
import type { Cache } from "../cache/cache.js";
import { type Block, blockOfChunk } from "../cache/block.js";
import { linkBlocks } from "../cache/link-blocks.js";
import { DatasetError } from "../errors.js";
import { type Entry, EntryType } from "../manifest/entry.js";
import type { Tree } from "../manifest/tree.js";
import { type TreePath, textOf } from "../paths.js";
import type { DraftTree } from "./draft-tree.js";

export interface ListOptions {
  /** Default true: what lies in folders below is listed too. */
  recursive?: boolean | undefined;
}

/** Lists below a directory of a finished version, in tree order within each directory. @throws {DatasetError} `path-missing` */
export async function* listTree(
  cache: Cache,
  tree: Tree,
  directory: TreePath,
  options: ListOptions = {},
): AsyncIterable<Entry> {
  const entry = await entryAt(cache, tree, directory);
  if (entry.type !== EntryType.directory) yield entry;
  else yield* listDirectory(cache, tree, directory, options.recursive ?? true);
}

/** Lists below a directory of a draft as it stands. @throws {DatasetError} `path-missing` */
export async function* listDraft(
  tree: DraftTree,
  directory: TreePath,
  options: ListOptions = {},
): AsyncIterable<Entry> {
  const entry = expectEntry(await tree.get(directory), directory);
  if (entry.type !== EntryType.directory) yield entry;
  else if (options.recursive ?? true) yield* tree.below(directory);
  else yield* await tree.children(directory);
}

/** The entry at a path of a finished version. @throws {DatasetError} `path-missing` */
export async function entryAt(cache: Cache, tree: Tree, path: TreePath): Promise<Entry> {
  const entry = await cache.complete(() => {
    const ordinal = tree.find(path);
    return ordinal === undefined ? undefined : tree.entry(ordinal);
  });
  return expectEntry(entry, path);
}

/** The bytes of a file, or of an external one, block after block. @throws {DatasetError} `path-missing`, `unsupported` for a directory */
export async function* readFile(cache: Cache, tree: Tree, path: TreePath): AsyncIterable<Uint8Array> {
  const entry = await entryAt(cache, tree, path);
  if (entry.type !== EntryType.file && entry.type !== EntryType.link) {
    const shown = textOf(path);
    const message = `Cannot read "${shown}": it is a ${KIND[entry.type]}, not a file`;
    throw new DatasetError("unsupported", { what: shown }, message);
  }
  const blocks = entry.type === EntryType.file ? entry.chunks.map(blockOfChunk) : linkBlocks(entry);
  for (const batch of batchesOf(blocks)) yield* await cache.readMany(batch);
}

function* batchesOf(blocks: Iterable<Block>): Generator<Block[]> {
  let batch: Block[] = [];
  for (const block of blocks) {
    batch.push(block);
    if (batch.length < READ_BLOCKS) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/** Blocks fetched together when a file is read from its start: about 8 MiB. */
const READ_BLOCKS = 8;

const KIND = {
  [EntryType.directory]: "folder",
  [EntryType.symlink]: "symbolic link",
} as const;

function expectEntry(entry: Entry | undefined, path: TreePath): Entry {
  if (entry) return entry;
  const shown = textOf(path);
  const message = `Cannot find "${shown}": the version has no such path`;
  throw new DatasetError("path-missing", { path: shown }, message);
}

async function* listDirectory(
  cache: Cache,
  tree: Tree,
  directory: TreePath,
  recursive: boolean,
): AsyncIterable<Entry> {
  const { start, end } = await cache.complete(() => tree.children(directory));
  for (let ordinal = start; ordinal < end; ordinal++) {
    const entry = await cache.complete(() => tree.entry(ordinal));
    yield entry;
    if (recursive && entry.type === EntryType.directory) yield* listDirectory(cache, tree, entry.path, true);
  }
}
