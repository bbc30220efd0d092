/** The parts of an index segment, read from bytes whose hash has been checked: header, rows, packs. */
import { DatasetError } from "../errors.js";
import { newerFormat } from "../format.js";
import { type Chunk, Codec, type PackId, type RemoteId, type Sha256 } from "./chunk.js";
import {
  ENTRY_BYTES,
  FIXED_BYTES,
  FORMAT_VERSION,
  HASH_BYTES,
  MAGIC,
  PACK_BYTES,
  type SegmentLayout,
  layoutOf,
} from "./segment-layout.js";
import { EntryField } from "./segment-rows.js";

const WHAT = "index segment";

/** Where a pack lies. */
export interface PackPlace {
  pack: PackId;
  remote: RemoteId;
}

/** The layout a header tells. @throws {DatasetError} `format-damaged`, `format-newer` */
export function parseHeader(header: Buffer): SegmentLayout {
  if (header.length < FIXED_BYTES || header.toString("latin1", 0, MAGIC.length) !== MAGIC)
    throw damagedSegment("it does not begin like one");
  const version = header.readUInt32LE(8);
  if (version > FORMAT_VERSION) throw newerFormat(WHAT, version, FORMAT_VERSION);
  if (version < 1) throw damagedSegment("its version cannot be");
  const layout = layoutOf(header.readUInt32LE(12), header.readUInt32LE(16));
  if (header.length < layout.headerBytes) throw damagedSegment("its header is cut short");
  return layout;
}

/** The number of the pack an entry's row names. @throws {DatasetError} `format-damaged` when there is no such pack */
export function packNumberIn(row: Buffer, { packCount }: SegmentLayout): number {
  const number = row.readUInt32LE(EntryField.pack);
  if (number < packCount) return number;
  throw damagedSegment(`an entry names pack ${number} of ${packCount}`);
}

/** The chunk an entry's row describes. @throws {DatasetError} `format-damaged` for an unknown codec */
export function chunkOfRow(row: Buffer, { pack, remote }: PackPlace): Chunk {
  const codec = row.readUInt8(EntryField.codec);
  if (codec !== Codec.raw && codec !== Codec.brotli) throw damagedSegment(`an entry has codec ${codec}`);
  return {
    hash: row.toString("hex", 0, HASH_BYTES) as Sha256,
    sizeBytes: row.readUInt32LE(EntryField.sizeBytes),
    remote,
    pack,
    offset: row.readUIntLE(EntryField.offset, 6),
    storedBytes: row.readUInt32LE(EntryField.storedBytes),
    codec,
  };
}

/** The pack of a pack's row. */
export function packOfRow(row: Buffer): PackPlace {
  const pack = row.toString("hex", 0, HASH_BYTES) as PackId;
  return { pack, remote: row.toString("hex", HASH_BYTES, PACK_BYTES) as RemoteId };
}

/** A whole segment in memory. */
export class SegmentObject {
  readonly #bytes: Buffer;
  readonly #layout: SegmentLayout;

  /** @throws {DatasetError} `format-damaged`, `format-newer` */
  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#layout = parseHeader(this.#bytes);
    const { sizeBytes } = this.#layout;
    if (bytes.length !== sizeBytes) throw damagedSegment(`it has ${bytes.length} of ${sizeBytes} bytes`);
  }

  packs(): PackPlace[] {
    const { packs, packCount } = this.#layout;
    return Array.from({ length: packCount }, (_, number) =>
      packOfRow(this.#bytes.subarray(packs.start + number * PACK_BYTES)),
    );
  }

  /** Every entry's row, and the number of its pack. */
  *rows(): Generator<{ row: Buffer; pack: number }> {
    const { entries } = this.#layout;
    for (let at = entries.start; at < entries.end; at += ENTRY_BYTES) {
      const row = this.#bytes.subarray(at, at + ENTRY_BYTES);
      yield { row, pack: packNumberIn(row, this.#layout) };
    }
  }
}

export function damagedSegment(problem: string): DatasetError<"format-damaged"> {
  return new DatasetError("format-damaged", { what: WHAT }, `Cannot read an index segment: ${problem}`);
}
