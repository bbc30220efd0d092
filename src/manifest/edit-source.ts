/** A stream of edits, looked at one ahead and held to its order. */
import { DatasetError } from "../errors.js";
import { textOf } from "../paths.js";
import type { Edit } from "./entry.js";
import { keyOf } from "./key.js";
import { AFTER_ALL_KEYS } from "./range-table.js";

export type Edits = AsyncIterable<Edit> | Iterable<Edit>;

export class EditSource {
  /** The next edit; undefined after the last one. */
  next: Edit | undefined;
  /** Its key; after the last edit, a string that sorts after every key. */
  key: string = AFTER_ALL_KEYS;
  readonly #iterator: AsyncIterator<Edit> | Iterator<Edit>;

  private constructor(edits: Edits) {
    this.#iterator = Symbol.asyncIterator in edits ? edits[Symbol.asyncIterator]() : edits[Symbol.iterator]();
  }

  /** Opens a stream at its first edit. */
  static async open(edits: Edits): Promise<EditSource> {
    const source = new EditSource(edits);
    source.key = "";
    await source.advance();
    return source;
  }

  /**
   * To the edit after `next`. Gives a promise only where the stream does: a million turns of the event loop for a
   * plain list cost more than the edits.
   * @throws {DatasetError} `bad-input` for an edit out of order
   */
  advance(): Promise<void> | undefined {
    const step = this.#iterator.next();
    if ("then" in step) return step.then((result) => this.#arrive(result));
    this.#arrive(step);
    return undefined;
  }

  /** Lets go of what the stream holds, when it is left before its end. */
  async close(): Promise<void> {
    await this.#iterator.return?.();
  }

  #arrive({ done, value }: IteratorResult<Edit, unknown>): void {
    const after = this.key;
    this.next = done ? undefined : value;
    this.key = this.next ? keyOf(this.next.path) : AFTER_ALL_KEYS;
    if (!this.next || this.key > after) return;
    const path = textOf(this.next.path);
    const message = `Cannot take the edit of ${JSON.stringify(path)}: edits come sorted by key, one for each path`;
    throw new DatasetError("bad-input", { value: path }, message);
  }
}
