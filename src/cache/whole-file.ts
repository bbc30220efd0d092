/**
 * The file of one whole while it is being filled: as long as the whole from the start, sparse, written part by part in
 * any order. Only who made it writes to it; which parts count is for `whole-index.ts`.
 */
import { randomUUID } from "node:crypto";
import { type Stats, closeSync, fchmodSync, fstatSync, ftruncateSync, openSync, write } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

import type { CacheFolder } from "./folder.js";
import type { FileFacts } from "./index-db.js";
import type { PartBytes, Whole } from "./whole.js";

const writeAt = promisify(write);
const STAT_BLOCK_BYTES = 512;

export class WholeFile {
  /** Offsets of the parts that are in the index. */
  readonly laid = new Set<number>();
  readonly name = randomUUID();
  readonly #fd: number;
  #laidBytes = 0;
  #ctimeMs: number;

  /** Makes the file, of which the index does not know yet. */
  constructor(
    folder: CacheFolder,
    readonly whole: Whole,
  ) {
    this.#fd = openSync(join(folder.blocksDir, this.name), "wx", folder.fileMode);
    fchmodSync(this.#fd, folder.fileMode);
    ftruncateSync(this.#fd, whole.sizeBytes);
    this.#ctimeMs = this.#stat().ctimeMs;
  }

  /** Whether the file is complete with these parts, which it lacks. */
  isCompleteWith(parts: readonly PartBytes[]): boolean {
    return this.#laidBytes + bytesOf(parts) === this.whole.sizeBytes;
  }

  facts(): Omit<FileFacts, "boot"> {
    const { size, blocks, ctimeMs } = this.#stat();
    return { name: this.name, sizeBytes: size, diskBytes: blocks * STAT_BLOCK_BYTES, ctimeMs };
  }

  /** Whether somebody else changed the file since the last write: then nothing in it is known any more. */
  isTouched(): boolean {
    return this.#stat().ctimeMs !== this.#ctimeMs;
  }

  /** Writes parts. They count once the index has them. @throws what `write(2)` does */
  async write(parts: readonly PartBytes[]): Promise<void> {
    try {
      for (const { at, bytes } of parts) await this.#writeFully(bytes, at);
    } finally {
      this.#ctimeMs = this.#stat().ctimeMs;
    }
  }

  /** These parts are in the index now. */
  noteLaid(parts: readonly PartBytes[]): void {
    for (const { at } of parts) this.laid.add(at);
    this.#laidBytes += bytesOf(parts);
  }

  close(): void {
    closeSync(this.#fd);
  }

  async #writeFully(bytes: Uint8Array, at: number): Promise<void> {
    for (let done = 0; done < bytes.byteLength;)
      done += (await writeAt(this.#fd, bytes, done, bytes.byteLength - done, at + done)).bytesWritten;
  }

  #stat(): Stats {
    return fstatSync(this.#fd);
  }
}

function bytesOf(parts: readonly PartBytes[]): number {
  return parts.reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
}
