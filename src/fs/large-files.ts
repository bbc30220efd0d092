/**
 * Whether a version holds files so large that opening them is worth a request each. A root tells how many bytes a range
 * holds, not how large its files are: so ranges are looked into as they come, and asked for where they are few.
 */
import { type Block, Missing } from "../cache/block.js";
import { WHOLE_BYTES } from "../cache/whole.js";
import { EntryType } from "../manifest/entry.js";
import type { Range } from "../manifest/range.js";
import type { Tree } from "../manifest/tree.js";

/** So few ranges are fetched in order to know. They measure some 100 KiB each, and most readers will need them anyway. */
const MOST_FETCHED = 8;

export class LargeFiles {
  /** Numbers of the ranges that may hold a large file, by the sum of their bytes; made at the first question. */
  #unseen: Set<number> | undefined;
  #isFound = false;
  readonly #fetched = new Set<number>();

  constructor(
    private readonly tree: Tree,
    private readonly prefetch: (blocks: readonly Block[]) => void,
  ) {}

  /** Whether there may be one; once false it stays so. Looks into the range of an entry that is asked about, which is here. */
  mayExist(ordinal: number): boolean {
    if (this.#isFound) return true;
    const unseen = (this.#unseen ??= this.#candidates());
    const near = this.tree.root.rangeOfOrdinal(ordinal);
    const looked = unseen.size <= MOST_FETCHED ? [...unseen] : unseen.has(near) ? [near] : [];
    this.#isFound = looked.some((number) => this.#holdsLargeFile(number, unseen));
    return this.#isFound || unseen.size > 0;
  }

  #candidates(): Set<number> {
    const { root } = this.tree;
    const numbers = Array.from({ length: root.rangeCount }, (_, number) => number);
    return new Set(numbers.filter((number) => root.rangeAt(number).totals.contentBytes >= WHOLE_BYTES));
  }

  /** What it says of a range holds for ever: a version does not change. */
  #holdsLargeFile(number: number, unseen: Set<number>): boolean {
    try {
      const { range } = this.tree.place(this.tree.root.ordinalAt(number));
      unseen.delete(number);
      return holdsLargeFile(range);
    } catch (missing) {
      if (!(missing instanceof Missing)) throw missing;
      this.#fetch(number, missing);
      return false;
    }
  }

  /** Nobody waits for it, and it is asked for once: an opening must not fail for a range that it does not need. */
  #fetch(number: number, { blocks }: Missing): void {
    if (!this.#fetched.has(number)) this.prefetch(blocks);
    this.#fetched.add(number);
  }
}

function holdsLargeFile(range: Range): boolean {
  for (let index = 0; index < range.count; index++)
    if (range.typeAt(index) === EntryType.file && range.sizeAt(index) >= WHOLE_BYTES) return true;
  return false;
}
