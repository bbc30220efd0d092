/**
 * Files under `blocks/`: made once, whole, aside, then renamed; removed when evicted; orphans swept. Reading them is
 * `open-files.ts`; which of them count, and what lies in them, is known by the index alone.
 */
import { randomUUID } from "node:crypto";
import { type FileHandle, open, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";

import type { Sha256 } from "../content/chunk.js";
import { sha256 } from "../content/hash.js";
import { errnoOf } from "../errors.js";
import { type CacheFolder, blockPath } from "./folder.js";
import type { FileFacts, LaidBlock } from "./index-db.js";
import { isLinkBlock } from "./link-blocks.js";

/** Blocks to be laid in one file, in this order. */
export type Fill = ReadonlyMap<Sha256, Uint8Array>;

/** A file nobody knows may be one that is just being added; nobody takes this long. */
const ORPHAN_AGE_MS = 3_600_000;

/**
 * Lays blocks end to end in a new file. It is not synced: see `currentBoot`.
 * The index does not know the file yet: a crash from here on leaves an orphan, never a row without its file.
 */
export async function writeBlockFile(folder: CacheFolder, fill: Fill): Promise<Omit<FileFacts, "boot">> {
  const name = randomUUID();
  const path = join(folder.blocksDir, name);
  const aside = await open(`${path}.part`, "wx", folder.fileMode);
  try {
    await aside.chmod(folder.fileMode); // The umask has not heard that a cache is shared.
    await writeAll(aside, [...fill.values()]);
    await rename(`${path}.part`, path);
    return { name, ...(await factsOf(aside)) };
  } catch (error) {
    await rm(`${path}.part`, { force: true });
    throw error;
  } finally {
    await aside.close();
  }
}

/** A disk that fills up takes a part first; writing on, it says why. */
async function writeAll(file: FileHandle, blocks: readonly Uint8Array[]): Promise<void> {
  const wantedBytes = blocks.reduce((total, { byteLength }) => total + byteLength, 0);
  const { bytesWritten } = await file.writev(blocks);
  if (bytesWritten < wantedBytes) await file.writeFile(Buffer.concat(blocks).subarray(bytesWritten));
}

/** Where each block lies in the file that `writeBlockFile` makes of a fill. */
export function placesIn(fill: Fill): LaidBlock[] {
  let end = 0;
  return [...fill].map(([hash, bytes]) => {
    const offset = end;
    end += bytes.byteLength;
    return {
      hash,
      offset,
      sizeBytes: bytes.byteLength,
      content: isLinkBlock(hash) ? sha256(bytes) : undefined,
    };
  });
}

export async function removeBlockFile(folder: CacheFolder, name: string): Promise<void> {
  await rm(blockPath(folder, name), { force: true });
}

/**
 * Removes files the index does not know: those older than an hour, and those older than the index, which were another's.
 * `known` is asked after the folder was listed, so that a file added in between is not taken for an orphan. Gives how
 * many there were.
 */
export async function sweepOrphans(
  folder: CacheFolder,
  bornMs: number,
  known: () => Set<string>,
): Promise<number> {
  const names = await readdir(folder.blocksDir);
  const kept = known();
  const oldMs = Math.max(bornMs, Date.now() - ORPHAN_AGE_MS);
  let orphans = 0;
  for (const name of names) {
    const path = join(folder.blocksDir, name);
    if (kept.has(name) || (await modifiedMs(path)) >= oldMs) continue;
    await rm(path, { recursive: true, force: true });
    orphans++;
  }
  return orphans;
}

async function factsOf(file: FileHandle): Promise<Omit<FileFacts, "name" | "boot">> {
  const { size, blocks, ctimeMs } = await file.stat();
  return { sizeBytes: size, diskBytes: Math.max(size, blocks * 512), ctimeMs };
}

/** A file that is gone is as good as new: nothing is left to remove. */
async function modifiedMs(path: string): Promise<number> {
  const gone = (error: unknown) => {
    if (errnoOf(error) === "ENOENT") return { mtimeMs: Infinity };
    throw error;
  };
  return (await stat(path).catch(gone)).mtimeMs;
}
