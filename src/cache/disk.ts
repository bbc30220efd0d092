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
import { isDamage } from "./index-damage.js";
import { isBusy, openIndex } from "./open-index.js";
import { type PartBytes, type Whole, groupByWhole } from "./whole.js";
import type { OpenWhole, WholeStore } from "./whole-store.js";

/** What the cache has mended by itself: a `damaged` file that was dropped, a `wrong` answer of a remote that was asked for again. */
export type CacheFault = "damaged" | "wrong";
export type OnCacheFault = (fault: CacheFault, data: Record<string, unknown>) => void;

export type Warn = (message: string, data: Record<string, unknown>) => void;

/** How long nothing is written after a failure: a full disk seldom empties sooner, and each try costs a few MiB of writing. */
const PAUSE_MS = 30_000;
/** How often uses are written down, and the index looked after. */
const REST_EVERY_MS = 10_000;

export class DiskTier implements LocalBlocks {
  #store: BlockStore | undefined;
  #pausedUntilMs = 0;
  #restedMs = Date.now();
  /** Parts are written one call after the other. */
  #turns: Promise<unknown> = Promise.resolve();
  readonly #warned = new Set<string>();

  /**
   * @param onFault Told of each file that proved damaged; nobody need do anything.
   * @throws {DatasetError} `bad-input` when the folder is another user's
   */
  constructor(
    private readonly directory: string,
    private readonly warn: Warn,
    private readonly onFault: OnCacheFault = () => {},
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
    await this.#write((store) => store.add(fill, maxBytes));
  }

  /** Whether large files may be kept in one piece here: nobody else writes to the folder. */
  get keepsWholes(): boolean {
    return this.#store?.wholes !== undefined;
  }

  /** The file of a whole that is here completely. Who asks closes the descriptor. */
  openWhole(whole: Whole): OpenWhole | undefined {
    return this.#attempt(undefined, (store) => store.wholes?.open(whole));
  }

  /** A file without a name where wholes lie; undefined where there are none. Who asks closes the descriptor. */
  openProbe(): number | undefined {
    return this.#attempt(undefined, (store) => store.wholes?.openProbe());
  }

  /** Where parts of a whole were laid that is not complete yet. */
  laidOf(whole: Whole): ReadonlySet<number> {
    return this.#attempt(new Set<number>(), (store) => store.wholes?.laidOf(whole) ?? new Set());
  }

  /** Lays parts that are right where they belong, one call after the other, and evicts down to `maxBytes`. */
  async keepParts(parts: readonly PartBytes[], maxBytes: number): Promise<void> {
    for (const group of groupByWhole(parts))
      await this.#inTurn((wholes) => wholes.lay(group[0]!.whole, group, maxBytes));
  }

  /** Hashes a whole that may not be trusted; gives whether it is right. */
  async verifyWhole(whole: Whole): Promise<boolean> {
    return (await this.#inTurn((wholes) => wholes.verify(whole))) ?? false;
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

  #inTurn<T>(work: (wholes: WholeStore) => Promise<T>): Promise<T | undefined> {
    const turn = this.#turns.then(() => this.#write((store) => store.withWholes(work)));
    this.#turns = turn.catch(() => undefined);
    return turn;
  }

  /** Nothing is written for a while after a failure. */
  async #write<T>(work: (store: BlockStore) => Promise<T>): Promise<T | undefined> {
    if (Date.now() < this.#pausedUntilMs) return undefined;
    this.#reopenIfReplaced();
    try {
      return this.#store && (await work(this.#store));
    } catch (error) {
      this.#recover(error);
      return undefined;
    }
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
    const { directory } = this;
    this.#store = new BlockStore(folder, index, (file) => this.onFault("damaged", { directory, file }));
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
