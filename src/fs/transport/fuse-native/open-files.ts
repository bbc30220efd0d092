/** The files that programs have open through this transport, by numbers that fit the 32 bits it keeps of them. */
import { FileSystemError } from "../../errno.js";
import type { Ino } from "../../filesystem.js";

export interface OpenFile {
  ino: Ino;
  /** To be forgotten once it is closed: itself, and the folders it was reached by, as the kernel holds them. */
  held: readonly Ino[];
  /** The file system's own number for it. */
  handle: number;
  /** Opened to be written. */
  writes: boolean;
  /** Written since it was last flushed. */
  unflushed: boolean;
}

const NUMBERS = 2 ** 32;

export class OpenFiles {
  readonly #files = new Map<number, OpenFile>();
  #last = 0;

  add(file: OpenFile): number {
    do this.#last = (this.#last + 1) % NUMBERS;
    while (this.#files.has(this.#last));
    this.#files.set(this.#last, file);
    return this.#last;
  }

  /** @throws {FileSystemError} `EBADF` */
  get(number: number): OpenFile {
    const file = this.#files.get(number);
    if (!file) throw new FileSystemError("EBADF");
    return file;
  }

  delete(number: number): void {
    this.#files.delete(number);
  }

  /** How many may still be written. */
  get writers(): number {
    return this.#count(({ writes }) => writes);
  }

  get unflushed(): number {
    return this.#count(({ unflushed }) => unflushed);
  }

  #count(counts: (file: OpenFile) => boolean): number {
    return [...this.#files.values()].filter(counts).length;
  }
}
