/** The memory tier: whole blocks, the least recently used dropped first, bounded by the bytes they take. */
import { LRUCache } from "lru-cache";

import type { Sha256 } from "../content/chunk.js";

export type MemoryTier = LRUCache<Sha256, Uint8Array>;

/** What an entry costs besides its bytes: key, array header, list and map slots; without it a million tiny blocks count as nothing. */
const ENTRY_BYTES = 256;

export function memoryTier(maxBytes: number): MemoryTier {
  return new LRUCache({
    maxSize: Math.max(1, maxBytes),
    sizeCalculation: (bytes) => bytes.byteLength + ENTRY_BYTES,
  });
}

/**
 * The same bytes in memory of their own, which other threads can be handed: a view of a large reply would keep all of
 * the reply in memory.
 */
export function ownBytes(bytes: Uint8Array): Uint8Array {
  const isOwn = bytes.buffer instanceof SharedArrayBuffer && bytes.byteLength === bytes.buffer.byteLength;
  if (isOwn) return bytes;
  const own = new Uint8Array(new SharedArrayBuffer(bytes.byteLength));
  own.set(bytes);
  return own;
}
