/**
 * Wholes: large contents that the cache keeps as one file each, byte for byte as programs read them, so that the
 * kernel may read them without us. What such a file holds so far is known by `whole-index.ts`.
 */
import type { Chunk, Sha256 } from "../content/chunk.js";
import { RunningSha256 } from "../content/hash.js";
import { MiB } from "../units.js";

/** From this size on a content may be a whole. Below it, opening costs more than reading. */
export const WHOLE_BYTES = 16 * MiB;

export interface Whole {
  /**
   * SHA-256 of the hashes of its chunks in order. Not the hash that a version says the file has: nobody has checked
   * that one, and two versions could mean different bytes by it.
   */
  id: Sha256;
  sizeBytes: number;
}

/** Where a block lies in a whole: its bytes begin at `at`. */
export interface Part {
  whole: Whole;
  at: number;
}

/** A part that is to be written, with its bytes, which are right. */
export interface PartBytes extends Part {
  hash: Sha256;
  bytes: Uint8Array;
}

/** The whole that these chunks make, laid end to end. */
export function wholeOf(chunks: readonly Pick<Chunk, "hash" | "sizeBytes">[]): Whole {
  const id = new RunningSha256();
  let sizeBytes = 0;
  for (const chunk of chunks) {
    id.update(Buffer.from(chunk.hash, "hex"));
    sizeBytes += chunk.sizeBytes;
  }
  return { id: id.digest(), sizeBytes };
}

/** Parts by the whole they belong to. */
export function groupByWhole(parts: readonly PartBytes[]): PartBytes[][] {
  const groups = new Map<Sha256, PartBytes[]>();
  for (const part of parts) groups.set(part.whole.id, [...(groups.get(part.whole.id) ?? []), part]);
  return [...groups.values()];
}
