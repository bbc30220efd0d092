/** Which range requests fetch a set of blocks: those that lie side by side in one object go in one. Pure. */
import { KiB, MiB } from "../units.js";
import type { Block } from "./block.js";

/** One range request: `[start, end)` of an object, and the blocks that lie in it. */
export interface RangeRequest {
  remote: Block["remote"];
  key: Block["key"];
  start: number;
  end: number;
  /** The external file that it is for, instead of an object. */
  link: Block["link"];
  blocks: Block[];
  /** Whether some of the blocks are wanted, and whether some come along. */
  isWanted: boolean;
  takesAlong: boolean;
}

/** Fetching a gap along costs less than a request: at 100 MB/s, 64 KiB take 0.7 ms, a request 15 ms and more. */
export const GAP_BYTES = 64 * KiB;
/** A request grows no further once it has this much: larger ones win nothing at 15 ms a request, and delay the first block. */
export const REQUEST_BYTES = 4 * MiB;

/** What is not wanted yet delays what is: 512 KiB take 5 ms at 100 MB/s, and save a request. */
export const ALONG_BYTES = 512 * KiB;

/**
 * Covers blocks, each named once, with range requests, in the order of objects and offsets.
 *
 * @param along Blocks nobody waits for yet; what lies beside wanted ones shares their requests up to 512 KiB.
 */
export function planRequests(wanted: readonly Block[], along: readonly Block[] = []): RangeRequest[] {
  const requests: RangeRequest[] = [];
  const singles = [
    ...wanted.map((block) => requestOf(block)),
    ...along.map((block) => requestOf(block, false)),
  ];
  for (const single of singles.sort(byPlace)) {
    const last = requests.at(-1);
    if (last && fits(last, single)) extend(last, single);
    else requests.push(single);
  }
  return requests;
}

/** The request for one block alone. */
export function requestOf(block: Block, isWanted = true): RangeRequest {
  const { remote, key, offset, storedBytes, link } = block;
  return {
    ...{ remote, key, start: offset, end: offset + storedBytes, link },
    ...{ blocks: [block], isWanted, takesAlong: !isWanted },
  };
}

function byPlace(a: RangeRequest, b: RangeRequest): number {
  return compare(a.remote, b.remote) || compare(a.key, b.key) || a.start - b.start;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function fits(request: RangeRequest, single: RangeRequest): boolean {
  if (request.remote !== single.remote || request.key !== single.key) return false;
  const isMixed = (request.isWanted || single.isWanted) && (request.takesAlong || single.takesAlong);
  const end = Math.max(request.end, single.end);
  return (
    single.start - request.end <= GAP_BYTES && end - request.start <= (isMixed ? ALONG_BYTES : REQUEST_BYTES)
  );
}

function extend(request: RangeRequest, single: RangeRequest): void {
  request.end = Math.max(request.end, single.end);
  request.blocks.push(...single.blocks);
  request.isWanted ||= single.isWanted;
  request.takesAlong ||= single.takesAlong;
}
