/** Which older segments a commit merges its own into, so that few remain. Pure. */
import type { Sha256 } from "./chunk.js";
import type { SegmentRef } from "./segment.js";

/** No segment grows beyond this: 107 MB, the most that one commit ever rewrites, and 220 MB of memory to do it. */
export const MAX_MERGED_CHUNKS = 2 * 1024 * 1024;

export interface SegmentPlan {
  /** Named again as they are. */
  keep: SegmentRef[];
  /** To be merged with the new chunks into one. */
  merge: SegmentRef[];
}

/**
 * Merges from the smallest on, as long as the next is less than twice what is being merged. So each segment kept is at
 * least twice the next: n equal commits leave about log2(n), and a chunk is rewritten log2(n) times in all.
 *
 * @param existing Segments of all parents; one that is named twice counts once.
 * @returns `keep` from the largest to the smallest.
 */
export function planSegments(existing: readonly SegmentRef[], newCount: number): SegmentPlan {
  const keep = [...unique(existing)].sort((a, b) => b.chunkCount - a.chunkCount || (a.id < b.id ? -1 : 1));
  const merge: SegmentRef[] = [];
  if (newCount === 0) return { keep, merge };
  let merged = newCount;
  for (let next = keep.at(-1); next && isWorthwhile(next.chunkCount, merged); next = keep.at(-1)) {
    merged += next.chunkCount;
    merge.push(keep.pop()!);
  }
  return { keep, merge };
}

function isWorthwhile(nextCount: number, merged: number): boolean {
  return nextCount < 2 * merged && nextCount + merged <= MAX_MERGED_CHUNKS;
}

function unique(refs: readonly SegmentRef[]): Iterable<SegmentRef> {
  return new Map<Sha256, SegmentRef>(refs.map((ref) => [ref.id, ref])).values();
}
