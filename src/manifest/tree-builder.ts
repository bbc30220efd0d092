/** Cuts a stream of sorted entries into ranges, and takes ranges of a base over whole where the cut rule allows. */
import type { RemoteId } from "../content/chunk.js";
import type { Entry } from "./entry.js";
import { type Key, cutsAfter, weightOf } from "./key.js";
import type { NewRanges } from "./new-ranges.js";
import { encodeRange } from "./range.js";
import type { RangeRef } from "./range-ref.js";

export class TreeBuilder {
  /** The ranges so far. */
  readonly ranges: RangeRef[] = [];

  #entries: Entry[] = [];
  #weightBytes = 0;
  /** A range of the base that the entries since the last cut may turn out to be. */
  #candidate: RangeRef | undefined;

  constructor(
    private readonly made: NewRanges,
    private readonly remote: RemoteId,
  ) {}

  /** Whether a range has just ended, so that the next one may be taken over. */
  get atCut(): boolean {
    return this.#entries.length === 0;
  }

  /** Takes a range over as it is, at a cut. */
  reuse(range: RangeRef): void {
    this.ranges.push(range);
  }

  /** Says that entries from this range follow: if they come out as they were, it is kept instead of made anew. */
  expect(range: RangeRef): void {
    this.#candidate = this.atCut ? range : undefined;
  }

  /** Adds the next entry; a promise when it ends a range. */
  add(entry: Entry, key: Key): Promise<void> | undefined {
    this.#entries.push(entry);
    this.#weightBytes += weightOf(entry, key);
    return cutsAfter(key, this.#entries.length, this.#weightBytes) ? this.finish() : undefined;
  }

  /** Ends the last range. */
  async finish(): Promise<void> {
    if (this.atCut) return;
    const range = encodeRange(this.#entries, this.remote);
    const unchanged = this.#candidate?.id === range.id ? this.#candidate : undefined;
    this.ranges.push(unchanged ?? range.ref);
    this.#entries = [];
    this.#weightBytes = 0;
    this.#candidate = undefined;
    if (!unchanged) await this.made.add(range);
  }
}
