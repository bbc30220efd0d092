/**
 * The disk tier: never an error for a reader. A block that cannot be read is not here, one that cannot be written is
 * not kept; the first trouble of each kind is told as a warning, and the disk is tried again later. What is done
 * while all is well is `block-store.ts`.
 */
import type { Sha256 } from "../content/chunk.js";
import { errnoOf, isDatasetError, messageOf } from "../errors.js";
import type { LocalBlocks } from "./block.js";
import type { Fill } from "./block-file.js";
import { BlockStore } from "./block-store.js";
import { openFolder } from "./folder.js";
import { isBusy, isDamage, openIndex } from "./open-index.js";

export type Warn = (message: string, data: Record<string, unknown>) => void;

/** How long nothing is written after a failure: a full disk seldom empties sooner, and each try costs a few MiB of writing. */
const PAUSE_MS = 30_000;
/** How often uses are written down, and the index looked after. */
const REST_EVERY_MS = 10_000;

export class DiskTier implements LocalBlocks {
  #store: BlockStore | undefined;
  #pausedUntilMs = 0;
  #restedMs = Date.now();
  readonly #warned = new Set<string>();

  /** @throws {DatasetError} `bad-input` when the folder is another user's */
  constructor(
    private readonly directory: string,
    private readonly warn: Warn,
  ) {
    try {
      this.#open();
    } catch (error) {
      if (isDatasetError(error, "bad-input")) throw error;
      this.#recover(error);
    }
  }

  /** Whether a block is here, as far as the index knows. */
  has(hash: Sha256): boolean {
    return this.#attempt(false, (store) => store.has(hash));
  }

  get(hash: Sha256): Uint8Array | undefined {
    return this.#attempt(undefined, (store) => store.get(hash));
  }

  copy(hash: Sha256, start: number, end: number, target: Uint8Array, at: number): boolean {
    return this.#attempt(false, (store) => store.copy(hash, start, end, target, at));
  }

  /** Keeps blocks that are right, and evicts down to `maxBytes`. */
  async keep(fill: Fill, maxBytes: number): Promise<void> {
    if (Date.now() < this.#pausedUntilMs) return;
    this.#reopenIfReplaced();
    try {
      await this.#store?.add(fill, maxBytes);
    } catch (error) {
      this.#recover(error);
    }
  }

  /** Bookkeeping, at most every 10 s; to be called when no reader waits. */
  rest(): void {
    if (Date.now() < this.#restedMs + REST_EVERY_MS) return;
    this.#restedMs = Date.now();
    this.#reopenIfReplaced();
    this.#attempt(undefined, (store) => store.rest());
  }

  totals(): { files: number; blocks: number; bytes: number } {
    return this.#attempt({ files: 0, blocks: 0, bytes: 0 }, (store) => store.totals());
  }

  /** Writes down what was used, and lets go. Twice is the same as once. */
  close(): void {
    this.#attempt(undefined, (store) => store.rest());
    this.#letGo();
    this.#pausedUntilMs = Infinity;
  }

  #attempt<T>(otherwise: T, work: (store: BlockStore) => T): T {
    if (!this.#store) return otherwise;
    try {
      return work(this.#store);
    } catch (error) {
      this.#recover(error);
      return otherwise;
    }
  }

  /** Somebody removed the folder, or another process began a new index: what we hold is seen by nobody else. */
  #reopenIfReplaced(): void {
    if (Date.now() < this.#pausedUntilMs) return;
    if (this.#store && !this.#store.isReplaced()) return;
    this.#letGo();
    try {
      this.#open();
    } catch (error) {
      this.#recover(error);
    }
  }

  #open(): void {
    const folder = openFolder(this.directory);
    const index = openIndex(folder, (cause) => this.#warnOfDamage(cause));
    this.#store = new BlockStore(folder, index);
  }

  #letGo(): void {
    this.#store?.close();
    this.#store = undefined;
  }

  /** Acts on what the system or SQLite said; a mistake in this program is passed on. */
  #recover(error: unknown): void {
    if (errnoOf(error) === undefined) throw error;
    if (isBusy(error)) return;
    if (isDamage(error) && this.#store) this.#beginAnew(this.#store, error);
    else this.#pause(error);
  }

  #pause(error: unknown): void {
    const code = errnoOf(error)!;
    this.#pausedUntilMs = Date.now() + PAUSE_MS;
    if (!this.#warned.has(code)) this.warn("disk cache bypassed", this.#problem(error));
    this.#warned.add(code);
  }

  #beginAnew(store: BlockStore, cause: unknown): void {
    this.#letGo();
    try {
      if (!store.isReplaced()) store.moveIndexAside();
      this.#warnOfDamage(cause);
      this.#open();
    } catch (error) {
      this.#recover(error);
    }
  }

  #warnOfDamage(cause: unknown): void {
    this.warn("damaged cache index moved aside", this.#problem(cause));
  }

  #problem(error: unknown): Record<string, unknown> {
    return { directory: this.directory, problem: messageOf(error) };
  }
}
