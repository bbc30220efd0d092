/** Where the bytes of files lie: the locations block of a range, read in place. */
import {
  type Chunk,
  type Codec,
  EMPTY_SHA256,
  type PackId,
  type RemoteId,
  type Sha256,
} from "../content/chunk.js";
import { sha256 } from "../content/hash.js";
import { ByteWriter, readU64 } from "./binary.js";
import {
  Field,
  Form,
  LISTED_BYTES,
  type Layout,
  Listed,
  PACK_BYTES,
  PLACE_BYTES,
  Place,
  RECORD_BYTES,
  sha256At,
} from "./range-layout.js";

/** The chunks of entry `index`, in order; none for an empty file and for what is no file. */
export function chunksOf(layout: Layout, index: number): Chunk[] {
  const { bytes, view, places } = layout;
  const place = places + index * PLACE_BYTES;
  const form = bytes[place + Place.form]!;
  if (form === Form.none) return [];
  if (form === Form.one) return [onlyChunk(layout, index, place)];
  const first = view.getUint32(place + Place.listFirst, true);
  const length = view.getUint32(place + Place.listCount, true);
  return Array.from({ length }, (_, i) => listedChunk(layout, first + i));
}

/**
 * Says what files of several chunks consist of, wherever these lie; of others their own hash says it. SHA-256 of, for each
 * such file, u32 index of its entry, u32 number of chunks, then of each chunk u32 size and its SHA-256.
 */
export function chunkListsOf({ bytes, view, places, listed, listedCount, entryCount }: Layout): Sha256 {
  if (listedCount === 0) return EMPTY_SHA256;
  const writer = new ByteWriter(listedCount * 36 + 1024);
  for (let index = 0; index < entryCount; index++) {
    const place = places + index * PLACE_BYTES;
    if (bytes[place + Place.form] !== Form.list) continue;
    const first = view.getUint32(place + Place.listFirst, true);
    const count = view.getUint32(place + Place.listCount, true);
    writer.u32(index);
    writer.u32(count);
    for (
      let at = listed + first * LISTED_BYTES;
      at < listed + (first + count) * LISTED_BYTES;
      at += LISTED_BYTES
    ) {
      writer.u32(view.getUint32(at + Listed.size, true));
      writer.copy(bytes, at + Listed.hash, at + Listed.hash + 32);
    }
  }
  return sha256(writer.written());
}

/** The chunk that is a whole file: its hash and size are the file's. */
function onlyChunk(layout: Layout, index: number, place: number): Chunk {
  const { bytes, view, records } = layout;
  const record = records + index * RECORD_BYTES;
  const pack = view.getUint32(place + Place.pack, true);
  return {
    hash: sha256At(bytes, record + Field.sha256),
    sizeBytes: readU64(view, record + Field.size),
    remote: remoteOf(layout, pack),
    pack: packIdOf(layout, pack),
    offset: bytes.readUIntLE(place + Place.offset, 6),
    storedBytes: view.getUint32(place + Place.storedBytes, true),
    codec: bytes[place + Place.codec]! as Codec,
  };
}

function listedChunk(layout: Layout, number: number): Chunk {
  const { bytes, view, listed } = layout;
  const at = listed + number * LISTED_BYTES;
  const pack = view.getUint32(at + Listed.pack, true);
  return {
    hash: sha256At(bytes, at + Listed.hash),
    sizeBytes: view.getUint32(at + Listed.size, true),
    remote: remoteOf(layout, pack),
    pack: packIdOf(layout, pack),
    offset: bytes.readUIntLE(at + Listed.offset, 6),
    storedBytes: view.getUint32(at + Listed.storedBytes, true),
    codec: bytes[at + Listed.codec]! as Codec,
  };
}

/** Every pack that the range names. */
export function packsOf(layout: Layout): { pack: PackId; remote: RemoteId }[] {
  const numbers = Array.from({ length: layout.packCount }, (_, pack) => pack);
  return numbers.map((pack) => ({ pack: packIdOf(layout, pack), remote: remoteOf(layout, pack) }));
}

function remoteOf({ view, packs, remotes }: Layout, pack: number): RemoteId {
  return remotes[view.getUint32(packs + pack * PACK_BYTES, true)]!;
}

function packIdOf({ bytes, packs, packIds }: Layout, pack: number): PackId {
  return (packIds[pack] ??= sha256At(bytes, packs + pack * PACK_BYTES + 4));
}
