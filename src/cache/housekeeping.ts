/**
 * A cache folder as those see it who look after it: what is in it, who uses it, what is pinned, what is damaged. It has
 * a connection of its own to the index and works beside any number of caches on the folder. Other than these it says
 * so when the disk or the index fails.
 */
import { removeBlockFile } from "./block-file.js";
import type { Sha256 } from "../content/chunk.js";
import { DatasetError } from "../errors.js";
import type { ForgottenFile } from "./evict.js";
import { type CacheFolder, openFolder } from "./folder.js";
import { type Holder, type LiveHolder, dropDeadPins, holdFolder } from "./holders.js";
import { isDamage } from "./index-damage.js";
import type { CacheIndex } from "./index-db.js";
import { isBusy, moveAside, openIndex } from "./open-index.js";
import type { Pin, PinIndex } from "./pin-index.js";
import type { CacheTotals, ClearedBytes } from "./upkeep-index.js";
import { type VerifyOptions, type VerifyResult, verifyFolder } from "./verify.js";

export interface CacheReport extends CacheTotals {
  /** Nobody but us may enter: what is in it is trusted without a second look. */
  isPrivate: boolean;
  pins: Pin[];
  holders: LiveHolder[];
}

export interface Cleared {
  files: number;
  /** Room that is free now. */
  bytes: number;
  /** Room that pinned files keep. */
  pinnedBytes: number;
}

export class Housekeeping {
  readonly #folder: CacheFolder;
  readonly #index: CacheIndex;

  /** @throws {DatasetError} `bad-input` when the folder is another user's; what the system throws */
  constructor(directory: string, onDamage: (cause: unknown) => void = () => {}) {
    this.#folder = openFolder(directory);
    this.#index = openIndex(this.#folder, onDamage);
  }

  get isPrivate(): boolean {
    return this.#folder.isPrivate;
  }

  get pins(): PinIndex {
    return this.#index.pins;
  }

  report(): CacheReport {
    try {
      const holders = this.dropDeadPins();
      const { pins, upkeep } = this.#index;
      const pinnedBytes = pins.pinnedBytes();
      return { ...upkeep.totals(), pinnedBytes, isPrivate: this.isPrivate, pins: pins.list(), holders };
    } catch (error) {
      throw this.#explained(error);
    }
  }

  /** Makes this process a holder, whose pins live as long as it does. */
  hold(facts: object): Holder {
    return holdFolder(this.#folder, facts);
  }

  /** Takes away the pins of holders that live no more; gives those that do. */
  dropDeadPins(): LiveHolder[] {
    return dropDeadPins(this.#folder, this.pins);
  }

  /** Removes all but what is pinned. */
  async clear(): Promise<Cleared> {
    return this.#clearing(() => this.#index.upkeep.clear());
  }

  /** Removes blocks, and with them files of which they are more than half, but none of a pinned file. */
  async clearBlocks(blocks: AsyncIterable<readonly Sha256[]>): Promise<Cleared> {
    const cleared: ClearedBytes = new Map();
    const { upkeep } = this.#index;
    return this.#clearing(async () => {
      for await (const hashes of blocks) upkeep.forget(hashes, cleared);
      return upkeep.forgetMostlyCleared(cleared);
    });
  }

  /** Reads everything. @throws {DatasetError} `cancelled`; `format-damaged` when the index is */
  async verify(options: VerifyOptions = {}): Promise<VerifyResult> {
    try {
      return await verifyFolder(this.#folder, this.#index, options);
    } catch (error) {
      throw this.#explained(error);
    }
  }

  /** Twice is the same as once. */
  close(): void {
    this.#index.close();
  }

  /** Rows first: a crash leaves files that nobody knows, which are swept, never rows without their files. */
  async #clearing(forget: () => ForgottenFile[] | Promise<ForgottenFile[]>): Promise<Cleared> {
    try {
      this.dropDeadPins();
      const { upkeep } = this.#index;
      const before = upkeep.totals().bytes;
      const files = await forget();
      for (const { name } of files) await removeBlockFile(this.#folder, name);
      this.#shrink();
      const bytes = Math.max(0, before - upkeep.totals().bytes);
      return { files: files.length, bytes, pinnedBytes: this.pins.pinnedBytes() };
    } catch (error) {
      throw this.#explained(error);
    }
  }

  /** Another time, when others are writing. */
  #shrink(): void {
    try {
      this.#index.upkeep.shrink();
    } catch (error) {
      if (!isBusy(error)) throw error;
    }
  }

  #explained(error: unknown): unknown {
    if (!isDamage(error)) return error;
    const { indexPath } = this.#folder;
    moveAside(indexPath);
    const message = `Cannot use the cache index "${indexPath}": it is damaged; it was moved aside, and what it knew will be fetched again`;
    return new DatasetError("format-damaged", { what: indexPath }, message, { cause: error });
  }
}
