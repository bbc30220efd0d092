/** The part of `range-check.ts` that looks at the locations block: where the bytes of files lie. */
import { Codec } from "../content/chunk.js";
import { MiB } from "../units.js";
import { damaged, readU64 } from "./binary.js";
import { EntryType } from "./entry.js";
import {
  Field,
  Form,
  LISTED_BYTES,
  type Layout,
  Listed,
  PACK_BYTES,
  PLACE_BYTES,
  Place,
  RANGE_WHAT,
  RECORD_BYTES,
} from "./range-layout.js";

/** Far above the 2 MiB that files are cut into: it bounds what a reader of a crafted range sets memory aside for. */
const CHUNK_BYTES_MAX = 256 * MiB;

/** Listed chunks belong to one file each, in order, and make up its size. @throws {DatasetError} `format-damaged` */
export function checkLocations(layout: Layout): void {
  checkPacks(layout);
  let listed = 0;
  for (let index = 0; index < layout.entryCount; index++) {
    const place = layout.places + index * PLACE_BYTES;
    const sizeBytes = fileBytes(layout, index);
    const form = layout.bytes[place + Place.form]!;
    if (sizeBytes === 0) checkNowhere(layout.bytes, place);
    else if (form === Form.one) checkOne(layout, place, sizeBytes);
    else if (form === Form.list) listed = checkList(layout, place, listed, sizeBytes);
    else throw bad("a file's bytes lie nowhere");
  }
  if (listed !== layout.listedCount) throw bad("it lists chunks of no file");
}

function checkPacks({ view, packs, packCount, remotes }: Layout): void {
  for (let pack = 0; pack < packCount; pack++)
    if (view.getUint32(packs + pack * PACK_BYTES, true) >= remotes.length)
      throw bad("a pack's remote is not there");
}

/** The size of a file; zero for what is none. */
function fileBytes({ bytes, view, records }: Layout, index: number): number {
  const record = records + index * RECORD_BYTES;
  return bytes[record + Field.type] === EntryType.file ? readU64(view, record + Field.size) : 0;
}

function checkNowhere(bytes: Buffer, place: number): void {
  for (let at = place; at < place + PLACE_BYTES; at++)
    if (bytes[at] !== 0) throw bad("what has no bytes has a place");
}

function checkOne(layout: Layout, place: number, sizeBytes: number): void {
  const storedBytes = layout.view.getUint32(place + Place.storedBytes, true);
  checkChunk(layout, layout.bytes[place + Place.codec]!, place + Place.pack, sizeBytes, storedBytes);
}

/** Checks the listed chunks of a file, which start with number `listed`; gives the number after them. */
function checkList(layout: Layout, place: number, listed: number, sizeBytes: number): number {
  const { bytes, view, listedCount } = layout;
  const count = view.getUint32(place + Place.listCount, true);
  if (view.getUint32(place + Place.listFirst, true) !== listed || count < 2 || count > listedCount - listed)
    throw bad("a file's chunks are out of place");
  let left = sizeBytes;
  for (let number = listed; number < listed + count; number++) {
    const at = layout.listed + number * LISTED_BYTES;
    const chunkBytes = view.getUint32(at + Listed.size, true);
    const storedBytes = view.getUint32(at + Listed.storedBytes, true);
    checkChunk(layout, bytes[at + Listed.codec]!, at + Listed.pack, chunkBytes, storedBytes);
    if (bytes[at + Listed.zero] !== 0) throw bad("a chunk's record cannot be");
    left -= chunkBytes;
  }
  if (left !== 0) throw bad("a file's chunks do not make up its size");
  return listed + count;
}

function checkChunk(
  { view, packCount }: Layout,
  codec: number,
  pack: number,
  sizeBytes: number,
  storedBytes: number,
): void {
  if (codec > Codec.brotli) throw bad(`a chunk has codec ${codec}`);
  if (sizeBytes === 0 || storedBytes === 0) throw bad("a chunk is empty");
  if (sizeBytes > CHUNK_BYTES_MAX || storedBytes > CHUNK_BYTES_MAX)
    throw bad("a chunk is larger than any is");
  if (codec === Codec.raw && storedBytes !== sizeBytes) throw bad("a chunk stored as it is has another size");
  if (view.getUint32(pack, true) >= packCount) throw bad("a chunk's pack is not there");
}

function bad(problem: string) {
  return damaged(RANGE_WHAT, problem);
}
