/**
 * A second request when the first stalls. Stores answer a few requests in a thousand many times later than the rest;
 * who waits for such a one asks again, takes the answer that comes first, and cancels the other.
 */
import { MiB } from "../units.js";
import type { RequestOptions } from "./remote.js";

/** Anything that is read by range: a remote, by its keys, or what holds external files. */
interface Readable<What> {
  read(what: What, start: number, end: number, options?: RequestOptions): Promise<Uint8Array>;
}

export interface HedgingOptions {
  /** Only reads of at most so many bytes: twice a larger one would crowd out others. Default 1 MiB. */
  maxBytes?: number;
  /** A read is late after this multiple of what 95 of 100 recent ones took. Default 3. */
  patience?: number;
  /** No read is late before. Default 100 ms. */
  minMs?: number;
}

/** Recent reads that are remembered. */
const SAMPLES = 128;
/** Before so many have been seen nothing is known of the store, and this is taken for slow. */
const FEW_SAMPLES = 16;
const UNKNOWN_LATE_MS = 1_000;
/** Second requests in all reads, so that a store that is slow for all is not asked twice for all. */
const SHARE = 0.05;
/** Second requests that may be saved up. */
const SAVED_MAX = 5;

/** `remote`, whose small reads are made twice when they are late. */
export function withHedging<What, Store extends Readable<What>>(
  remote: Store & Readable<What>,
  options: HedgingOptions = {},
): Store {
  const { maxBytes = 1 * MiB, patience = 3, minMs = 100 } = options;
  const recent = new RecentTimes();
  let allowed = SAVED_MAX;

  return {
    ...remote,
    async read(what: What, start: number, end: number, { signal }: RequestOptions = {}) {
      const attempt = (own: AbortSignal) =>
        recent.timed(() => remote.read(what, start, end, { signal: own }));
      if (end - start > maxBytes) return remote.read(what, start, end, { signal });
      allowed = Math.min(SAVED_MAX, allowed + SHARE);
      const lateMs = Math.max(minMs, patience * (recent.p95Ms ?? UNKNOWN_LATE_MS));
      return firstOf(attempt, lateMs, signal, () => {
        if (allowed < 1) return false;
        allowed -= 1;
        return true;
      });
    },
  };
}

/** What the first attempt gives or, when it is late and a second is allowed, the first of both. */
function firstOf<T>(
  attempt: (signal: AbortSignal) => Promise<T>,
  lateMs: number,
  signal: AbortSignal | undefined,
  mayRepeat: () => boolean,
): Promise<T> {
  const ending = new AbortController();
  const onAbort = () => ending.abort(signal?.reason);
  signal?.addEventListener("abort", onAbort);
  if (signal?.aborted) onAbort();
  return new Promise<T>((resolve, reject) => {
    let running = 0;
    const start = () => {
      running++;
      // A failure counts when nothing else is under way; what may heal is tried again above this.
      const lose = (error: Error) => --running === 0 && reject(error);
      attempt(ending.signal).then(resolve, lose);
    };
    const timer = setTimeout(() => running > 0 && mayRepeat() && start(), lateMs);
    ending.signal.addEventListener("abort", () => clearTimeout(timer));
    start();
  }).finally(() => {
    signal?.removeEventListener("abort", onAbort);
    ending.abort(); // Ends whichever is still under way.
  });
}

/** How long the last reads took. */
class RecentTimes {
  readonly #ms: number[] = [];
  #next = 0;

  /** Undefined while too little is known. */
  get p95Ms(): number | undefined {
    if (this.#ms.length < FEW_SAMPLES) return undefined;
    return this.#ms.toSorted((a, b) => a - b)[Math.floor(this.#ms.length * 0.95)]!;
  }

  async timed<T>(work: () => Promise<T>): Promise<T> {
    const startMs = performance.now();
    const result = await work();
    this.#ms[this.#next] = performance.now() - startMs;
    this.#next = (this.#next + 1) % SAMPLES;
    return result;
  }
}
