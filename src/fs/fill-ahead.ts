/**
 * Which files the kernel is given before it asks: small ones that follow one another in a walk and lie on this machine.
 * A walk is followed by `read-ahead.ts`; the giving is `page-filler.ts`'s.
 */
import { type LocalBlocks, Missing } from "../cache/block.js";
import type { Sha256 } from "../content/chunk.js";
import { EntryType } from "../manifest/entry.js";
import type { Tree } from "../manifest/tree.js";
import { parentOf } from "../paths.js";
import { KiB, MiB } from "../units.js";

/** A file of one chunk, all of which is on this machine. */
export interface FilledFile {
  /** Its ordinal + 1. */
  ino: number;
  hash: Sha256;
  sizeBytes: number;
}

/** How far a walk's files were given. Positions are ordinals. */
export interface Filled {
  /** What lies before this was given, or passed over. */
  to: number;
  windowBytes: number;
}

/** Larger ones are read in several requests, which cost little for each byte. */
export const FILLED_FILE_BYTES = 256 * KiB;
const FIRST_WINDOW_BYTES = 256 * KiB;
const LAST_WINDOW_BYTES = 8 * MiB;
/** Bounds the work of one guess where files are tiny. */
const MOST_FILES = 512;
/** Fewer are not worth a message, unless no more can come. */
const FEWEST_FILES = 4;
/** Files that the reader will have asked for before the first could be given. */
const HEAD_START_FILES = 2;

const NOTHING = new Uint8Array(0);

export class FillAhead {
  constructor(
    private readonly tree: Tree,
    private readonly blocks: LocalBlocks,
    private readonly fill: (files: readonly FilledFile[]) => void,
  ) {}

  /**
   * Has files after one that a walk has read given to the kernel: to the end of the folder, since the kernel does not know the
   * files of the next one yet, or to the first that is not here. Twice as much each time.
   */
  after(ordinal: number, filled: Filled): void {
    if (ordinal + 1 < filled.to) return; // The reader is faster than the filling.
    const from = Math.max(filled.to, ordinal + 1 + HEAD_START_FILES);
    const windowBytes = Math.min(Math.max(2 * filled.windowBytes, FIRST_WINDOW_BYTES), LAST_WINDOW_BYTES);
    const last = Math.min(this.#endOfFolder(ordinal), from + MOST_FILES);
    const { files, to } = this.#filesHere(from, last, windowBytes);
    if (files.length === 0 || (files.length < FEWEST_FILES && to < last)) return;
    filled.to = to;
    filled.windowBytes = windowBytes;
    this.fill(files);
  }

  #endOfFolder(ordinal: number): number {
    return this.tree.children(parentOf(this.tree.path(ordinal))).end;
  }

  #filesHere(from: number, last: number, windowBytes: number): { files: FilledFile[]; to: number } {
    const files: FilledFile[] = [];
    let room = windowBytes;
    let to = from;
    for (; to < last && room > 0; to++) {
      const file = this.#fileAt(to);
      if (file === "missing") break;
      if (file === "other") continue;
      files.push(file);
      room -= file.sizeBytes;
    }
    return { files, to };
  }

  #fileAt(ordinal: number): FilledFile | "missing" | "other" {
    try {
      const { range, index } = this.tree.place(ordinal);
      const sizeBytes = range.sizeAt(index);
      if (range.typeAt(index) !== EntryType.file || sizeBytes === 0 || sizeBytes > FILLED_FILE_BYTES)
        return "other";
      const [chunk, ...more] = range.chunksAt(index);
      if (!chunk || more.length > 0 || range.extrasAt(index)?.hardLinks) return "other";
      const isHere = this.blocks.copy(chunk.hash, 0, 0, NOTHING, 0);
      return isHere ? { ino: ordinal + 1, hash: chunk.hash, sizeBytes } : "missing";
    } catch (missing) {
      if (missing instanceof Missing) return "missing";
      throw missing;
    }
  }
}
