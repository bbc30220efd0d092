/** Which ranges a walk will ask for next: none for a lone look-up, more and more for one that goes on and on. */

/** 16 ranges are about 3 MiB: at 15 ms a request, `find` then waits once in 30,000 entries. */
const MOST_AHEAD = 16;

export class RangeAhead {
  #missed = -2;
  #count = 0;

  /** The numbers after `missed`, which is not here, that are worth fetching along with it. */
  after(missed: number, rangeCount: number): number[] {
    const goesOn = missed === this.#missed + this.#count + 1;
    // A listing that ends early misses a range twice: once at its end, and again when it goes on.
    if (missed !== this.#missed)
      this.#count = goesOn ? Math.min(MOST_AHEAD, Math.max(1, 2 * this.#count)) : 0;
    this.#missed = missed;
    const next = missed + 1;
    return Array.from({ length: Math.min(this.#count, rangeCount - next) }, (_, index) => next + index);
  }
}
