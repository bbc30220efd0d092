/**
 * Storing content: files in, chunks of known place out, each new chunk sent once. Reading, planning, encoding and
 * sending are steps of their own (`read-sources.ts`, `plan-pieces.ts`, `encode-pieces.ts`, `pack.ts`); here they are
 * joined, and each file is told as stored once the packs it needs are.
 */
import { DatasetError } from "../errors.js";
import { textOf } from "../paths.js";
import type { ObjectKey, Remote } from "../remote/remote.js";
import type { Chunk, RemoteId } from "./chunk.js";
import { type EncodedPiece, encodePiece, rereadRuns } from "./encode-pieces.js";
import { mapInOrder } from "./in-order.js";
import type { EncodedRuns } from "./ingest-jobs.js";
import { PackWriter, type SoloContent } from "./pack.js";
import { type PackUnderway, Place, SentChunks } from "./place.js";
import { type KnownChunks, type Piece, type PlannedRun, groupRuns, planPieces } from "./plan-pieces.js";
import type { ReadContent } from "./read-readers.js";
import { batchSources, readBatch } from "./read-sources.js";
import { Session, type SessionOptions } from "./session.js";
import { type ContentSource, type StoredContent, pathOf } from "./source.js";
import { ProgressTally, type StoreProgress } from "./store-progress.js";
import { WaitingFiles } from "./waiting-files.js";

export { hashFiles } from "./hash-files.js";
export type { ContentReader, ContentSource, HashedContent, Holes, StoredContent } from "./source.js";

/** So often is a file begun again when it has changed between being hashed and being sent. */
const ROUNDS = 5;
/** Groups of chunks of one large file read ahead of the remote. */
const SOLO_READ_AHEAD = 2;

export interface StoreOptions extends SessionOptions {
  remote: Remote;
  /** What locations of new chunks name the remote by. */
  remoteId: RemoteId;
  /** Which of these chunks need not be sent, and where they lie. Asked once a batch of files. */
  known: KnownChunks;
  /** Packs that may be deleted any moment: they are sent though they are there. Default: none. */
  distrusted?: ReadonlySet<ObjectKey> | undefined;
  /** Most a pack of several chunks holds. Default 32 MiB. */
  packBytes?: number | undefined;
  /** `auto`, the default: each chunk where it saves a tenth. */
  compression?: "auto" | "none" | undefined;
  /** Told of bytes that the remote took. */
  onSent?: ((bytes: number) => void) | undefined;
  onProgress?: ((progress: StoreProgress) => void) | undefined;
}

type Sources<Id> = AsyncIterable<ContentSource<Id>> | Iterable<ContentSource<Id>>;

/**
 * Stores contents, and yields each once every byte of it is durable in the remote. The order of results is free; the
 * order of sources is that of chunks in packs. A failure, an abort of `signal` or the caller's leaving stops it:
 * then threads and requests have ended, and only whole packs, which nobody names, may remain in the remote.
 *
 * Memory: about 48 MiB a worker (two batches of up to 16 MiB and their encoded bytes), five packs, 200 B for each of
 * the last million chunks sent, and the chunk lists of files that wait for their pack.
 *
 * @throws {DatasetError} `source-unreadable`; `source-changed` for a file that changed in each of five attempts;
 *   `cancelled`; `bad-input` for a `packBytes` smaller than a chunk; whatever the remote, a reader or `known` throws.
 */
export async function* storeContent<Id>(
  sources: Sources<Id>,
  options: StoreOptions,
): AsyncGenerator<StoredContent<Id>> {
  const session = new Session(options);
  yield* session.values(storeWith(session, sources, options));
}

async function* storeWith<Id>(
  session: Session,
  sources: Sources<Id>,
  options: StoreOptions,
): AsyncGenerator<StoredContent<Id>> {
  yield* new Storing<Id>(session, options).run(sources);
}

class Storing<Id> {
  readonly #session: Session;
  readonly #options: StoreOptions;
  readonly #writer: PackWriter;
  readonly #sent = new SentChunks();
  readonly #waiting = new WaitingFiles<Id>();
  readonly #progress: ProgressTally<ReadContent<Id>>;

  constructor(session: Session, options: StoreOptions) {
    this.#session = session;
    this.#options = options;
    const { remote, packBytes, distrusted } = options;
    this.#progress = new ProgressTally(options.onProgress);
    const onSent = (sentBytes: number) => {
      this.#progress.sent(sentBytes);
      options.onSent?.(sentBytes);
    };
    const onSettled = (pack: PackUnderway) => this.#waiting.settle(pack);
    this.#writer = new PackWriter({ remote, session, packBytes, distrusted, onSent, onSettled });
  }

