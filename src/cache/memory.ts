/** The memory tier: whole blocks, the least recently used dropped first, bounded by the bytes they take. */
import { LRUCache } from "lru-cache";

import type { Sha256 } from "../content/chunk.js";
import { weigh } from "../garbage.js";

export type MemoryTier = LRUCache<Sha256, Uint8Array>;

/** What an entry costs besides its bytes: key, array header, list and map slots; without it a million tiny blocks count as nothing. */
const ENTRY_BYTES = 256;

export function memoryTier(maxBytes: number): MemoryTier {
  return new LRUCache({
    maxSize: Math.max(1, maxBytes),
    sizeCalculation: (bytes) => bytes.byteLength + ENTRY_BYTES,
  });
}

/** What lies beside a block in its memory may be this many times its size, and stays as long as it does. */
const MOST_BESIDE = 7;

/**
 * The same bytes in memory that other threads can be handed: of their own, or with the few blocks that came in the same
 * answer and are mostly dropped together. A small view of a large reply would keep all of the reply in memory.
 */
export function ownBytes(bytes: Uint8Array): Uint8Array {
  const { buffer, byteLength } = bytes;
  if (buffer instanceof SharedArrayBuffer && buffer.byteLength <= byteLength * (1 + MOST_BESIDE))
    return bytes;
  const memory = new SharedArrayBuffer(byteLength);
  weigh(memory);
  const own = new Uint8Array(memory);
  own.set(bytes);
  return own;
}
