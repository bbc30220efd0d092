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
    return this.#range;
  }

  /** Where the entry of a path is. */
  async find(path: TreePath): Promise<Place | undefined> {
    const number = this.table.rangeOfKey(keyOf(path));
    if (number < 0) return undefined;
    const range = await this.range(number);
    const index = range.indexOf(parentOf(path), nameOf(path));
    return index < 0 ? undefined : { range, index };
  }
}
