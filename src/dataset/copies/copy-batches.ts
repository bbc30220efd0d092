/** The entries of a version in the order of its tree, in batches of a size that a thread and the memory take well. */
import type { Cache } from "../../cache/cache.js";
import { type Entry, EntryType } from "../../manifest/entry.js";
import { damaged } from "../../manifest/binary.js";
import type { Tree } from "../../manifest/tree.js";
import { type TreePath, textOf } from "../../paths.js";
import { MiB } from "../../units.js";
import { type Selection, rangesOf } from "./selection.js";

export interface Batch {
  entries: Entry[];
  /** Of each entry, in rising order. */
  ordinals: number[];
}

/** A message to a thread costs 0.1 ms, a small file 40 µs of it. */
const BATCH_ENTRIES = 1_024;
/** A file of more is written piece by piece, alone. */
export const BATCH_BYTES = 4 * MiB;

/** Folders, or all the rest, that are selected. A large file has a batch to itself. */
export async function* batchesOf(
  cache: Cache,
  tree: Tree,
  selection: Selection,
  what: "folders" | "contents",
): AsyncGenerator<Batch> {
  let batch: Batch = { entries: [], ordinals: [] };
  let bytes = 0;
  let folder: TreePath | undefined;
  for await (const { range, ordinal: first } of rangesOf(cache, tree))
    for (let index = 0; index < range.count; index++) {
      const isFolder = range.typeAt(index) === EntryType.directory;
      if (isFolder !== (what === "folders") || !selection.has(first + index)) continue;
      const parent = range.parentAt(index);
      if (parent !== folder) await requireFolder(cache, tree, (folder = parent));
      const sizeBytes = range.sizeAt(index);
      if (bytes + sizeBytes > BATCH_BYTES || batch.entries.length === BATCH_ENTRIES) {
        if (batch.entries.length > 0) yield batch;
        batch = { entries: [], ordinals: [] };
        bytes = 0;
      }
      batch.entries.push(range.entryAt(index));
      batch.ordinals.push(first + index);
      bytes += sizeBytes;
    }
  if (batch.entries.length > 0) yield batch;
}

/**
 * What is written below a folder must have that as a folder: below a symbolic link it would be written where that leads.
 * @throws {DatasetError} `format-damaged` for a tree that no varve makes
 */
async function requireFolder(cache: Cache, tree: Tree, path: TreePath): Promise<void> {
  const type = await cache.complete(() => {
    const ordinal = tree.find(path);
    return ordinal === undefined ? undefined : tree.type(ordinal);
  });
  if (type !== EntryType.directory) throw damaged("tree", `"${textOf(path)}" holds entries and is no folder`);
}

/** Those of a batch at these indexes. */
export function pick({ entries, ordinals }: Batch, indexes: readonly number[]): Batch {
  return { entries: indexes.map((at) => entries[at]!), ordinals: indexes.map((at) => ordinals[at]!) };
}
