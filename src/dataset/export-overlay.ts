/**
 * Writes what an overlay added or changed into a local folder: the last resort when it cannot be committed. Modes, times
 * to the microsecond, and holes are kept; names of one file become files of their own.
 */
import { type FileHandle, chmod, mkdir, open, symlink, utimes } from "node:fs/promises";
import { dirname } from "node:path";
import { blockOfChunk } from "../cache/block.js";
import type { Cache } from "../cache/cache.js";
import { linkBlocks } from "../cache/link-blocks.js";
import type { ContentReader, Holes } from "../content/source.js";
import type { OverlaySnapshot } from "../fs/overlay/snapshot.js";
import { type Span, without } from "../fs/overlay/spans.js";
import { type Entry, EntryType, type FileEntry, type LinkEntry } from "../manifest/entry.js";
import type { Tree } from "../manifest/tree.js";
import { ROOT, bufferOf, bytesOfText } from "../paths.js";
import { MiB } from "../units.js";
import { DraftTree } from "./draft-tree.js";
import { stageOverlay } from "./overlay-changes.js";
import { Staging } from "./staging.js";

const READ_BYTES = 4 * MiB;
/** Who runs what was set-uid may be another than in the mount. */
const PERMISSION_BITS = 0o777;

/** Gives how many files were written. Folders come before what lies in them, and get their modes and times last. */
export async function exportOverlay(
  snapshot: OverlaySnapshot,
  base: Tree,
  cache: Cache,
  target: string,
): Promise<number> {
  const staging = Staging.open(":memory:");
  const folders: { at: Buffer; entry: Entry }[] = [];
  try {
    await stageOverlay(new DraftTree(staging, base, cache), base, snapshot, cache);
    const inodes = new Map([...staging.pending()].map(({ path, source }) => [path, source]));
    let files = 0;
    for (const edit of staging.edits()) {
      if (edit.type === 0) continue;
      const source = inodes.get(edit.path);
      const content = source?.kind === "overlay" ? await snapshot.openContent(source.ino) : undefined;
      const path = `${bytesOfText(target)}/${edit.path}`;
      await writeEntry(edit, path, content, cache).finally(() => content?.close());
      if (hasBytes(edit)) files++;
      if (edit.type === EntryType.directory && edit.path !== ROOT)
        folders.push({ at: bufferOf(path), entry: edit });
    }
    for (const { at, entry } of folders.reverse()) await setAttributes(at, entry);
    return files;
  } finally {
    staging.close();
  }
}

async function writeEntry(
  entry: Entry,
  path: string,
  content: ContentReader | undefined,
  cache: Cache,
): Promise<void> {
  const at = bufferOf(path);
  if (entry.type === EntryType.directory) {
    await mkdir(at, { recursive: true, mode: 0o700 });
    return;
  }
  await mkdir(bufferOf(dirname(path)), { recursive: true });
  if (entry.type === EntryType.symlink) await symlink(bufferOf(entry.target), at);
  if (!hasBytes(entry)) return;
  const file = await open(at, "wx", 0o600);
  try {
    if (content) await copyContent(content, file);
    else await copyBlocks(entry, file, cache);
  } finally {
    await file.close();
  }
  await setAttributes(at, entry);
}

async function copyContent(content: ContentReader, file: FileHandle): Promise<void> {
  const { sizeBytes, holes } = content;
  await file.truncate(sizeBytes);
  for (const { start, end } of dataOf({ start: 0, end: sizeBytes }, holes))
    for (let at = start; at < end; at += READ_BYTES)
      await writeFully(file, await content.read(at, Math.min(at + READ_BYTES, end)), at);
}

function hasBytes(entry: Entry): entry is FileEntry | LinkEntry {
  return entry.type === EntryType.file || entry.type === EntryType.link;
}

async function copyBlocks(entry: FileEntry | LinkEntry, file: FileHandle, cache: Cache): Promise<void> {
  const isFile = entry.type === EntryType.file;
  const blocks = isFile ? entry.chunks.map(blockOfChunk) : linkBlocks(entry);
  const holes = isFile ? entry.holes : undefined;
  await file.truncate(entry.sizeBytes);
  let start = 0;
  for (const block of blocks) {
    const runs = dataOf({ start, end: start + block.sizeBytes }, holes);
    const bytes = runs.length > 0 ? await cache.read(block) : undefined;
    for (const run of runs)
      await writeFully(file, bytes!.subarray(run.start - start, run.end - start), run.start);
    start += block.sizeBytes;
  }
}

function dataOf(span: Span, holes: Holes = []): Span[] {
  return without(
    holes.map(([start, end]) => ({ start, end })),
    span,
  );
}

/** A disk that fills up takes a part first, and fails at the next attempt. */
async function writeFully(file: FileHandle, bytes: Uint8Array, offset: number): Promise<void> {
  for (let done = 0; done < bytes.length;)
    done += (await file.write(bytes, done, bytes.length - done, offset + done)).bytesWritten;
}

async function setAttributes(at: Buffer, { mode, mtimeSec, mtimeNsec }: Entry): Promise<void> {
  await chmod(at, mode & PERMISSION_BITS);
  const mtime = mtimeSec + mtimeNsec / 1e9;
  await utimes(at, mtime, mtime);
}
