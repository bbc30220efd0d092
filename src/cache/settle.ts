/**
 * Making wholes complete: when most of a large file is here, in whatever places, the rest of its file is laid in the
 * background. A whole that may not be trusted any more is hashed instead.
 */
import { setImmediate } from "node:timers/promises";

import type { Sha256 } from "../content/chunk.js";
import { MiB } from "../units.js";
import type { Block } from "./block.js";
import type { Cache } from "./cache.js";
import type { DiskTier } from "./disk.js";
import type { Tiers } from "./local.js";
import type { Part, PartBytes, Whole } from "./whole.js";

type PartBlock = Block & { part: Part };

/** Read and written at once: a few turns of the event loop for others in a second of work. */
const BATCH_BYTES = 4 * MiB;
/** Blocks that a lagging disk left out are fetched again, but not a file of which little was read. */
const MOST_ABSENT_SHARE = 1 / 4;

export class Settler {
  readonly #underway = new Map<Sha256, Promise<void>>();
  readonly #closing = new AbortController();

  constructor(
    private readonly cache: Pick<Cache, "readMany"> & { local: Tiers },
    private readonly disk: DiskTier,
    private readonly maxBytes: number,
  ) {}

  /** Resolves when the whole is complete, or was given up; asked again meanwhile, it is the same work. */
  settle(whole: Whole, blocks: readonly Block[]): Promise<void> {
    const work = this.#underway.get(whole.id) ?? this.#settle(whole, blocks).catch(() => undefined);
    this.#underway.set(whole.id, work);
    return work.finally(() => this.#underway.delete(whole.id));
  }

  /** Gives up what is under way. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#underway.values());
  }

  async #settle(whole: Whole, blocks: readonly Block[]): Promise<void> {
    if (await this.disk.verifyWhole(whole)) return;
    const lacking = this.#lackingOf(whole, blocks);
    const absent = lacking.filter(({ hash }) => !this.cache.local.has(hash));
    if (bytesOf(absent) > whole.sizeBytes * MOST_ABSENT_SHARE) return;
    for (const batch of batchesOf(lacking)) {
      if (this.#closing.signal.aborted) return;
      await this.#lay(batch);
      await setImmediate();
    }
  }

  #lackingOf(whole: Whole, blocks: readonly Block[]): PartBlock[] {
    const laid = this.disk.laidOf(whole);
    return blocks.filter((block): block is PartBlock => block.part !== undefined && !laid.has(block.part.at));
  }

  async #lay(blocks: readonly PartBlock[]): Promise<void> {
    const bytes = await this.cache.readMany(blocks);
    const parts = blocks.map(({ hash, part }, at): PartBytes => ({ ...part, hash, bytes: bytes[at]! }));
    await this.disk.keepParts(parts, this.maxBytes);
  }
}

function batchesOf(blocks: readonly PartBlock[]): PartBlock[][] {
  const batches: PartBlock[][] = [];
  let roomBytes = 0;
  for (const block of blocks) {
    roomBytes -= block.sizeBytes;
    if (roomBytes < 0) {
      batches.push([]);
      roomBytes = BATCH_BYTES - block.sizeBytes;
    }
    batches.at(-1)!.push(block);
  }
  return batches;
}

function bytesOf(blocks: readonly Block[]): number {
  return blocks.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}
