/** Blocks on this machine, looked for where they are cheapest first: memory, then disk. */
import type { Sha256 } from "../content/chunk.js";
import type { LocalBlocks } from "./block.js";
import { copyFrom } from "./copy.js";
import type { DiskTier } from "./disk.js";
import type { MemoryTier } from "./memory.js";

/** Blocks in memory that are no part of the memory tier: held for an operation, on their way to disk. */
export type Aside = (hash: Sha256) => Uint8Array | undefined;

export class Tiers implements LocalBlocks {
  /** Look-ups that were answered, by tier. */
  readonly hits = { memory: 0, disk: 0 };

  constructor(
    private readonly memory: MemoryTier,
    private readonly disk: DiskTier,
    private readonly aside: readonly Aside[] = [],
  ) {}

  has(hash: Sha256): boolean {
    return this.#inMemory(hash) !== undefined || this.disk.has(hash);
  }

  copy(hash: Sha256, start: number, end: number, target: Uint8Array, at: number): boolean {
    const block = this.#inMemory(hash);
    const isHere = block
      ? copyFrom(block, start, end, target, at)
      : this.disk.copy(hash, start, end, target, at);
    if (isHere) this.hits[block ? "memory" : "disk"]++;
    return isHere;
  }

  /** A block read whole from disk stays in memory: it is a range or an index page far more often than content. */
  get(hash: Sha256): Uint8Array | undefined {
    const block = this.#inMemory(hash);
    if (block) this.hits.memory++;
    return block ?? this.#fromDisk(hash);
  }

  #inMemory(hash: Sha256): Uint8Array | undefined {
    let block = this.memory.get(hash);
    for (const find of this.aside) block ??= find(hash);
    return block;
  }

  #fromDisk(hash: Sha256): Uint8Array | undefined {
    const block = this.disk.get(hash);
    if (!block) return undefined;
    this.hits.disk++;
    this.memory.set(hash, block);
    return block;
  }
}
