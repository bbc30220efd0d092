/** What lies in a version or a draft: listings and the bytes of one file. */
import type { Cache } from "../cache/cache.js";
import { type Block, blockOfChunk } from "../cache/block.js";
import { linkBlocks } from "../cache/link-blocks.js";
import { DatasetError } from "../errors.js";
import { type Entry, EntryType } from "../manifest/entry.js";
import type { Tree } from "../manifest/tree.js";
import { ROOT, type TreePath, nameOf, pathOfText, textOf } from "../paths.js";
import { depthFirst } from "./depth-first.js";
import type { OptionNames } from "./known-options.js";
import type { Listing } from "./select-entries.js";
import { type Patterns, type Wildcards, isWildcard, wildcardsOf } from "./wildcard.js";

export interface ListOptions {
  /** Default true: what lies in folders below is listed too. */
  recursive?: boolean | undefined;
  /** What to list, held against paths below the folder; all when there is none. What each pattern means: `docs/wildcards.md`. */
  wildcards?: Patterns | undefined;
}

export const LIST_OPTIONS: OptionNames<ListOptions> = { recursive: true, wildcards: true };

/**
 * Lists below a folder, parents before what they hold, names in order. A text that is no path of the version may be a
 * pattern for paths from its root on.
 *
 * @throws {DatasetError} `path-missing`
 */
export async function* list(listing: Listing, text: string, options: ListOptions = {}): AsyncIterable<Entry> {
  const directory = pathOfText(text);
  const entry = await listing.get(directory);
  const isPattern = !entry && isWildcard(text) && options.wildcards === undefined;
  const wildcards = wildcardsOf(isPattern ? text : options.wildcards, options);
  const { type, path } = isPattern
    ? { type: EntryType.directory, path: ROOT }
    : expectEntry(entry, directory);
  if (type !== EntryType.directory) yield expectEntry(entry, directory);
  else yield* listDirectory(listing, path, wildcards);
}

/** A finished version, to be looked into through the cache. */
export function listingOf(cache: Cache, tree: Tree): Listing {
  return {
    get: (path) =>
      cache.complete(() => {
        const ordinal = tree.find(path);
        return ordinal === undefined ? undefined : tree.entry(ordinal);
      }),
    async *children(directory) {
      const { start, end } = await cache.complete(() => tree.children(directory));
      for (let ordinal = start; ordinal < end; ordinal++)
        yield await cache.complete(() => tree.entry(ordinal));
    },
  };
}

/** The entry at a path of a finished version. @throws {DatasetError} `path-missing` */
export async function entryAt(cache: Cache, tree: Tree, path: TreePath): Promise<Entry> {
  return expectEntry(await listingOf(cache, tree).get(path), path);
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

/** An entry on the way down. */
interface Listed {
  entry: Entry;
  /** Below where the listing began. */
  relative: string;
  /** Whether a wildcard names it, or a folder it lies in. */
  isNamed: boolean;
}

async function* listDirectory(
  listing: Listing,
  directory: TreePath,
  wildcards: Wildcards,
): AsyncIterable<Entry> {
  const inside = ({ entry, relative, isNamed }: Listed) =>
    isFolder(entry) && (isNamed || wildcards.mayNameBelow(relative))
      ? childrenOf(listing, entry.path, wildcards, relative, isNamed)
      : undefined;
  const first = childrenOf(listing, directory, wildcards, "", false);
  for await (const { entry, isNamed } of depthFirst(first, inside))
    if (isNamed || (wildcards.areNone && isFolder(entry))) yield entry;
}

async function* childrenOf(
  listing: Listing,
  directory: TreePath,
  wildcards: Wildcards,
  above: string,
  isTaken: boolean,
): AsyncGenerator<Listed> {
  for await (const entry of await listing.children(directory)) {
    const relative = above === "" ? nameOf(entry.path) : `${above}/${nameOf(entry.path)}`;
    const isNamed = isTaken || wildcards.names(relative, isFolder(entry) ? "folder" : "file");
    yield { entry, relative, isNamed };
  }
}

function isFolder({ type }: Entry): boolean {
  return type === EntryType.directory;
}
