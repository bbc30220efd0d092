/**
 * What the files of an overlay hold, for a comparison with the last live commit: that commit has their hashes, the
 * overlay only their bytes.
 */
import type { Cache } from "../cache/cache.js";
import { Codec, type RemoteId, type Sha256 } from "../content/chunk.js";
import { RunningSha256 } from "../content/hash.js";
import type { ContentReader } from "../content/source.js";
import { type Entry, EntryType, type FileEntry } from "../manifest/entry.js";
import type { Tree } from "../manifest/tree.js";
import type { TreePath } from "../paths.js";
import { MiB } from "../units.js";
import { Effect, type Staging } from "./staging.js";

export interface LastCommit {
  tree: Tree;
  remote: RemoteId;
  /** Unix ms; at or after the moment that was committed. */
  createdAtMs: number;
}

/** How long before the commit a file must have been written last: it may be written again within one tick of the clock. */
const SETTLED_MS = 60_000;
const READ_BYTES = 4 * MiB;

/**
 * Gives staged files their content. One that has size and time of the last commit, and is older than it, has its
 * content too; another is read and hashed, unless its size tells already that it is changed.
 */
export async function recognizeContent(
  staging: Staging,
  openContent: (ino: number) => Promise<ContentReader>,
  last: LastCommit,
  cache: Cache,
): Promise<void> {
  for (const { entry, source } of staging.pending()) {
    const before = await cache.complete(() => fileIn(last.tree, entry.path));
    if (source.kind !== "overlay" || (before && before.sizeBytes !== entry.sizeBytes)) continue;
    const content =
      before && isAsCommitted(entry, before, last)
        ? contentOf(before)
        : await read(openContent, source.ino, last);
    staging.put({ ...entry, ...content }, Effect.content);
  }
}

/** A file of some content whose chunks lie nowhere yet. */
export function unstored(
  sha256: Sha256,
  sizeBytes: number,
  remote: RemoteId,
): Pick<FileEntry, "sha256" | "chunks"> {
  const place = { remote, pack: sha256, offset: 0, storedBytes: sizeBytes, codec: Codec.raw };
  return { sha256, chunks: sizeBytes > 0 ? [{ hash: sha256, sizeBytes, ...place }] : [] };
}

function fileIn(tree: Tree, path: TreePath): FileEntry | undefined {
  const ordinal = tree.find(path);
  const entry: Entry | undefined = ordinal === undefined ? undefined : tree.entry(ordinal);
  return entry?.type === EntryType.file ? entry : undefined;
}

function isAsCommitted(now: FileEntry, before: FileEntry, { createdAtMs }: LastCommit): boolean {
  const isSameTime = now.mtimeSec === before.mtimeSec && now.mtimeNsec === before.mtimeNsec;
  return isSameTime && now.mtimeSec * 1_000 < createdAtMs - SETTLED_MS;
}

function contentOf({ sha256, chunks, holes }: FileEntry): Pick<FileEntry, "sha256" | "chunks" | "holes"> {
  return { sha256, chunks, holes };
}

async function read(
  openContent: (ino: number) => Promise<ContentReader>,
  ino: number,
  { remote }: LastCommit,
): Promise<Pick<FileEntry, "sha256" | "chunks" | "holes">> {
  const reader = await openContent(ino);
  try {
    const { sizeBytes, holes } = reader;
    const hash = new RunningSha256();
    for (let at = 0; at < sizeBytes; at += READ_BYTES)
      hash.update(await reader.read(at, Math.min(sizeBytes, at + READ_BYTES)));
    return { ...unstored(hash.digest(), sizeBytes, remote), holes };
  } finally {
    await reader.close();
  }
}
