/** A position in a stored tree that moves forward, entry by entry or over whole ranges unread. */
import type { LoadRange } from "./range-ref.js";
import type { Range } from "./range-view.js";
import type { Root } from "./root.js";
import { TreeReader } from "./tree-reader.js";

/** What has a root, its ranges to be loaded: a `Tree`, for instance. */
export interface StoredTree {
  root: Root;
}

export class TreeWalk {
  /** Key of the entry at the position; after the last one, a string that sorts after every key. */
  key: string;
  /** The range the position is in, and the index there. */
  number = 0;
  index = 0;
  /** The range, once opened. */
  range: Range | undefined;

  readonly #reader: TreeReader;

  constructor(
    readonly root: Root,
    load: LoadRange,
  ) {
    this.#reader = new TreeReader(root, load);
    this.key = root.firstKeyAt(0);
  }

  get atEnd(): boolean {
    return this.number >= this.root.rangeCount;
  }

  /** The range of the position, loaded. */
  async open(): Promise<Range> {
    return (this.range ??= await this.#reader.range(this.number));
  }

  /** To the next entry of an opened range, or to the start of the next range. */
  step(): void {
    this.index += 1;
    if (this.index < this.range!.count) this.key = this.range!.keyAt(this.index);
    else this.skipRange();
  }

  skipRange(): void {
    this.number += 1;
    this.index = 0;
    this.range = undefined;
    this.key = this.root.firstKeyAt(this.number);
  }

  /** Whether this position and another stand at the start of ranges of one identity. */
  startsLike(other: TreeWalk): boolean {
    if (this.index > 0 || other.index > 0 || this.atEnd || other.atEnd) return false;
    return this.root.sameRange(this.number, other.root, other.number);
  }
}
