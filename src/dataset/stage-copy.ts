/**
 * Staging a whole tree whose content lies in other remotes: it is read from there, through the cache and so checked,
 * and stored anew by the upload that follows.
 */
import type { Cache } from "../cache/cache.js";
import { inBursts } from "../content/in-bursts.js";
import type { ContentReader } from "../content/source.js";
import { readerOf } from "../fs/overlay/snapshot-content.js";
import { type Entry, EntryType, type FileEntry } from "../manifest/entry.js";
import { TreeWalk } from "../manifest/tree-walk.js";
import { Effect, type Staging } from "./staging.js";
import type { LoadedTree } from "./version-tree.js";

/** Entries staged in one transaction. */
const BURST = 2_000;

/** Stages every entry of a tree as if it were new. Costs its ranges; no content is read yet. */
export async function stageCopy(staging: Staging, tree: LoadedTree): Promise<void> {
  for await (const entries of inBursts(entriesOf(tree), BURST))
    staging.transaction(() => entries.forEach((entry) => stageStored(staging, entry)));
}

/** Reads a file from where it is stored. */
export function openStored(cache: Cache, file: FileEntry): ContentReader {
  const { sizeBytes, holes } = file;
  return readerOf({
    sizeBytes,
    holes,
    local: [],
    baseSizeBytes: sizeBytes,
    base: file,
    readBlock: (block) => cache.read(block),
    dataPath: "",
    clone: undefined,
  });
}

/** Stages one entry as new; the content of a file is read from where it is stored. */
export function stageStored(staging: Staging, entry: Entry): void {
  if (entry.type !== EntryType.file || entry.sizeBytes === 0) staging.put(entry, Effect.content);
  else {
    const { sha256, chunks } = entry;
    staging.putPending(entry, { kind: "stored", sha256, chunks });
  }
}

async function* entriesOf({ tree, load }: LoadedTree): AsyncGenerator<Entry> {
  const walk = new TreeWalk(tree.root, load);
  while (!walk.atEnd) {
    const range = await walk.open();
    for (let index = 0; index < range.count; index++) yield range.entryAt(index);
    walk.skipRange();
  }
}
