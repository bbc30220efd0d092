/**
 * Where a large file is cut into chunks: FastCDC with normalised chunking. A cut depends on the 32 bytes before it,
 * so bytes inserted into a file move few cuts. Table, masks and sizes are part of the format: with others the same
 * file gives other chunks, and content already stored is sent again.
 * Source: https://www.usenix.org/conference/atc16/technical-sessions/presentation/xia
 */
import { createHash } from "node:crypto";
import { KiB, MiB } from "../units.js";

/** Files up to this size are one chunk, whatever they hold. */
export const ONE_CHUNK_BYTES = 1 * MiB;
export const MIN_CHUNK_BYTES = 256 * KiB;
export const MAX_CHUNK_BYTES = 2 * MiB;

/** Where the mask gets easier. With these masks random bytes give 1.0 MiB on average (`test/content/fastcdc.test.ts`). */
const NORMAL_CHUNK_BYTES = 832 * KiB;

/** A cut every 4 MiB before the normal size, every 256 KiB after it. High bits: all 32 bytes of the window reach them. */
const MASK_BEFORE_NORMAL = ~((1 << 10) - 1);
const MASK_AFTER_NORMAL = ~((1 << 14) - 1);

const GEAR_SEED = "varve gear table 1";
const GEAR = gearTable();

/**
 * The end of the chunk that starts at `start`, in `[start, end)` of `bytes`.
 *
 * @param isLast Whether the content ends at `end`.
 * @returns undefined when more bytes are needed to tell.
 */
export function cutPoint(bytes: Uint8Array, start: number, end: number, isLast: boolean): number | undefined {
  const limit = Math.min(end, start + MAX_CHUNK_BYTES);
  if (!isLast && limit < start + MAX_CHUNK_BYTES) return undefined;
  return firstCut(bytes, start, limit);
}

/** Cuts content that arrives in pieces of any size. Holds at most one unfinished chunk and the piece given last. */
export class ChunkCutter {
  #rest: Uint8Array = new Uint8Array(0);

  /** The chunks that `piece` completes, as views; with `isLast` all that remains. */
  *push(piece: Uint8Array, isLast: boolean): Generator<Uint8Array> {
    const bytes = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]);
    let start = 0;
    while (start < bytes.length) {
      const cut = cutPoint(bytes, start, bytes.length, isLast);
      if (cut === undefined) break;
      yield bytes.subarray(start, cut);
      start = cut;
    }
    this.#rest = new Uint8Array(bytes.subarray(start)); // a copy: the caller may use its buffer again
  }
}

/** All chunks of content that is in memory, as views. */
export function cutWhole(bytes: Uint8Array): Uint8Array[] {
  if (bytes.length === 0) return [];
  if (bytes.length <= ONE_CHUNK_BYTES) return [bytes];
  return [...new ChunkCutter().push(bytes, true)];
}

function firstCut(bytes: Uint8Array, start: number, limit: number): number {
  const normal = Math.min(limit, start + NORMAL_CHUNK_BYTES);
  let gear = 0;
  let at = start + MIN_CHUNK_BYTES;
  for (; at < normal; at++) {
    gear = ((gear << 1) + GEAR[bytes[at]!]!) | 0;
    if ((gear & MASK_BEFORE_NORMAL) === 0) return at + 1;
  }
  for (; at < limit; at++) {
    gear = ((gear << 1) + GEAR[bytes[at]!]!) | 0;
    if ((gear & MASK_AFTER_NORMAL) === 0) return at + 1;
  }
  return limit;
}

/** For each byte value the first four bytes of SHA-256(seed, value), little endian. */
function gearTable(): Int32Array {
  return Int32Array.from({ length: 256 }, (_, byte) =>
    createHash("sha256").update(GEAR_SEED).update(Uint8Array.of(byte)).digest().readInt32LE(),
  );
}
