/** Where the bytes of files lie: the locations block of a range, read in place. */
import type { Chunk, Codec, PackId, RemoteId, Sha256 } from "../content/chunk.js";
import { readU64 } from "./binary.js";
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

/** The chunk that is a whole file: its hash and size are the file's. */
function onlyChunk(layout: Layout, index: number, place: number): Chunk {
  const { bytes, view, records } = layout;
  const record = records + index * RECORD_BYTES;
  return {
    hash: sha256At(bytes, record + Field.sha256),
    sizeBytes: readU64(view, record + Field.size),
    ...packAt(layout, view.getUint32(place + Place.pack, true)),
    offset: bytes.readUIntLE(place + Place.offset, 6),
    storedBytes: view.getUint32(place + Place.storedBytes, true),
    codec: bytes[place + Place.codec]! as Codec,
  };
}

function listedChunk(layout: Layout, number: number): Chunk {
  const { bytes, view, listed } = layout;
  const at = listed + number * LISTED_BYTES;
  return {
    hash: sha256At(bytes, at + Listed.hash),
    sizeBytes: view.getUint32(at + Listed.size, true),
    ...packAt(layout, view.getUint32(at + Listed.pack, true)),
    offset: bytes.readUIntLE(at + Listed.offset, 6),
    storedBytes: view.getUint32(at + Listed.storedBytes, true),
    codec: bytes[at + Listed.codec]! as Codec,
  };
}

function packAt({ bytes, view, packs, remotes, packIds }: Layout, number: number): { remote: RemoteId; pack: PackId } {
  const at = packs + number * PACK_BYTES;
  const pack: Sha256 = (packIds[number] ??= sha256At(bytes, at + 4));
  return { remote: remotes[view.getUint32(at, true)]!, pack };
}
