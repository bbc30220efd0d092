/** Writes what an overlay added or changed into a local folder: the last resort when it cannot be committed. */
import { mkdir, open, symlink, utimes } from "node:fs/promises";
import { dirname } from "node:path";
import { blockOfChunk } from "../cache/block.js";
import type { Cache } from "../cache/cache.js";
import type { ContentReader } from "../content/source.js";
import type { OverlaySnapshot } from "../fs/overlay/snapshot.js";
import { type Entry, EntryType, type FileEntry } from "../manifest/entry.js";
import type { Tree } from "../manifest/tree.js";
import { bufferOf, bytesOfText } from "../paths.js";
import { MiB } from "../units.js";
import { DraftTree } from "./draft-tree.js";
import { stageOverlay } from "./overlay-changes.js";
import { Staging } from "./staging.js";

const READ_BYTES = 4 * MiB;

/** Gives how many files were written. Folders come before what lies in them. */
export async function exportOverlay(
  snapshot: OverlaySnapshot,
  base: Tree,
  cache: Cache,
  target: string,
): Promise<number> {
  const staging = Staging.open(":memory:");
  try {
    await stageOverlay(new DraftTree(staging, base, cache), base, snapshot, cache);
    const inodes = new Map([...staging.pending()].map(({ path, source }) => [path, source]));
    let files = 0;
    for (const edit of staging.edits()) {
      if (edit.type === 0) continue;
      const source = inodes.get(edit.path);
      const content = source?.kind === "overlay" ? snapshot.openContent(source.ino) : undefined;
      await writeEntry(edit, `${bytesOfText(target)}/${edit.path}`, content, cache);
      if (edit.type === EntryType.file) files++;
    }
    return files;
  } finally {
    staging.close();
  }
}

async function writeEntry(
  entry: Entry,
  path: string,
  content: ContentReader | Promise<ContentReader> | undefined,
  cache: Cache,
): Promise<void> {
  const at = bufferOf(path);
  if (entry.type === EntryType.directory) {
    await mkdir(at, { recursive: true });
    return;
  }
  await mkdir(bufferOf(dirname(path)), { recursive: true });
  if (entry.type === EntryType.symlink) await symlink(bufferOf(entry.target), at);
  if (entry.type !== EntryType.file) return;
  const file = await open(at, "w", entry.mode & 0o777);
  try {
    for await (const bytes of content ? bytesOf(await content) : chunksOf(entry, cache))
      await file.write(bytes);
  } finally {
    await file.close();
  }
  await utimes(at, entry.mtimeSec, entry.mtimeSec);
}

async function* bytesOf(content: ContentReader): AsyncIterable<Uint8Array> {
  for (let at = 0; at < content.sizeBytes; at += READ_BYTES)
    yield await content.read(at, Math.min(at + READ_BYTES, content.sizeBytes));
  await content.close();
}

async function* chunksOf(entry: FileEntry, cache: Cache): AsyncIterable<Uint8Array> {
  for (const chunk of entry.chunks) yield cache.read(blockOfChunk(chunk));
}
