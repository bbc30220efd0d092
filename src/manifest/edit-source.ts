/** A stream of edits, looked at one ahead and held to its order. */
import { DatasetError } from "../errors.js";
import { textOf } from "../paths.js";
import type { Edit } from "./entry.js";
import { keyOf } from "./key.js";
import { AFTER_ALL_KEYS } from "./range-table.js";

export type Edits = AsyncIterable<Edit> | Iterable<Edit>;

export class EditSource {
  /** Key of the next edit; after the last one, a string that sorts after every key. */
  key: string = AFTER_ALL_KEYS;
  #next: Edit | undefined;
  readonly #iterator: AsyncIterator<Edit> | Iterator<Edit>;

  private constructor(edits: Edits) {
    this.#iterator = Symbol.asyncIterator in edits ? edits[Symbol.asyncIterator]() : edits[Symbol.iterator]();
  }

  /** Whether there is a next edit. */
  get pending(): boolean {
    return this.#next !== undefined;
  }

  /** Opens a stream at its first edit. */
  static async open(edits: Edits): Promise<EditSource> {
    const source = new EditSource(edits);
    await source.#advance("");
    return source;
  }

  /** Takes the next edit; there must be one. */
  async take(): Promise<Edit> {
    const edit = this.#next!;
    await this.#advance(this.key);
    return edit;
  }

  /** Lets go of what the stream holds, when it is left before its end. */
  async close(): Promise<void> {
    await this.#iterator.return?.();
  }

  async #advance(after: string): Promise<void> {
    const step = this.#iterator.next();
    // A plain list is not waited for: a million turns of the event loop cost more than the edits.
    const { done, value } = step instanceof Promise ? await step : step;
    this.#next = done ? undefined : value;
    this.key = this.#next ? keyOf(this.#next.path) : AFTER_ALL_KEYS;
    if (!this.#next || this.key > after) return;
    const path = textOf(this.#next.path);
    const message = `Cannot take the edit of ${JSON.stringify(path)}: edits come sorted by key, one for each path`;
    throw new DatasetError("bad-input", { value: path }, message);
  }
}
