/**
 * Room on the disk under an overlay. A buffered write that fails later is silent for the program that made it, so new
 * files are refused while there is still room for what the kernel holds. A small file is kept whose removal gives the
 * journal room to say what failed.
 */
import { closeSync, openSync, rmSync, statfsSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import { MiB } from "../../units.js";
import { FileSystemError } from "../errno.js";
import type { FileSystemStats } from "../filesystem.js";
import { fallocateFile } from "./libc.js";

/** Some hundred transactions. */
const SPARE_BYTES = 4 * MiB;
const RESERVE_MAX_BYTES = 256 * MiB;
/** A disk's state is believed for this long, and for so many bytes written. */
const BELIEVED_MS = 100;
const BELIEVED_BYTES = 8 * MiB;

/** A disk as `statfs(2)` tells. */
export type DiskStats = FileSystemStats;

export interface SpaceOptions {
  /** Default: 256 MiB, at most an eighth of the disk. */
  reserveBytes?: number | undefined;
  /** Default: `statfs(2)` of the overlay's folder. */
  diskStats?: (() => DiskStats) | undefined;
}

export class Space {
  readonly #reserveBytes: number;
  readonly #diskStats: () => DiskStats;
  readonly #sparePath: string;
  #stats: DiskStats;
  #statsAtMs: number;
  #writtenBytes = 0;
  #hasSpare: boolean;

  constructor(directory: string, options: SpaceOptions = {}) {
    this.#diskStats = options.diskStats ?? (() => statDisk(directory));
    this.#sparePath = join(directory, "spare");
    this.#stats = this.#diskStats();
    this.#statsAtMs = performance.now();
    this.#reserveBytes = options.reserveBytes ?? Math.min(RESERVE_MAX_BYTES, this.#stats.totalBytes / 8);
    this.#hasSpare = isWhole(this.#sparePath);
    this.#keepSpare();
  }

  /** What `statfs` shows: nothing is free once only the reserve is left. */
  stats(): FileSystemStats {
    const stats = this.#current();
    return { ...stats, freeBytes: Math.max(0, stats.freeBytes - this.#reserveBytes) };
  }

  /** Refuses what needs room while only the reserve is left. @throws {FileSystemError} `ENOSPC` */
  require(): void {
    if (this.#current().freeBytes < this.#reserveBytes) throw new FileSystemError("ENOSPC");
  }

  wrote(bytes: number): void {
    this.#writtenBytes += bytes;
  }

  /** Gives up the spare file; false when it was gone before. */
  makeRoom(): boolean {
    if (!this.#hasSpare) return false;
    rmSync(this.#sparePath, { force: true });
    this.#hasSpare = false;
    return true;
  }

  #current(): DiskStats {
    const now = performance.now();
    if (now - this.#statsAtMs < BELIEVED_MS && this.#writtenBytes < BELIEVED_BYTES) return this.#stats;
    this.#stats = this.#diskStats();
    this.#statsAtMs = now;
    this.#writtenBytes = 0;
    this.#keepSpare();
    return this.#stats;
  }

  #keepSpare(): void {
    if (this.#hasSpare || this.#stats.freeBytes < this.#reserveBytes + SPARE_BYTES) return;
    this.#hasSpare = writeSpare(this.#sparePath);
  }
}

function statDisk(directory: string): DiskStats {
  const { bsize, blocks, bavail, files, ffree } = statfsSync(directory);
  return { totalBytes: bsize * blocks, freeBytes: bsize * bavail, totalFiles: files, freeFiles: ffree };
}

function isWhole(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.size === SPARE_BYTES;
}

function writeSpare(path: string): boolean {
  const fd = openSync(path, "w", 0o600);
  try {
    fill(fd);
    return true;
  } catch {
    rmSync(path, { force: true });
    return false;
  } finally {
    closeSync(fd);
  }
}

/** By fallocate where there is one: written blocks may be only promised until they are synced. */
function fill(fd: number): void {
  try {
    fallocateFile(fd, 0, 0, SPARE_BYTES);
  } catch (error) {
    if (!(error instanceof FileSystemError) || error.errno !== "EOPNOTSUPP") throw error;
    writeSync(fd, new Uint8Array(SPARE_BYTES));
  }
}
