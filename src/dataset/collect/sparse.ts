/** Which packs are worth being emptied: versions use less than half of them, and it saves enough to be read and written. */
import { type PackId, packKey } from "../../content/chunk.js";
import type { ObjectInfo } from "../../remote/remote.js";
import { MiB } from "../../units.js";
import type { PackUses } from "./pack-use.js";

export interface SparsePack {
  pack: PackId;
  sizeBytes: number;
  /** Of chunks that versions name. */
  usedBytes: number;
}

/** Below that a run does not repack: each version that is concerned gets a new root. */
export const LEAST_SAVED_BYTES = MiB;
const SPARSE_SHARE = 0.5;

/** @param packs Objects that may be emptied; keys of other kinds do not matter. */
export function sparsePacks(packs: readonly ObjectInfo[], uses: PackUses): SparsePack[] {
  const sizes = new Map(packs.map(({ key, sizeBytes }) => [key, sizeBytes]));
  return uses.counted().flatMap(({ pack, usedBytes }) => {
    const sizeBytes = sizes.get(packKey(pack));
    const isSparse = sizeBytes !== undefined && usedBytes < sizeBytes * SPARSE_SHARE;
    return isSparse ? [{ pack, sizeBytes, usedBytes }] : [];
  });
}
