/**
 * What the system said of each entry of a copy when it was made: a file of fixed rows, one for each ordinal of the
 * tree, zeros for what is not there. A row that no longer fits names a file that was changed since.
 */
import { closeSync, constants, openSync, readSync, writeSync } from "node:fs";
import { FACTS, type Facts } from "./copy-jobs.js";

const ROW_BYTES = FACTS * Float64Array.BYTES_PER_ELEMENT;
/** Rows of folders lie between those of files: so many are read and written along rather than each run by itself. */
const GAP_ROWS = 64;

export class FactsFile {
  readonly #fd: number;

  /** Opens the file, which is made where there is none. */
  constructor(path: string) {
    this.#fd = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  }

  /** Rows of ordinals, in rising order. */
  read(ordinals: readonly number[]): Facts {
    const facts = new Float64Array(ordinals.length * FACTS);
    for (const { from, to } of runsOf(ordinals)) {
      const first = ordinals[from]!;
      const rows = this.#rows(first, ordinals[to - 1]! + 1);
      for (let at = from; at < to; at++) facts.set(rowAt(rows, ordinals[at]! - first), at * FACTS);
    }
    return facts;
  }

  /** Sets rows of ordinals, in rising order. */
  write(ordinals: readonly number[], facts: Facts): void {
    for (const { from, to } of runsOf(ordinals)) {
      const first = ordinals[from]!;
      const rows = this.#rows(first, ordinals[to - 1]! + 1);
      for (let at = from; at < to; at++) rows.set(rowAt(facts, at), (ordinals[at]! - first) * FACTS);
      writeSync(this.#fd, rows, 0, rows.byteLength, first * ROW_BYTES);
    }
  }

  close(): void {
    closeSync(this.#fd);
  }

  #rows(start: number, end: number): Facts {
    const rows = new Float64Array((end - start) * FACTS);
    readSync(this.#fd, rows, 0, rows.byteLength, start * ROW_BYTES); // What lies beyond the end stays zero.
    return rows;
  }
}

function rowAt(facts: Facts, index: number): Facts {
  return facts.subarray(index * FACTS, (index + 1) * FACTS);
}

/** Runs `[from, to)` of ordinals with but small gaps between them. */
function* runsOf(ordinals: readonly number[]): Generator<{ from: number; to: number }> {
  let from = 0;
  for (let at = 1; at <= ordinals.length; at++) {
    if (at < ordinals.length && ordinals[at]! - ordinals[at - 1]! <= GAP_ROWS) continue;
    if (at > from) yield { from, to: at };
    from = at;
  }
}
