/**
 * A tree as a version holds it: entries by path or by ordinal, spanning ranges. Synchronous: `load` may throw
 * `Missing` (`cache/block.ts`), and the question is asked again once the range is here. Keeps one opened range, so that
 * neighbours cost no further loading; keeping more is the loader's business. Ranges missed one after another are named
 * together with those that follow.
 */
import { Missing } from "../cache/block.js";
import type { Chunk } from "../content/chunk.js";
import { type TreePath, nameOf, parentOf } from "../paths.js";
import type { Entry, EntryType } from "./entry.js";
import { childKey } from "./key.js";
import type { Range } from "./range.js";
import { RangeAhead } from "./range-ahead.js";
import { type RangeRef, blockOfRange, matchRange } from "./range-ref.js";
import type { Root } from "./root.js";

/** The least name there can be: the root directory's is empty and sorts before all children. */
const LEAST_NAME = "\x01";

/** An entry in its range. */
export interface Place {
  range: Range;
  index: number;
}

export class Tree {
  readonly entryCount: number;

  private currentNumber = -1;
  private current: Range | undefined;
  private readonly ahead = new RangeAhead();

  constructor(
    readonly root: Root,
    private readonly load: (ref: RangeRef) => Range,
  ) {
    this.entryCount = root.totals.entries;
  }

  /** Ordinal of a path; the root is the empty path. */
  find(path: TreePath): number | undefined {
    return this.findChild(parentOf(path), nameOf(path));
  }

  /** Ordinal of the entry `name` in the directory `parent`. */
  findChild(parent: TreePath, name: string): number | undefined {
    const number = this.root.rangeOfKey(childKey(parent, name));
    if (number < 0) return undefined;
    const index = this.range(number).indexOf(parent, name);
    return index < 0 ? undefined : this.root.ordinalAt(number) + index;
  }

  /** Ordinals `[start, end)` of the children of a directory, empty when there are none. Loads at most two ranges. */
  children(path: TreePath): { start: number; end: number } {
    const first = this.root.rangeOfKey(childKey(path, LEAST_NAME));
    if (first < 0) return { start: 0, end: 0 };
    const { start, end } = this.range(first).childrenOf(path);
    const ordinal = this.root.ordinalAt(first);
    const reachesOn = ordinal + end === this.root.ordinalAt(first + 1);
    return { start: ordinal + start, end: reachesOn ? this.endOfChildren(path, first) : ordinal + end };
  }

  entry(ordinal: number): Entry {
    const { range, index } = this.place(ordinal);
    return range.entryAt(index);
  }

  type(ordinal: number): EntryType {
    const { range, index } = this.place(ordinal);
    return range.typeAt(index);
  }

  name(ordinal: number): string {
    const { range, index } = this.place(ordinal);
    return range.nameAt(index);
  }

  path(ordinal: number): TreePath {
    const { range, index } = this.place(ordinal);
    return range.pathAt(index);
  }

  /** Zero for directories and symbolic links. */
  size(ordinal: number): number {
    const { range, index } = this.place(ordinal);
    return range.sizeAt(index);
  }

  chunks(ordinal: number): Chunk[] {
    const { range, index } = this.place(ordinal);
    return range.chunksAt(index);
  }

  /** The range that holds an ordinal, and the index in it: the cheapest way to ask several things of one entry. */
  place(ordinal: number): Place {
    const number = this.numberOf(ordinal);
    return { range: this.range(number), index: ordinal - this.root.ordinalAt(number) };
  }

  /** The entries of ordinals `[start, end)`. When `load` throws `Missing`, start anew after the last entry given. */
  *entries(start = 0, end = this.entryCount): Generator<Entry> {
    for (let ordinal = start; ordinal < end; ordinal++) yield this.entry(ordinal);
  }

  private endOfChildren(path: TreePath, first: number): number {
    const last = this.root.rangeOfKey(`${path}\x01`);
    return (
      this.root.ordinalAt(last) +
      (last === first ? this.range(last).count : this.range(last).childrenOf(path).end)
    );
  }

  private numberOf(ordinal: number): number {
    const { root, currentNumber } = this;
    if (
      currentNumber >= 0 &&
      ordinal >= root.ordinalAt(currentNumber) &&
      ordinal < root.ordinalAt(currentNumber + 1)
    )
      return currentNumber;
    if (ordinal < 0 || ordinal >= this.entryCount)
      throw new RangeError(`Cannot read entry ${ordinal} of a tree of ${this.entryCount}`);
    return root.rangeOfOrdinal(ordinal);
  }

  private range(number: number): Range {
    if (this.current && number === this.currentNumber) return this.current;
    this.current = this.loaded(number);
    this.currentNumber = number;
    return this.current;
  }

  private loaded(number: number): Range {
    const ref = this.root.rangeAt(number);
    try {
      return matchRange(this.load(ref), ref);
    } catch (thrown) {
      if (!(thrown instanceof Missing)) throw thrown;
      const next = this.ahead.after(number, this.root.rangeCount);
      throw new Missing(
        thrown.blocks,
        next.map((at) => blockOfRange(this.root.rangeAt(at))),
      );
    }
  }
}
