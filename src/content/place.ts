/** Chunks that a session sends: first planned, then laid in a pack, and known to all later files meanwhile. */
import { type Chunk, Codec, type PackId, type RemoteId, type Sha256 } from "./chunk.js";
import type { Cut } from "./ingest-jobs.js";

/** A pack on its way: open until it is durable, or lost when a file changed while it was sent as its own pack. */
export interface PackUnderway {
  state: "open" | "durable" | "lost";
  /** Known at the latest when it is durable. */
  id: PackId | undefined;
}

/** A chunk that was new, and where it came to lie. */
export class Place {
  readonly hash: Sha256;
  readonly sizeBytes: number;
  /** Absent until the chunk is laid. */
  pack: PackUnderway | undefined;
  offset = 0;
  storedBytes = 0;
  codec: Codec = Codec.raw;
  /** Its bytes were not there any more when they were to be sent. */
  isLost = false;

  constructor({ hash, sizeBytes }: Cut) {
    this.hash = hash;
    this.sizeBytes = sizeBytes;
  }

  lay(pack: PackUnderway, at: { offset: number; storedBytes: number; codec: Codec }): void {
    this.pack = pack;
    this.offset = at.offset;
    this.storedBytes = at.storedBytes;
    this.codec = at.codec;
  }

  /** The chunk, once its pack is durable. */
  chunk(remote: RemoteId): Chunk {
    const { hash, sizeBytes, offset, storedBytes, codec } = this;
    return { hash, sizeBytes, remote, pack: this.pack!.id!, offset, storedBytes, codec };
  }
}

/** About 200 B of memory each. A chunk forgotten is sent again when it is met again: more bytes, nothing wrong. */
const MAX_REMEMBERED = 1_048_576;

/** The chunks sent last, by hash. */
export class SentChunks {
  readonly #places = new Map<Sha256, Place>();

  get(hash: Sha256): Place | undefined {
    return this.#places.get(hash);
  }

  remember(place: Place): void {
    this.#places.set(place.hash, place);
    if (this.#places.size <= MAX_REMEMBERED) return;
    for (const oldest of this.#places.keys()) return void this.#places.delete(oldest);
  }

  /** Forgets a chunk that was not sent after all. */
  lose(place: Place): void {
    place.isLost = true;
    if (this.#places.get(place.hash) === place) this.#places.delete(place.hash);
  }
}
