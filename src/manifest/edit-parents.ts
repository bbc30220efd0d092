/**
 * Keeps a tree whole while it is edited: a directory above every entry, nothing below what is none. Works in one pass,
 * since an ancestor sorts before its descendants; asks the base only about directories that no edit names.
 */
import { DatasetError } from "../errors.js";
import { ROOT, type TreePath, parentOf, textOf } from "../paths.js";
import { type Entry, EntryType } from "./entry.js";
import { SortedQueue } from "./sorted-queue.js";
import type { TreeReader } from "./tree-reader.js";

export class ParentGuard {
  /** Directories that edits made and whose children may still come. */
  readonly #made = new Set<TreePath>();
  /** Directories of the base that edits took away and whose children may still come. */
  readonly #gone = new Set<TreePath>();
  readonly #goneInOrder = new SortedQueue();
  /** The directory of the last put, found to be one. */
  #current: TreePath | undefined;

  constructor(private readonly base: TreeReader) {}

  /**
   * To be told of every put, in order; a promise when it must ask the base.
   * @param before The type of what the base has at the path, 0 for nothing.
   * @throws {DatasetError} `bad-input` when it lies in what is no directory
   */
  put(entry: Entry, before: EntryType | 0): Promise<void> | undefined {
    const { path, type } = entry;
    if (type !== EntryType.directory) this.removed(path, before);
    else if (before !== EntryType.directory) this.#made.add(path);
    if (path !== ROOT) return this.#checkParent(path, before);
    if (type === EntryType.directory) return undefined;
    throw new DatasetError(
      "bad-input",
      { value: "" },
      "Cannot edit the tree: its root must stay a directory",
    );
  }

  /** To be told of every entry of the base that goes. */
  removed(path: TreePath, before: EntryType | 0): void {
    if (before !== EntryType.directory) return;
    this.#gone.add(path);
    this.#goneInOrder.add(path);
  }

  /** Whether keys `[start, end)` of the base may hold children of a directory that is gone. Asked in order. */
  concerns(start: string, end: string): boolean {
    const gone = this.#goneInOrder;
    while (gone.least !== undefined && `${gone.least}\x01` <= start)
      this.#gone.delete(gone.take() as TreePath);
    return gone.least !== undefined && `${gone.least}\0` < end;
  }

  /** To be told of every entry of the base that stays as it is. @throws {DatasetError} `bad-input` below what is gone */
  kept(path: TreePath): void {
    if (this.#gone.size > 0 && this.#gone.has(parentOf(path))) throw orphan(path);
  }

  /** Edits come directory by directory, so one answer serves a run of them, and nobody asks for the last one again. */
  #checkParent(path: TreePath, before: EntryType | 0): Promise<void> | undefined {
    const parent = parentOf(path);
    if (parent === this.#current) return undefined;
    if (this.#current !== undefined) this.#made.delete(this.#current);
    this.#current = parent;
    if (this.#gone.has(parent)) throw orphan(path);
    return this.#made.has(parent) || before !== 0 ? undefined : this.#checkInBase(parent, path);
  }

  async #checkInBase(parent: TreePath, child: TreePath): Promise<void> {
    const place = await this.base.find(parent);
    if (place?.range.typeAt(place.index) !== EntryType.directory) throw orphan(child);
  }
}

function orphan(path: TreePath): DatasetError<"bad-input"> {
  const [shown, parent] = [path, parentOf(path)].map((bytes) => JSON.stringify(textOf(bytes))) as [
    string,
    string,
  ];
  const message = `Cannot have ${shown} in the tree: ${parent} is not a directory there`;
  return new DatasetError("bad-input", { value: textOf(path) }, message);
}
