/** What goes from a tree when a file takes the place of a directory: all that lay below it. */
import type { TreePath } from "../paths.js";
import type { Edit } from "./entry.js";
import { pathOfKey } from "./key.js";
import type { LoadRange } from "./range-ref.js";
import { SortedQueue } from "./sorted-queue.js";
import { TreeReader } from "./tree-reader.js";
import type { StoredTree } from "./tree-walk.js";

/** Directories of `base` that end; what lay below them is given as removals, in its place in the order of keys. */
export class EndedDirectories {
  /** Where runs of keys start that end: a directory's children, and all below these. */
  readonly #starts = new SortedQueue();
  readonly #reader: TreeReader;

  constructor(base: StoredTree, load: LoadRange) {
    this.#reader = new TreeReader(base.root, load);
  }

  add(directory: TreePath): void {
    this.#starts.add(`${directory}\0`);
    this.#starts.add(`${directory}/`);
  }

  /** Whether something of the base goes before `key`. */
  startBefore(key: string | undefined): boolean {
    const { least } = this.#starts;
    return least !== undefined && (key === undefined || least < key);
  }

  /** Removals of all that goes before `key`; of all, without one. */
  async *removalsBefore(key: string | undefined): AsyncGenerator<Edit> {
    while (this.startBefore(key)) yield* this.#removals(this.#starts.take()!);
  }

  async *#removals(start: string): AsyncGenerator<Edit> {
    const { table } = this.#reader;
    const end = endOfRun(start);
    const parent = start.endsWith("\0") ? start.slice(0, -1) : start;
    for (let number = table.rangeOfKey(start); number < table.rangeCount; number++) {
      if (table.firstKeyAt(number) >= end) return;
      const range = await this.#reader.range(number);
      for (let index = range.lowerBound(parent as TreePath, ""); index < range.count; index++) {
        const key = range.keyAt(index);
        if (key >= end) return;
        yield { path: pathOfKey(key), type: 0 };
      }
    }
  }
}

/** The string after all that start with `start`: its last byte plus one. */
function endOfRun(start: string): string {
  return start.slice(0, -1) + String.fromCharCode(start.charCodeAt(start.length - 1) + 1);
}
