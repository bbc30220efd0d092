/** What a call that stages files or links has found and done. */

export interface StageCounts {
  /** Files, links and symbolic links that were not there. */
  added: number;
  /** Content or kind changed. */
  modified: number;
  /** Only modes, times, owners, attributes or hard links changed. */
  metadata: number;
  unchanged: number;
  removed: number;
  /** Moved from another path: neither added nor removed. Only of a sync. */
  renamed: number;
  /** All seen: the sum of what was added, modified, renamed, changed in metadata or not at all. */
  files: number;
  skipped: Skipped[];
}

/** What was left out, and why, to be read after `it is `. */
export interface Skipped {
  path: string;
  reason: string;
}

export function newCounts(): StageCounts {
  return { added: 0, modified: 0, metadata: 0, unchanged: 0, removed: 0, renamed: 0, files: 0, skipped: [] };
}

/** Adds what a part of a call did to what the whole has done. */
export function addCounts(total: StageCounts, { skipped, ...counts }: StageCounts): void {
  for (const [name, count] of Object.entries(counts)) total[name as keyof typeof counts] += count;
  total.skipped.push(...skipped);
}
