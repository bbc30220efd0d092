/** Gives the ranges of a tree from the blocks on this machine, and keeps the last ones opened. */
import { LRUCache } from "lru-cache";

import { type LocalBlocks, Missing } from "../cache/block.js";
import type { Sha256 } from "../content/chunk.js";
import { type Range, openRangeOf } from "../manifest/range.js";
import { type RangeRef, blockOfRange } from "../manifest/range-ref.js";
import { MiB } from "../units.js";

/** Ranges of about 600,000 entries of a hundred bytes; what is dropped is opened again, at 0.3 ms a range. */
const OPEN_RANGES_BYTES = 64 * MiB;

/** A loader for `Tree`. It throws `Missing` for a range that is not here. @throws {DatasetError} `format-damaged` */
export function rangeLoader(blocks: LocalBlocks, maxBytes = OPEN_RANGES_BYTES): (ref: RangeRef) => Range {
  const open = new LRUCache<Sha256, Range>({ maxSize: maxBytes });
  return (ref) => {
    const known = open.get(ref.object);
    if (known) return known;
    const block = blockOfRange(ref);
    const bytes = blocks.get(block.hash);
    if (!bytes) throw new Missing([block]);
    const range = openRangeOf(bytes, ref);
    open.set(ref.object, range, { size: ref.objectBytes });
    return range;
  };
}
