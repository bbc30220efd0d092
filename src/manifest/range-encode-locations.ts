/** Writes the locations block of a range: where the bytes of each file lie. */
import type { Chunk, RemoteId } from "../content/chunk.js";
import { ByteWriter, viewOf } from "./binary.js";
import { type Entry, EntryType } from "./entry.js";
import { Form, PLACE_BYTES, Place } from "./range-layout.js";

/** The block for `entries` in a range object of `own`; that remote is number 0 and is not written down. */
export function encodeLocations(entries: readonly Entry[], own: RemoteId): Buffer {
  const packs = new PackTable(own);
  const places = Buffer.alloc(entries.length * PLACE_BYTES);
  const view = viewOf(places);
  const listed = new ByteWriter();
  let listedCount = 0;
  for (const [i, entry] of entries.entries()) {
    if (entry.type !== EntryType.file || entry.chunks.length === 0) continue;
    const { chunks } = entry;
    if (chunks.length === 1) writePlace(view, i * PLACE_BYTES, chunks[0]!, packs.indexOf(chunks[0]!));
    else {
      writeList(view, i * PLACE_BYTES, chunks.length, listedCount);
      for (const chunk of chunks) writeListed(listed, chunk, packs.indexOf(chunk));
      listedCount += chunks.length;
    }
  }
  const header = headerOf(packs, listedCount);
  return Buffer.concat([header, packs.remotes.written(), packs.packs.written(), places, listed.written()]);
}

/** The packs that hold the chunks of a range, and the remotes they lie in, each once, in order of first use. */
class PackTable {
  readonly remotes = new ByteWriter();
  readonly packs = new ByteWriter();
  readonly #remoteIndexes: Map<RemoteId, number>;
  readonly #packIndexes = new Map<string, number>();
  #last: { chunk: Chunk; index: number } | undefined;

  constructor(own: RemoteId) {
    this.#remoteIndexes = new Map([[own, 0]]);
  }

  get remoteCount(): number {
    return this.#remoteIndexes.size - 1;
  }

  get packCount(): number {
    return this.#packIndexes.size;
  }

  /** Neighbours mostly lie in one pack, so the last answer is tried first. */
  indexOf(chunk: Chunk): number {
    if (this.#last?.chunk.pack === chunk.pack && this.#last.chunk.remote === chunk.remote)
      return this.#last.index;
    const name = `${chunk.remote}/${chunk.pack}`;
    const index = this.#packIndexes.get(name) ?? this.#addPack(name, chunk);
    this.#last = { chunk, index };
    return index;
  }

  #addPack(name: string, { remote, pack }: Chunk): number {
    const index = this.#packIndexes.size;
    this.#packIndexes.set(name, index);
    this.packs.u32(this.#remoteIndexes.get(remote) ?? this.#addRemote(remote));
    this.packs.hex(pack);
    return index;
  }

  #addRemote(remote: RemoteId): number {
    const index = this.#remoteIndexes.size;
    this.#remoteIndexes.set(remote, index);
    this.remotes.hex(remote);
    return index;
  }
}

function headerOf(packs: PackTable, listedCount: number): Buffer {
  const writer = new ByteWriter();
  writer.u32(packs.remoteCount);
  writer.u32(packs.packCount);
  writer.u32(listedCount);
  return writer.written();
}

function writePlace(view: DataView, at: number, { codec, offset, storedBytes }: Chunk, pack: number): void {
  view.setUint8(at + Place.form, Form.one);
  view.setUint8(at + Place.codec, codec);
  view.setUint32(at + Place.offset, offset % 2 ** 32, true);
  view.setUint16(at + Place.offset + 4, Math.floor(offset / 2 ** 32), true);
  view.setUint32(at + Place.storedBytes, storedBytes, true);
  view.setUint32(at + Place.pack, pack, true);
}

function writeList(view: DataView, at: number, count: number, first: number): void {
  view.setUint8(at + Place.form, Form.list);
  view.setUint32(at + Place.listCount, count, true);
  view.setUint32(at + Place.listFirst, first, true);
}

/** In the order of `Listed`. */
function writeListed(writer: ByteWriter, chunk: Chunk, pack: number): void {
  writer.hex(chunk.hash);
  writer.u32(chunk.sizeBytes);
  writer.u32(chunk.storedBytes);
  writer.u48(chunk.offset);
  writer.u32(pack);
  writer.u8(chunk.codec);
  writer.u8(0);
}
