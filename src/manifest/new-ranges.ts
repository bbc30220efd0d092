/**
 * Ranges on their way out. The newest are held back in memory for a while: a hard link removed at the end of a tree
 * changes an entry near its start, and a range made twice is then sent once.
 */
import type { Sha256 } from "../content/chunk.js";
import { MiB } from "../units.js";
import { type EncodedRange, type Range, openRange } from "./range.js";
import type { LoadRange, RangeRef } from "./range-ref.js";

/** About 300,000 entries. */
const HELD_BYTES = 32 * MiB;
/** Enough to hide the latency of a store behind the making of further ranges. */
const PUTS_IN_FLIGHT = 8;

export class NewRanges {
  putRanges = 0;
  putBytes = 0;

  readonly #held = new Map<Sha256, EncodedRange>();
  #heldBytes = 0;
  readonly #inFlight = new Set<Promise<void>>();
  #failure: { error: unknown } | undefined;

  constructor(
    private readonly put: (range: EncodedRange) => Promise<void>,
    private readonly loadStored: LoadRange,
  ) {}

  /** Takes a range in; sends the oldest ones when too many are held. */
  async add(range: EncodedRange): Promise<void> {
    if (this.#held.has(range.object)) return;
    this.#held.set(range.object, range);
    this.#heldBytes += range.bytes.length;
    for (const oldest of this.#held.values()) {
      if (this.#heldBytes <= HELD_BYTES) return;
      await this.#send(oldest);
    }
  }

  /** A range, held or stored. */
  load = async (ref: RangeRef): Promise<Range> => {
    const held = this.#held.get(ref.object);
    if (held) return openRange(held.bytes, held.remote);
    await this.#settle();
    return this.loadStored(ref);
  };

  /** Sends those held ranges that `used` names, drops the others, and waits for all. */
  async finish(used: readonly RangeRef[]): Promise<void> {
    const names = new Set(used.map(({ object }) => object));
    for (const range of this.#held.values()) if (names.has(range.object)) await this.#send(range);
    this.#held.clear();
    await this.#settle();
  }

  async #send(range: EncodedRange): Promise<void> {
    while (this.#inFlight.size >= PUTS_IN_FLIGHT) await Promise.race(this.#inFlight);
    this.#throwFailure();
    this.#held.delete(range.object);
    this.#heldBytes -= range.bytes.length;
    this.putRanges += 1;
    this.putBytes += range.bytes.length;
    const sending = this.put(range)
      .catch((error: unknown) => void (this.#failure ??= { error }))
      .finally(() => this.#inFlight.delete(sending));
    this.#inFlight.add(sending);
  }

  async #settle(): Promise<void> {
    await Promise.all(this.#inFlight);
    this.#throwFailure();
  }

  #throwFailure(): void {
    if (this.#failure) throw this.#failure.error;
  }
}
