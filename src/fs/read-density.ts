/**
 * Where many entries near each other are read in no order, as a shuffled loader reads them: there the rest is worth
 * fetching. Counts reads in regions of the tree, small ones and ever larger ones around them; it fetches nothing.
 */

/** Entries `[start, end)` of a tree, by ordinal. */
export interface Region {
  start: number;
  end: number;
}

/**
 * A region is dense once so many of its entries were read. Of 5,000 entries 256 read by chance make about three of the
 * smallest regions dense and none of the others; and never is more than eight times fetched of what was read.
 */
const LEVELS = [
  { entries: 16, reads: 4 },
  { entries: 64, reads: 10 },
  { entries: 256, reads: 32 },
  { entries: 1024, reads: 128 },
];
const ENTRIES_IN_MASK = 16;

export class ReadDensity {
  /** A bit for each entry; with the counts 0.2 bytes an entry, 2 MiB for ten million. */
  readonly #read: Uint16Array;
  readonly #counts: readonly Uint16Array[];

  constructor(private readonly entryCount: number) {
    this.#read = new Uint16Array(Math.ceil(entryCount / ENTRIES_IN_MASK));
    this.#counts = LEVELS.map(({ entries }) => new Uint16Array(Math.ceil(entryCount / entries)));
  }

  /** Notes that an entry was read; gives the largest region that became dense with it. An entry counts once. */
  note(ordinal: number): Region | undefined {
    if (!this.#isFirst(ordinal)) return undefined;
    let dense: Region | undefined;
    LEVELS.forEach(({ entries, reads }, level) => {
      const region = Math.floor(ordinal / entries);
      if (++this.#counts[level]![region]! === reads) dense = this.#regionAt(region * entries, entries);
    });
    return dense;
  }

  #isFirst(ordinal: number): boolean {
    const [at, bit] = [Math.floor(ordinal / ENTRIES_IN_MASK), 1 << (ordinal % ENTRIES_IN_MASK)];
    const mask = this.#read[at]!;
    this.#read[at] = mask | bit;
    return (mask & bit) === 0;
  }

  #regionAt(start: number, entries: number): Region {
    return { start, end: Math.min(start + entries, this.entryCount) };
  }
}
