/** Which chunks a draft's lineage holds already, and where: the index segments its parents' roots name. */
import type { Cache } from "../cache/cache.js";
import type { Chunk, Sha256 } from "../content/chunk.js";
import { type SegmentRef, findChunks } from "../content/segment.js";

export type KnownChunks = (hashes: Sha256[]) => Promise<Map<Sha256, Chunk>>;

/** A look-up keeps every page it needs in memory; this many hashes keep that to a few MiB. */
const LOOKUP_HASHES = 2_000;

/** Looks hashes up in segments. Reads a few pages a look-up, never a whole segment. */
export function knownChunks(segments: readonly SegmentRef[], cache: Cache): KnownChunks {
  return async (hashes) => {
    const found = new Map<Sha256, Chunk>();
    if (segments.length === 0) return found;
    for (let at = 0; at < hashes.length; at += LOOKUP_HASHES) {
      const batch = hashes.slice(at, at + LOOKUP_HASHES);
      for (const [hash, chunk] of await cache.complete((local) => findChunks(segments, local, batch)))
        found.set(hash, chunk);
    }
    return found;
  };
}
