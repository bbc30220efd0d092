/** Blocks that stay in memory until the operation they were fetched for is done, whatever the tiers drop meanwhile. */
import type { Sha256 } from "../content/chunk.js";

/** What one operation holds. */
export type Held = Map<Sha256, Uint8Array>;

export class Holds {
  readonly #open = new Set<Held>();

  get(hash: Sha256): Uint8Array | undefined {
    for (const held of this.#open) {
      const bytes = held.get(hash);
      if (bytes) return bytes;
    }
    return undefined;
  }

  open(): Held {
    const held: Held = new Map();
    this.#open.add(held);
    return held;
  }

  close(held: Held): void {
    this.#open.delete(held);
  }
}
