/** Ranges and entries of a stored tree for code that may wait. Keeps the range it read last: walks go forward. */
import { type TreePath, nameOf, parentOf } from "../paths.js";
import { keyOf } from "./key.js";
import { type LoadRange, matchRange } from "./range-ref.js";
import type { RangeTable } from "./range-table.js";
import type { Range } from "./range-view.js";
import type { Place } from "./tree.js";

export class TreeReader {
  #number = -1;
  #range: Range | undefined;
  /** First key of the range after it. */
  #end = "";

  constructor(
    readonly table: RangeTable,
    private readonly load: LoadRange,
  ) {}

  /** Range `number` of the table. @throws {DatasetError} `format-damaged` when it is not what the table says */
  async range(number: number): Promise<Range> {
    if (this.#range && this.#number === number) return this.#range;
    const ref = this.table.rangeAt(number);
    this.#range = matchRange(await this.load(ref), ref);
    this.#number = number;
    this.#end = this.table.firstKeyAt(number + 1);
    return this.#range;
  }

  /** Where the entry of a path is. */
  async find(path: TreePath): Promise<Place | undefined> {
    const range = await this.rangeFor(keyOf(path));
    const index = range ? range.indexOf(parentOf(path), nameOf(path)) : -1;
    return index < 0 ? undefined : { range: range!, index };
  }

  /** The range that holds `key` if any does; a promise unless it is the one read last. */
  rangeFor(key: string): Range | undefined | Promise<Range> {
    if (this.#range && key >= this.#range.firstKey && key < this.#end) return this.#range;
    const number = this.table.rangeOfKey(key);
    return number < 0 ? undefined : this.range(number);
  }
}
