/** Descriptors of block files, a bounded number of them, each compared with its row when it is opened. */
import { LRUCache } from "lru-cache";
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";

import { errnoOf } from "../errors.js";
import { type CacheFolder, blockPath } from "./folder.js";
import type { FileFacts } from "./index-db.js";

export interface OpenFile {
  fd: number;
  sizeBytes: number;
  /** Whether its blocks may be read without a look at their hashes. */
  isTrusted: boolean;
}

/** What an evicted file may still take of the disk in each thread: 256 × 4 MiB, until `closeDeleted`. */
const OPEN_FILES = 256;

export class OpenFiles {
  readonly #files = new LRUCache<number, OpenFile>({ max: OPEN_FILES, dispose: ({ fd }) => closeSync(fd) });

  /** @param boot What `currentBoot` says. */
  constructor(
    private readonly folder: CacheFolder,
    private readonly boot: string,
  ) {}

  /** The open file of a row. */
  get(id: number): OpenFile | undefined {
    return this.#files.get(id);
  }

  /** Opens the file of a row; undefined when there is none as long as the row says. @throws what else `open(2)` does */
  open(id: number, facts: FileFacts): OpenFile | undefined {
    const fd = openIfThere(blockPath(this.folder, facts.name));
    if (fd === undefined) return undefined;
    const { size, ctimeMs } = fstatSync(fd);
    const isUntouched = ctimeMs === facts.ctimeMs && this.boot === facts.boot;
    const file = { fd, sizeBytes: size, isTrusted: this.folder.isPrivate && isUntouched };
    if (size === facts.sizeBytes) this.#files.set(id, file);
    else closeSync(fd);
    return this.#files.get(id);
  }

  close(id: number): void {
    this.#files.delete(id);
  }

  /** Gives back the room of files that another process has evicted. */
  closeDeleted(): void {
    for (const [id, { fd }] of [...this.#files]) if (fstatSync(fd).nlink === 0) this.#files.delete(id);
  }

  closeAll(): void {
    this.#files.clear();
  }
}

/** In a shared folder somebody might have laid a link or a pipe where a file was: neither is followed or waited for. */
const PLAIN_READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** A descriptor to read a file by; undefined when there is none. */
export function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, PLAIN_READ);
  } catch (error) {
    if (["ENOENT", "ELOOP"].includes(errnoOf(error) ?? "")) return undefined;
    throw error;
  }
}

/** Fills `target` from `position` of a file; false when the file ends before. */
export function readFully(fd: number, target: Uint8Array, position: number): boolean {
  for (let done = 0; done < target.byteLength;) {
    const got = readSync(fd, target, done, target.byteLength - done, position + done);
    if (got === 0) return false;
    done += got;
  }
  return true;
}
