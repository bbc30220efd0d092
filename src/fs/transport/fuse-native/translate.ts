/** Between the values of `FileSystem` and those of fuse-native, which are smaller: what does not fit is said here. */
import { isUtf8 } from "node:buffer";

import { bufferOf, textOf } from "../../../paths.js";
import { KiB } from "../../../units.js";
import type { Attributes, FileSystemStats } from "../../filesystem.js";
import type { Stat, Statvfs } from "./library.js";

const BLOCK_BYTES = 4 * KiB;
/** `stat(2)` counts room in these, whatever the file system. */
const STAT_BLOCK_BYTES = 512;
const UINT32_VALUES = 2 ** 32;
const UINT64_VALUES = 2 ** 64;
const NAME_MAX_BYTES = 255;

/** What libfuse renames an open file to when it is removed. Source: libfuse 2.9, `hidden_name` in `lib/fuse.c` */
const HIDDEN_NAME = /^\.fuse_hidden[0-9a-f]{16}$/;

export function isHiddenName(name: string): boolean {
  return HIDDEN_NAME.test(name);
}

/** A byte string as the UTF-8 text fuse-native takes; undefined when it is none. */
export function exactTextOf(bytes: string): string | undefined {
  return isUtf8(bufferOf(bytes)) ? textOf(bytes) : undefined;
}

export function statOf(attributes: Attributes): Stat {
  const { mode, uid, gid, sizeBytes, nlink, ino, rdev, allocatedBytes } = attributes;
  const mtime = msOf(attributes.mtimeSec, attributes.mtimeNsec);
  const times = { atime: mtime, mtime, ctime: msOf(attributes.ctimeSec, attributes.ctimeNsec) };
  const blocks = Math.ceil(allocatedBytes / STAT_BLOCK_BYTES);
  return { mode, uid, gid, size: sizeBytes, nlink, ino, rdev, blksize: BLOCK_BYTES, blocks, ...times };
}

/** Blocks as large as it takes for their number to fit. */
export function statvfsOf({ totalBytes, freeBytes, totalFiles, freeFiles }: FileSystemStats): Statvfs {
  let bsize = BLOCK_BYTES;
  while (totalBytes / bsize >= UINT32_VALUES) bsize *= 2;
  const [blocks, bfree] = [Math.ceil(totalBytes / bsize), Math.floor(freeBytes / bsize)];
  const [files, ffree] = [totalFiles, freeFiles].map((count) => Math.min(count, UINT32_VALUES - 1)) as [
    number,
    number,
  ];
  return {
    bsize,
    frsize: bsize,
    blocks,
    bfree,
    bavail: bfree,
    files,
    ffree,
    favail: ffree,
    namemax: NAME_MAX_BYTES,
  };
}

/** A time as it arrives: milliseconds, those before 1970 as if they were unsigned. */
export function timeOf(arrivedMs: number): { sec: number; nsec: number } {
  const ms = arrivedMs >= UINT64_VALUES / 2 ? arrivedMs - UINT64_VALUES : arrivedMs;
  const sec = Math.floor(ms / 1000);
  return { sec, nsec: Math.round((ms - sec * 1000) * 1_000_000) };
}

/** Times before 1970 cannot be shown, and are shown as 1970. */
function msOf(sec: number, nsec: number): number {
  return Math.max(0, sec * 1000 + Math.floor(nsec / 1_000_000));
}
