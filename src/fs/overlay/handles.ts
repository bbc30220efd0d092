/** The open files of an overlay, and which inodes may still be written through one. In memory alone. */
import { constants } from "node:fs";
import type { Ino } from "../filesystem.js";

interface Handle {
  ino: Ino;
  writes: boolean;
}

interface Uses {
  open: number;
  writers: number;
}

export class Handles {
  readonly #handles = new Map<number, Handle>();
  readonly #uses = new Map<Ino, Uses>();
  #last = 0;

  open(ino: Ino, flags: number): number {
    const handle = { ino, writes: opensToWrite(flags) };
    this.#handles.set(++this.#last, handle);
    const { open, writers } = this.#uses.get(ino) ?? { open: 0, writers: 0 };
    this.#uses.set(ino, { open: open + 1, writers: writers + Number(handle.writes) });
    return this.#last;
  }

  /** Twice is the same as once. */
  close(number: number): void {
    const handle = this.#handles.get(number);
    const uses = handle && this.#uses.get(handle.ino);
    if (!handle || !uses) return;
    this.#handles.delete(number);
    if (uses.open === 1) this.#uses.delete(handle.ino);
    else this.#uses.set(handle.ino, { open: uses.open - 1, writers: uses.writers - Number(handle.writes) });
  }

  writes(number: number): boolean {
    return this.#handles.get(number)?.writes === true;
  }

  isOpen(ino: Ino): boolean {
    return this.#uses.has(ino);
  }

  /** How many handles may write to an inode. */
  writersOf(ino: Ino): number {
    return this.#uses.get(ino)?.writers ?? 0;
  }

  openToWrite(): Ino[] {
    return [...this.#uses].filter(([, { writers }]) => writers > 0).map(([ino]) => ino);
  }
}

export function opensToWrite(flags: number): boolean {
  return (flags & (constants.O_WRONLY | constants.O_RDWR)) !== 0;
}
