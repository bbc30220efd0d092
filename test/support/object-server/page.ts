/** One page of a listing, with common prefixes. */
import { bytewise } from "./stored.js";

export interface Wanted {
  prefix: string;
  /** Empty for none. */
  delimiter: string;
  /** Only what comes after it: a key, or a common prefix with all below it. */
  after: string;
  /** Keys and common prefixes together. */
  max: number;
}

export interface Page {
  keys: string[];
  prefixes: string[];
  /** Where the next page begins: after this key, and after all keys that begin with it when it is a prefix. */
  next: string | undefined;
}

/** @param keys All of a bucket, in the order of bytes. */
export function pageOf(keys: readonly string[], { prefix, delimiter, after, max }: Wanted): Page {
  const page: Page = { keys: [], prefixes: [], next: undefined };
  let last = "";
  for (let at = firstFrom(keys, after > prefix ? after : prefix); at < keys.length; at++) {
    const key = keys[at]!;
    if (bytewise(key, after) <= 0) continue;
    if (!key.startsWith(prefix)) break;
    const common = commonPrefix(key, prefix, delimiter);
    if (common !== undefined && (common === page.prefixes.at(-1) || isPassed(common, after))) continue;
    if (page.keys.length + page.prefixes.length >= max) return max === 0 ? page : { ...page, next: last };
    if (common === undefined) page.keys.push(key);
    else page.prefixes.push(common);
    last = common ?? key;
  }
  return page;
}

/** A listing that goes on after a common prefix leaves out what lies below it. */
function isPassed(common: string, after: string): boolean {
  return after.startsWith(common);
}

function commonPrefix(key: string, prefix: string, delimiter: string): string | undefined {
  if (delimiter === "") return undefined;
  const end = key.indexOf(delimiter, prefix.length);
  return end < 0 ? undefined : key.slice(0, end + delimiter.length);
}

/** Index of the first key that is not before `wanted`. */
function firstFrom(keys: readonly string[], wanted: string): number {
  let [low, high] = [0, keys.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (bytewise(keys[middle]!, wanted) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
