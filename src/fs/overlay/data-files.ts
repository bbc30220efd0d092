/**
 * The local bytes of an overlay: one sparse file for each inode that has some, `data/<inode>`. Which of its bytes
 * count is the journal's to say; what was never written reads as zeros.
 */
import {
  type BigIntStats,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  readdirSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { LRUCache } from "lru-cache";
import { errnoOf } from "../../errors.js";
import { MiB } from "../../units.js";
import type { Ino } from "../filesystem.js";
import { Fallocate, Seek, fallocateFile, seekFile } from "./libc.js";
import type { Span } from "./spans.js";

/** Bytes in memory while copying. */
const COPIED_BYTES = 1 * MiB;
/** Descriptors kept open; a process may have 1,024 by default. */
const OPEN_FILES = 256;

export function dataFolder(directory: string): string {
  return join(directory, "data");
}

export class DataFiles {
  readonly #folder: string;
  readonly #descriptors = new LRUCache<Ino, number>({ max: OPEN_FILES, dispose: (fd) => closeSync(fd) });

  constructor(directory: string) {
    this.#folder = dataFolder(directory);
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
  }

  path(ino: Ino): string {
    return join(this.#folder, String(ino));
  }

  /** The inodes that have a data file. */
  inodes(): Ino[] {
    return readdirSync(this.#folder).map(Number);
  }

  stat(ino: Ino): BigIntStats | undefined {
    const fd = this.#descriptor(ino);
    return fd === undefined ? undefined : fstatSync(fd, { bigint: true });
  }

  lengthBytes(ino: Ino): number {
    const fd = this.#descriptor(ino);
    return fd === undefined ? 0 : fstatSync(fd).size;
  }

  /** Fills `length` bytes of `target` from index `at`. */
  read(ino: Ino, offset: number, length: number, target: Uint8Array, at: number): void {
    const fd = this.#descriptor(ino);
    let done = 0;
    while (fd !== undefined && done < length) {
      const count = readSync(fd, target, at + done, length - done, offset + done);
      if (count === 0) break;
      done += count;
    }
    target.fill(0, at + done, at + length);
  }

  write(ino: Ino, offset: number, bytes: Uint8Array): void {
    writeFully(this.#made(ino), bytes, offset);
  }

  /** Removes the bytes from `sizeBytes` on, where there are any. */
  cut(ino: Ino, sizeBytes: number): void {
    const fd = this.#descriptor(ino);
    if (fd !== undefined && fstatSync(fd).size > sizeBytes) ftruncateSync(fd, sizeBytes);
  }

  /** Makes room, so that writing there needs no more. */
  allocate(ino: Ino, { start, end }: Span): void {
    fallocateFile(this.#made(ino), Fallocate.keepSize, start, end - start);
  }

  /** Makes bytes read as zeros and gives their room back. */
  punch(ino: Ino, { start, end }: Span): void {
    fallocateFile(this.#made(ino), Fallocate.keepSize | Fallocate.punchHole, start, end - start);
  }

  /** The runs of `[start, end)` that are no holes. */
  *dataRuns(ino: Ino, { start, end }: Span): Generator<Span> {
    const fd = this.#descriptor(ino);
    for (let at: number | undefined = start; fd !== undefined && at < end;) {
      const data: number | undefined = seekFile(fd, at, Seek.data);
      if (data === undefined || data >= end) return;
      const hole = Math.min(seekFile(fd, data, Seek.hole) ?? end, end);
      yield { start: data, end: hole };
      at = hole;
    }
  }

  /** Copies bytes to the same place of another file; holes stay holes. */
  copyTo(ino: Ino, span: Span, path: string): void {
    const fd = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
    try {
      for (const run of this.dataRuns(ino, span))
        for (let at = run.start; at < run.end; at += COPIED_BYTES)
          writeFully(fd, this.#bytes(ino, at, Math.min(at + COPIED_BYTES, run.end)), at);
    } finally {
      closeSync(fd);
    }
  }

  remove(ino: Ino): void {
    this.#descriptors.delete(ino);
    // Most files that go never had any: asking costs a tenth of what an error or `rmSync` does.
    if (existsSync(this.path(ino))) unlinkSync(this.path(ino));
  }

  close(): void {
    this.#descriptors.clear();
  }

  #bytes(ino: Ino, start: number, end: number): Uint8Array {
    const bytes = Buffer.allocUnsafe(end - start);
    this.read(ino, start, end - start, bytes, 0);
    return bytes;
  }

  #descriptor(ino: Ino): number | undefined {
    const open = this.#descriptors.get(ino);
    if (open !== undefined) return open;
    try {
      return this.#keep(ino, openSync(this.path(ino), constants.O_RDWR));
    } catch (error) {
      if (errnoOf(error) === "ENOENT") return undefined;
      throw error;
    }
  }

  #made(ino: Ino): number {
    const open = this.#descriptors.get(ino);
    if (open !== undefined) return open;
    return this.#keep(ino, openSync(this.path(ino), constants.O_RDWR | constants.O_CREAT, 0o600));
  }

  #keep(ino: Ino, fd: number): number {
    this.#descriptors.set(ino, fd);
    return fd;
  }
}

function writeFully(fd: number, bytes: Uint8Array, offset: number): void {
  for (let done = 0; done < bytes.length;)
    done += writeSync(fd, bytes, done, bytes.length - done, offset + done);
}
