/** The ranges of a tree in order, found by key or by ordinal: what a root gives in place, or a plain list. */
import type { RangeRef } from "./range-ref.js";

export interface RangeTable {
  readonly rangeCount: number;
  rangeAt(number: number): RangeRef;
  /** First key of a range; of the number after the last one, a string that sorts after every key. */
  firstKeyAt(number: number): string;
  /** The last range whose first key is not above `key`; -1 when `key` sorts before all of them. */
  rangeOfKey(key: string): number;
}

/** Sorts after every key: a byte string holds no such character. */
export const AFTER_ALL_KEYS = "\uffff";

/** A table over a list. */
export function tableOf(refs: readonly RangeRef[]): RangeTable {
  const firstKeyAt = (number: number) => refs[number]?.firstKey ?? AFTER_ALL_KEYS;
  return {
    rangeCount: refs.length,
    rangeAt: (number) => refs[number]!,
    firstKeyAt,
    rangeOfKey: (key) => lastNotAbove(refs.length, (number) => firstKeyAt(number) <= key),
  };
}

/** The last of `[0, count)` that `holds`, which is true up to some number and false from there; -1 for none. */
export function lastNotAbove(count: number, holds: (number: number) => boolean): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(middle)) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
