/** The holes of a sparse file, by lseek(2), which Node does not offer. Runs in the workers. */
import { createRequire } from "node:module";
import type koffi from "koffi";
import type { Holes } from "./source.js";

/**
 * Source: https://man7.org/linux/man-pages/man2/lseek.2.html
 * (Darwin numbers them the other way round.)
 */
const SEEK_DATA = process.platform === "darwin" ? 4 : 3;
const SEEK_HOLE = process.platform === "darwin" ? 3 : 4;
const STAT_BLOCK_BYTES = 512;

/** More than these are not recorded: a manifest entry should stay small, and such a file gains little from them. */
const MAX_HOLES = 4096;

type Seek = (fd: number, offset: number, whence: number) => number | bigint;
let seek: Seek | undefined;

/** Whether a file of these facts may have holes; compression looks the same. */
export function maybeSparse(facts: { sizeBytes: number; blocks: number }): boolean {
  return facts.blocks * STAT_BLOCK_BYTES < facts.sizeBytes;
}

/** The holes of an open file, or undefined where there are none, too many, or the system does not tell. */
export function holesOf(fd: number, sizeBytes: number): Holes | undefined {
  seek ??= loadSeek();
  const holes: [number, number][] = [];
  for (let at = 0; at < sizeBytes;) {
    const start = Number(seek(fd, at, SEEK_HOLE));
    if (start < 0 || start >= sizeBytes) break;
    if (holes.length === MAX_HOLES) return undefined;
    const data = Number(seek(fd, start, SEEK_DATA));
    const end = data < 0 ? sizeBytes : Math.min(data, sizeBytes); // ENXIO: no data follows
    holes.push([start, end]);
    at = end;
  }
  return holes.length > 0 ? holes : undefined;
}

/** Loaded on the first sparse file, and without waiting, since a worker reads synchronously. */
function loadSeek(): Seek {
  const { load } = createRequire(import.meta.url)("koffi") as typeof koffi;
  return load(null).func("int64_t lseek(int fd, int64_t offset, int whence)") as Seek;
}
