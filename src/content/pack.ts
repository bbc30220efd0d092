/**
 * Packs: stored chunks laid end to end in the order given and put to a remote, a bounded number at once. Which chunks,
 * and what depends on them, is for the caller. The same chunks in the same order give the same packs, and one that
 * lies in the remote already is not sent again.
 */
import { DatasetError } from "../errors.js";
import type { Body, ObjectKey, Remote } from "../remote/remote.js";
import { KiB, MiB } from "../units.js";
import { type PackId, packKey } from "./chunk.js";
import { MAX_CHUNK_BYTES } from "./fastcdc.js";
import type { PackUnderway } from "./place.js";
import type { Session } from "./session.js";

export const DEFAULT_PACK_BYTES = 32 * MiB;
export const MAX_PACK_BYTES = 256 * MiB;
/** So that the files that wait for a pack stay few, however small they are: each takes about 2 KiB of memory (`bench/versions.ts`). */
const MAX_CHUNKS = 16 * KiB;
/** Each holds a pack in memory. Enough to fill 1 Gbit/s at 15 ms a request. */
const PUTS_AT_ONCE = 4;

/** @throws {DatasetError} `bad-input` when a pack could not hold the largest chunk, or is too large for memory */
export function checkPackBytes(packBytes: number): number {
  if (packBytes >= MAX_CHUNK_BYTES && packBytes <= MAX_PACK_BYTES) return packBytes;
  const message = `Cannot make packs of ${packBytes} bytes: a chunk may have ${MAX_CHUNK_BYTES}, and memory holds five packs, each at most ${MAX_PACK_BYTES}`;
  throw new DatasetError("bad-input", { value: String(packBytes) }, message);
}

export interface PackWriterOptions {
  remote: Remote;
  session: Session;
  /** Packs that may be deleted any moment: they are sent though they are there. */
  distrusted?: ReadonlySet<ObjectKey> | undefined;
  /** Most a pack of several chunks holds. Default 32 MiB. */
  packBytes?: number | undefined;
  /** Bytes that the remote took. */
  onSent: (bytes: number) => void;
  /** A pack became durable or lost. */
  onSettled: (pack: PackUnderway) => void;
}

/** A content that becomes a pack as it is. */
export interface SoloContent {
  sizeBytes: number;
  /** Its bytes from the start, at each call; ends early with `false` when the content is no longer what was hashed. */
  read(): AsyncIterable<Uint8Array | false>;
}

export class PackWriter {
  readonly #options: PackWriterOptions;
  readonly #packBytes: number;
  readonly #underway = new Set<Promise<void>>();
  #filling: FillingPack | undefined;

  /** @throws {DatasetError} `bad-input` when a pack could not hold the largest chunk, or is too large for memory */
  constructor(options: PackWriterOptions) {
    this.#options = options;
    this.#packBytes = checkPackBytes(options.packBytes ?? DEFAULT_PACK_BYTES);
  }

