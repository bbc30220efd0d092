/**
 * The second step of storing: which chunks of what was read are new, and from where their bytes will be taken. Runs in
 * the order of the sources, so that the same input gives the same packs.
 */
import { MiB } from "../units.js";
import { type Chunk, Codec, type Sha256 } from "./chunk.js";
import type { Cut, Run } from "./ingest-jobs.js";
import { type PackUnderway, Place, type SentChunks } from "./place.js";
import type { ReadBatch, ReadContent } from "./read-readers.js";
import { type ContentSource, STREAMED_BYTES } from "./source.js";

/** What is read again at once. */
const PIECE_BYTES = 8 * MiB;

/** A file is laid as a pack by itself only when this share of it is new: a sparse one would be sent zero by zero. */
const DISTINCT_SHARE = 0.9;

/** A new chunk, where its content has it, and where it is to lie. */
export interface PlannedRun extends Run {
  place: Place;
}

/** A file of which every chunk is known or planned. */
export interface PlannedFile<Id> {
  content: ReadContent<Id>;
  parts: (Chunk | Place)[];
}

/** New chunks to lay in order, and the files that are planned completely with them. */
export interface Piece<Id> {
  /** Whence the runs are to be taken. */
  from: { bytes: Uint8Array<ArrayBuffer> } | { source: ContentSource<Id> };
  runs: PlannedRun[];
  files: PlannedFile<Id>[];
  /** Set when the runs, which are then the whole file, are to become this pack. */
  solo?: PackUnderway | undefined;
}

export type KnownChunks = (hashes: Sha256[]) => Promise<Map<Sha256, Chunk>>;

/** Pieces for all that was read. Asks `known` once a batch. */
export async function* planPieces<Id>(
  batches: AsyncIterable<ReadBatch<Id>>,
  known: KnownChunks,
  sent: SentChunks,
): AsyncGenerator<Piece<Id>> {
  for await (const { contents, bytes } of batches) {
    const planner = new Planner(await askKnown(contents, known, sent), sent);
    const inMemory = contents.filter(({ digest }) => digest.at !== undefined);
    if (inMemory.length > 0) yield pieceInMemory(planner, inMemory, bytes);
    for (const content of contents) if (content.digest.at === undefined) yield* piecesOf(planner, content);
  }
}

/** The chunks of a content in order; none when it is empty. */
function cutsOf({ digest: { sizeBytes, sha256, cuts } }: ReadContent<unknown>): Cut[] {
  return cuts ?? (sizeBytes === 0 ? [] : [{ hash: sha256, sizeBytes }]);
}

async function askKnown(
  contents: readonly ReadContent<unknown>[],
  known: KnownChunks,
  sent: SentChunks,
): Promise<Map<Sha256, Chunk>> {
  const unseen = new Set<Sha256>();
  for (const content of contents)
    for (const { hash } of cutsOf(content)) if (!sent.get(hash)) unseen.add(hash);
  return unseen.size > 0 ? known([...unseen]) : new Map();
}

/** Finds a place for every chunk, and collects those that are new. */
class Planner {
  constructor(
    readonly known: ReadonlyMap<Sha256, Chunk>,
    readonly sent: SentChunks,
  ) {}

  /** Adds to `runs` what of `content` is new, whose bytes start at `start`. */
  plan<Id>(content: ReadContent<Id>, start: number, runs: PlannedRun[]): PlannedFile<Id> {
    let at = start;
    const parts = cutsOf(content).map((cut) => {
      const part = this.#find(cut.hash) ?? this.#add({ ...cut, at }, runs);
      at += cut.sizeBytes;
      return part;
    });
    return { content, parts };
  }

  /** Whether a content is to be a pack by itself: large, nothing of it known, and little of it twice. */
  isSolo(content: ReadContent<unknown>): boolean {
    if (content.digest.sizeBytes < STREAMED_BYTES) return false;
    const sizes = new Map(cutsOf(content).map(({ hash, sizeBytes }) => [hash, sizeBytes]));
    const distinctBytes = [...sizes.values()].reduce((sum, sizeBytes) => sum + sizeBytes, 0);
    if (distinctBytes < content.digest.sizeBytes * DISTINCT_SHARE) return false;
    return [...sizes.keys()].every((hash) => !this.#find(hash));
  }

  #find(hash: Sha256): Chunk | Place | undefined {
    return this.sent.get(hash) ?? this.known.get(hash);
  }

  #add(run: Run, runs: PlannedRun[]): Place {
    const place = new Place(run);
    this.sent.remember(place);
    runs.push({ ...run, place });
    return place;
  }
}

function pieceInMemory<Id>(
  planner: Planner,
  contents: ReadContent<Id>[],
  bytes: Uint8Array<ArrayBuffer>,
): Piece<Id> {
  const runs: PlannedRun[] = [];
  const files = contents.map((content) => planner.plan(content, content.digest.at!, runs));
  return { from: { bytes }, runs, files };
}

/** The pieces of a content that has to be read again; its file comes with the last. */
function* piecesOf<Id>(planner: Planner, content: ReadContent<Id>): Generator<Piece<Id>> {
  if (planner.isSolo(content)) yield soloPiece(planner, content);
  else yield* groupedPieces(planner, content);
}

function* groupedPieces<Id>(planner: Planner, content: ReadContent<Id>): Generator<Piece<Id>> {
  const runs: PlannedRun[] = [];
  const file = planner.plan(content, 0, runs);
  const groups = groupRuns(runs);
  const last = groups.pop() ?? [];
  const from = { source: content.source };
  for (const group of groups) yield { from, runs: group, files: [] };
  yield { from, runs: last, files: [file] };
}

/** Every chunk lies in the pack where the file has it, those met twice too: the object is the file. */
function soloPiece<Id>(planner: Planner, content: ReadContent<Id>): Piece<Id> {
  const pack: PackUnderway = { state: "open", id: content.digest.sha256 };
  let at = 0;
  const runs = cutsOf(content).map((cut) => {
    const place = new Place(cut);
    place.lay(pack, { offset: at, storedBytes: cut.sizeBytes, codec: Codec.raw });
    planner.sent.remember(place);
    const run = { ...cut, at, place };
    at += cut.sizeBytes;
    return run;
  });
  const file = { content, parts: runs.map(({ place }) => place) };
  return { from: { source: content.source }, runs, files: [file], solo: pack };
}

/** Runs in groups of at most `PIECE_BYTES`. */
export function groupRuns<Each extends Run>(runs: readonly Each[]): Each[][] {
  const groups: Each[][] = [];
  let roomBytes = 0;
  for (const run of runs) {
    if (groups.length === 0 || run.sizeBytes > roomBytes) {
      groups.push([]);
      roomBytes = PIECE_BYTES;
    }
    groups.at(-1)!.push(run);
    roomBytes -= run.sizeBytes;
  }
  return groups;
}
