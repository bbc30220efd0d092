/**
 * The index segments of a commit, put together while its edits pass by: the chunks that its lineage does not hold yet,
 * in one segment together with small older ones, or in several where there are more than one segment may hold.
 */
import type { Chunk, RemoteId } from "./chunk.js";
import {
  type EncodedSegment,
  type SegmentRef,
  MAX_MERGED_CHUNKS,
  SegmentRows,
  encodeSegmentRows,
  mergeSegments,
  planSegments,
} from "./segment.js";
import type { KnownChunks } from "./plan-pieces.js";

export interface NewSegmentsOptions {
  /** Segments of the lineage. */
  older: readonly SegmentRef[];
  /** Which chunks the lineage holds. */
  known: KnownChunks;
  /** The bytes of older segments that are to be merged. */
  read: (segments: readonly SegmentRef[]) => Promise<readonly Uint8Array[]>;
  put: (segment: EncodedSegment) => Promise<void>;
  /** The remote that new segments are for. */
  remote: RemoteId;
  /** Most chunks of a segment. Default 2,097,152: 107 MB. */
  maxChunks?: number | undefined;
}

/** Chunks looked up together. */
const BATCH = 2_000;

/** Memory: 150 B for each of at most `maxChunks` chunks, while a segment is sorted and put. */
export class NewSegments {
  #batch: Chunk[] = [];
  #rows = new SegmentRows();
  readonly #full: SegmentRef[] = [];
  #work: Promise<void> = Promise.resolve();
  #failure: { error: unknown } | undefined;
  readonly #maxChunks: number;

  constructor(private readonly options: NewSegmentsOptions) {
    this.#maxChunks = options.maxChunks ?? MAX_MERGED_CHUNKS;
  }

  /** Notes a chunk of the new version. Await `settled` now and then. */
  add(chunk: Chunk): void {
    this.#batch.push(chunk);
    if (this.#batch.length >= BATCH) this.#passOn();
  }

  /** Resolves when what has been added is looked up, and written where it fills a segment. @throws its failure */
  async settled(): Promise<void> {
    await this.#work;
    if (this.#failure) throw this.#failure.error;
  }

  /** Writes the rest; gives all segments that the new version's root is to name. */
  async finish(): Promise<SegmentRef[]> {
    this.#passOn();
    await this.settled();
    const { older, read, put, remote } = this.options;
    const { keep, merge } = planSegments([...older, ...this.#full], this.#rows.count);
    if (this.#rows.count === 0 && merge.length === 0) return keep;
    const segment = mergeSegments(await read(merge), this.#rows, remote);
    await put(segment);
    return [...keep, segment.ref];
  }

  #passOn(): void {
    const batch = this.#batch;
    this.#batch = [];
    this.#work = this.#work
      .then(() => this.#take(batch))
      .catch((error: unknown) => void (this.#failure ??= { error }));
  }

  async #take(batch: readonly Chunk[]): Promise<void> {
    if (this.#failure) return;
    const known = await this.options.known(batch.map(({ hash }) => hash));
    for (const chunk of batch) if (!known.has(chunk.hash)) this.#rows.addChunk(chunk);
    if (this.#rows.count + BATCH > this.#maxChunks) await this.#write();
  }

  /** What is added many times counts once: rows that come down to half a segment wait for more. */
  async #write(): Promise<void> {
    this.#rows = this.#rows.sorted();
    if (this.#rows.count <= this.#maxChunks / 2) return;
    const segment = encodeSegmentRows(this.#rows, this.options.remote);
    this.#rows = new SegmentRows();
    await this.options.put(segment);
    this.#full.push(segment.ref);
  }
}