  /** Lays a chunk behind the one laid last, in a new pack when it does not fit. Await `hasRoom` now and then. */
  lay(stored: Uint8Array): { pack: PackUnderway; offset: number } {
    if (this.#filling && !this.#filling.fits(stored)) this.#send();
    this.#filling ??= new FillingPack(this.#packBytes);
    return { pack: this.#filling.pack, offset: this.#filling.add(stored) };
  }

  /** Sends a content as a pack by itself, named by `pack.id`. */
  sendSolo(pack: PackUnderway, content: SoloContent): void {
    this.#start(pack, () => this.#putSolo(pack, content));
  }

  /** Whether few enough packs are under way to go on; if not, one more is settled by then. @throws the session's failure */
  hasRoom(): Promise<boolean> {
    return this.#isDownTo(PUTS_AT_ONCE - 1);
  }

  /** Sends what has been laid. */
  finish(): void {
    this.#send();
  }

  /** Whether every pack is settled; if not, one more is by then. @throws the session's failure */
  isSettled(): Promise<boolean> {
    return this.#isDownTo(0);
  }

  /** Resolves when nothing is under way any more. */
  async settle(): Promise<void> {
    await Promise.all(this.#underway);
  }

  async #isDownTo(count: number): Promise<boolean> {
    if (this.#underway.size > count) await Promise.race(this.#underway);
    this.#options.session.throwIfFailed();
    return this.#underway.size <= count;
  }

  #send(): void {
    const filled = this.#filling;
    this.#filling = undefined;
    if (filled) this.#start(filled.pack, () => this.#putFilled(filled));
  }

  /** Failures go to the session; what is in `#underway` never rejects. */
  #start(pack: PackUnderway, put: () => Promise<PackUnderway["state"]>): void {
    const { session, onSettled } = this.#options;
    const sending = async () => {
      pack.state = await put();
      onSettled(pack);
    };
    const sent = sending()
      .catch((error: unknown) => session.fail(error))
      .finally(() => this.#underway.delete(sent));
    this.#underway.add(sent);
  }

  async #putFilled(filled: FillingPack): Promise<"durable"> {
    const { usedBytes } = filled;
    const { pool } = this.#options.session;
    const { sha256, bytes } = await pool.run("name", { bytes: filled.bytes, usedBytes }, filled.bytes.buffer);
    filled.pack.id = sha256;
    if (await this.#isThere(sha256, usedBytes)) return "durable";
    await this.#put(sha256, bytes.subarray(0, usedBytes));
    this.#options.onSent(usedBytes);
    return "durable";
  }

  async #putSolo(pack: PackUnderway, content: SoloContent): Promise<"durable" | "lost"> {
    const { sizeBytes } = content;
    if (await this.#isThere(pack.id!, sizeBytes)) return "durable";
    const body = new SoloBody(content, this.#options.onSent);
    try {
      await this.#put(pack.id!, { sizeBytes, chunks: () => body.chunks() });
      return "durable";
    } catch (error) {
      if (body.hasChanged) return "lost";
      throw error;
    }
  }

  async #isThere(pack: PackId, sizeBytes: number): Promise<boolean> {
    const { remote, session, distrusted } = this.#options;
    if (distrusted?.has(packKey(pack))) return false;
    const found = await remote.stat(packKey(pack), { signal: session.signal });
    return found?.sizeBytes === sizeBytes;
  }

  #put(pack: PackId, body: Body): Promise<void> {
    const { remote, session } = this.#options;
    return remote.put(packKey(pack), body, { sha256: pack, signal: session.signal });
  }
}

/** A pack that still takes chunks. */
class FillingPack {
  readonly pack: PackUnderway = { state: "open", id: undefined };
  readonly bytes: Uint8Array<ArrayBuffer>;
  usedBytes = 0;
  #chunkCount = 0;

  constructor(packBytes: number) {
    this.bytes = new Uint8Array(packBytes);
  }

  fits(stored: Uint8Array): boolean {
    return this.#chunkCount < MAX_CHUNKS && this.usedBytes + stored.length <= this.bytes.length;
  }

  /** The offset the chunk came to lie at. */
  add(stored: Uint8Array): number {
    const offset = this.usedBytes;
    this.bytes.set(stored, offset);
    this.usedBytes += stored.length;
    this.#chunkCount += 1;
    return offset;
  }
}

/** The stream of a pack by itself. What a later attempt reads again is not counted again. */
class SoloBody {
  hasChanged = false;
  #countedBytes = 0;

  constructor(
    readonly content: SoloContent,
    readonly onSent: (bytes: number) => void,
  ) {}

  async *chunks(): AsyncGenerator<Uint8Array> {
    let takenBytes = 0;
    for await (const bytes of this.content.read()) {
      if (!bytes) throw this.#changed();
      yield bytes;
      takenBytes += bytes.length;
      this.#count(takenBytes);
    }
  }

  #count(takenBytes: number): void {
    if (takenBytes <= this.#countedBytes) return;
    this.onSent(takenBytes - this.#countedBytes);
    this.#countedBytes = takenBytes;
  }

  #changed(): DatasetError<"source-changed"> {
    this.hasChanged = true;
    return new DatasetError(
      "source-changed",
      { path: "" },
      "Cannot send a file as hashed: it changed meanwhile",
    );
  }
}
