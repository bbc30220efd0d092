/**
 * What an entry must be to be stored: numbers and lengths that a range has room for. Names, order and what else makes
 * a range valid is checked on its bytes (`range-check.ts`).
 */
import type { Chunk } from "../content/chunk.js";
import { DatasetError } from "../errors.js";
import { textOf } from "../paths.js";
import { type Entry, EntryType, type FileEntry, hardLinksOf } from "./entry.js";

const U32_MAX = 0xffff_ffff;
const U48_MAX = 2 ** 48 - 1;
const MODE_MAX = 0o7777;
const NSEC_MAX = 999_999_999;
const NAME_LENGTH_MAX = 0xff;
const PATH_LENGTH_MAX = 0xffff;

/** @throws {DatasetError} `bad-input` for an entry that a range cannot hold */
export function checkEntry(entry: Entry): void {
  if (!isWhole(entry.mode, MODE_MAX)) throw unfit(entry, `mode ${entry.mode}`);
  if (!isWhole(entry.uid, U32_MAX) || !isWhole(entry.gid, U32_MAX)) throw unfit(entry, "such owners");
  if (!Number.isSafeInteger(entry.mtimeSec) || !isWhole(entry.mtimeNsec, NSEC_MAX))
    throw unfit(entry, "such a time");
  if (entry.path.length > PATH_LENGTH_MAX) throw unfit(entry, "so long a path");
  if (entry.path.length - entry.path.lastIndexOf("/") - 1 > NAME_LENGTH_MAX)
    throw unfit(entry, "so long a name");
  if (entry.xattrs) checkXattrs(entry, entry.xattrs);
  for (const path of hardLinksOf(entry) ?? []) checkLength(entry, path);
  if (entry.type === EntryType.file) checkFile(entry);
  else if (entry.type === EntryType.symlink) checkLength(entry, entry.target);
  else if (entry.type === EntryType.link && !isWhole(entry.sizeBytes))
    throw unfit(entry, `size ${entry.sizeBytes}`);
}

/** A failure of one entry. */
export function unfit({ path }: Entry, problem: string): DatasetError<"bad-input"> {
  const shown = JSON.stringify(textOf(path.slice(0, 300)));
  return new DatasetError("bad-input", { value: textOf(path) }, `Cannot store ${shown} with ${problem}`);
}

function checkXattrs(entry: Entry, xattrs: ReadonlyMap<string, Uint8Array>): void {
  for (const name of xattrs.keys()) checkLength(entry, name);
}

function checkLength(entry: Entry, text: string): void {
  if (text.length > PATH_LENGTH_MAX) throw unfit(entry, `"${text.slice(0, 80)}…", which is too long`);
}

function checkFile(file: FileEntry): void {
  const { sizeBytes, sha256, chunks } = file;
  if (!isWhole(sizeBytes)) throw unfit(file, `size ${sizeBytes}`);
  let left = sizeBytes;
  for (const chunk of chunks) {
    if (!fits(chunk)) throw unfit(file, `a chunk of ${chunk.sizeBytes} bytes at ${chunk.offset}`);
    left -= chunk.sizeBytes;
  }
  if (left !== 0) throw unfit(file, `chunks of ${sizeBytes - left} bytes and size ${sizeBytes}`);
  if (chunks.length === 1 && chunks[0]!.hash !== sha256) throw unfit(file, "one chunk of another hash");
}

function fits({ sizeBytes, storedBytes, offset }: Chunk): boolean {
  return isWhole(sizeBytes, U32_MAX) && isWhole(storedBytes, U32_MAX) && isWhole(offset, U48_MAX);
}

function isWhole(value: number, max = Number.MAX_SAFE_INTEGER): boolean {
  return Number.isSafeInteger(value) && value >= 0 && value <= max;
}