  async *run(sources: Sources<Id>): AsyncGenerator<StoredContent<Id>> {
    try {
      let round: Sources<Id> | undefined = sources;
      for (let count = 1; round; count++) {
        yield* this.#pass(round);
        round = this.#changedSources(count);
      }
    } finally {
      await this.#writer.settle();
    }
  }

  /** One pass over sources; those that changed on the way remain with `#waiting`. */
  async *#pass(sources: Sources<Id>): AsyncGenerator<StoredContent<Id>> {
    for await (const piece of this.#encodedPieces(sources)) {
      this.#lay(piece);
      while (!(await this.#writer.hasRoom())) yield* this.#takeStored();
      yield* this.#takeStored();
    }
    this.#writer.finish();
    while (!(await this.#writer.isSettled())) yield* this.#takeStored();
    yield* this.#takeStored();
  }

  #encodedPieces(sources: Sources<Id>): AsyncGenerator<EncodedPiece<Id>> {
    const session = this.#session;
    const { pool } = session;
    const read = session.guard((batch: ContentSource<Id>[]) => readBatch(pool, batch));
    const compress = this.#options.compression !== "none";
    const encode = session.guard((piece: Piece<Id>) => encodePiece(pool, piece, compress));
    const batches = mapInOrder(batchSources(session.guardItems(sources)), pool.size + 1, read);
    const pieces = planPieces(batches, session.guard(this.#options.known), this.#sent);
    return mapInOrder(pieces, pool.size + 1, encode);
  }

  #lay({ piece, encoded }: EncodedPiece<Id>): void {
    if (piece.solo) this.#writer.sendSolo(piece.solo, this.#soloContent(piece));
    else if (encoded === "changed") this.#lose(piece);
    else this.#layRuns(piece, encoded);
    for (const file of piece.files) this.#waiting.add(file);
  }

  #layRuns({ runs }: Piece<Id>, { bytes, sizes, codecs }: EncodedRuns): void {
    let at = 0;
    for (const [index, { place }] of runs.entries()) {
      const storedBytes = sizes[index]!;
      const { pack, offset } = this.#writer.lay(bytes.subarray(at, at + storedBytes));
      place.lay(pack, { offset, storedBytes, codec: codecs[index]! });
      at += storedBytes;
    }
  }

  #lose({ runs }: Piece<Id>): void {
    for (const { place } of runs) this.#sent.lose(place);
  }

  #soloContent(piece: Piece<Id>): SoloContent {
    const { content } = piece.files[0]!;
    const { digest, source } = content;
    const { pool } = this.#session;
    const reread = (runs: PlannedRun[]) => rereadRuns(pool, source, runs, false);
    const taken = (bytes: number) => this.#progress.streamed(content, bytes);
    const lose = () => {
      this.#progress.lost(content);
      this.#lose(piece);
    };
    return {
      sizeBytes: digest.sizeBytes,
      async *read() {
        let takenBytes = 0;
        for await (const group of mapInOrder(groupRuns(piece.runs), SOLO_READ_AHEAD, reread)) {
          if (group === "changed") lose();
          else taken((takenBytes += group.bytes.length));
          yield group === "changed" ? false : group.bytes;
        }
      },
    };
  }

  *#takeStored(): Generator<StoredContent<Id>> {
    for (const { content, parts } of this.#waiting.takeStored()) {
      this.#progress.stored(content, content.digest.sizeBytes);
      yield storedContent(content, parts, this.#options.remoteId);
    }
  }

  /** What the next round is to read, if anything. @throws {DatasetError} `source-changed` after the last */
  #changedSources(round: number): ContentSource<Id>[] | undefined {
    const changed = this.#waiting.takeLost().map(({ content }) => content.source);
    if (changed.length === 0) return undefined;
    if (round < ROUNDS) return changed;
    const name = textOf(pathOf(changed[0]!) ?? "");
    const message = `Cannot store "${name}": it changed between hashing and sending in each of ${ROUNDS} attempts`;
    throw new DatasetError("source-changed", { path: name }, message);
  }
}

function storedContent<Id>(
  { source, digest }: ReadContent<Id>,
  parts: readonly (Chunk | Place)[],
  remote: RemoteId,
): StoredContent<Id> {
  const { sizeBytes, sha256, mtimeSec, mtimeNsec, holes } = digest;
  const chunks = parts.map((part) => (part instanceof Place ? part.chunk(remote) : part));
  return { id: source.id, sizeBytes, sha256, mtimeSec, mtimeNsec, holes, chunks };
}
