/** Entries of an index segment while it is put together: rows as they are stored, in memory, sorted at the end. */
import type { Chunk, PackId, RemoteId } from "./chunk.js";
import { ENTRY_BYTES, HASH_BYTES, PACK_BYTES } from "./segment-layout.js";

/** Where the fields of an entry lie in its row. */
export const EntryField = { pack: 32, offset: 36, storedBytes: 42, sizeBytes: 46, codec: 50 } as const;

const FIRST_ROWS = 256;
const BUCKETS = 65_536;

/** Rows as they were added, and the packs they name by number. */
export class SegmentRows {
  bytes: Buffer;
  count = 0;

  constructor(
    private readonly packNumbers = new Map<string, number>(),
    rowsToHold = FIRST_ROWS,
  ) {
    this.bytes = Buffer.alloc(rowsToHold * ENTRY_BYTES);
  }

  /** Ids of packs and their remotes in hex, by number. */
  packs(): string[] {
    return [...this.packNumbers.keys()];
  }

  addChunk({ hash, remote, pack, offset, storedBytes, sizeBytes, codec }: Chunk): void {
    const at = this.#grow();
    this.bytes.write(hash, at, "hex");
    this.bytes.writeUInt32LE(this.packNumber(pack, remote), at + EntryField.pack);
    this.bytes.writeUIntLE(offset, at + EntryField.offset, 6);
    this.bytes.writeUInt32LE(storedBytes, at + EntryField.storedBytes);
    this.bytes.writeUInt32LE(sizeBytes, at + EntryField.sizeBytes);
    this.bytes.writeUInt8(codec, at + EntryField.codec);
  }

  /** Adds a row of another segment, of which the pack has `packNumber` here. */
  addRow(row: Uint8Array, packNumber: number): void {
    const at = this.#grow();
    this.bytes.set(row, at);
    this.bytes.writeUInt32LE(packNumber, at + EntryField.pack);
  }

  packNumber(pack: PackId, remote: RemoteId): number {
    const key = pack + remote;
    const known = this.packNumbers.get(key);
    if (known !== undefined) return known;
    this.packNumbers.set(key, this.packNumbers.size);
    return this.packNumbers.size - 1;
  }

  /** The same rows by hash; of equal ones the first added alone. */
  sorted(): SegmentRows {
    const order = orderByHash(this.bytes, this.count);
    const sorted = new SegmentRows(this.packNumbers, Math.max(FIRST_ROWS, this.count));
    for (const row of order) {
      const at = row * ENTRY_BYTES;
      const isRepeated =
        sorted.count > 0 && isSameHash(sorted.bytes, sorted.#end - ENTRY_BYTES, this.bytes, at);
      if (isRepeated) continue;
      this.bytes.copy(sorted.bytes, sorted.#end, at, at + ENTRY_BYTES);
      sorted.count += 1;
    }
    return sorted;
  }

  /** The rows that were added, end to end. */
  written(): Buffer {
    return this.bytes.subarray(0, this.#end);
  }

  get #end(): number {
    return this.count * ENTRY_BYTES;
  }

  /** Room for one more row, and where it starts. */
  #grow(): number {
    const at = this.count++ * ENTRY_BYTES;
    if (at === this.bytes.length) this.bytes = Buffer.concat([this.bytes], this.bytes.length * 2);
    return at;
  }
}

/** Numbers packs in the order of their first entry, so that equal entries make equal segments; gives their rows. */
export function renumberPacks(rows: Buffer, packs: readonly string[]): Buffer {
  const numbers = new Map<number, number>();
  for (let at = EntryField.pack; at < rows.length; at += ENTRY_BYTES) {
    const old = rows.readUInt32LE(at);
    if (!numbers.has(old)) numbers.set(old, numbers.size);
    rows.writeUInt32LE(numbers.get(old)!, at);
  }
  const packRows = Buffer.alloc(numbers.size * PACK_BYTES);
  for (const [old, number] of numbers) packRows.write(packs[old]!, number * PACK_BYTES, "hex");
  return packRows;
}

/** Row numbers by hash, equal hashes in the order they were added. Hashes are spread evenly, so buckets are small. */
function orderByHash(rows: Buffer, count: number): Uint32Array {
  const ends = bucketEnds(rows, count);
  const order = new Uint32Array(count);
  for (let row = count - 1; row >= 0; row--) order[--ends[bucketOf(rows, row)]!] = row;
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    const members = order.subarray(ends[bucket], ends[bucket + 1]); // ends has become starts
    if (members.length > 1) members.sort((a, b) => compareRows(rows, a, b));
  }
  return order;
}

/** How many rows have a bucket up to this one; the last element is the count of all. */
function bucketEnds(rows: Buffer, count: number): Uint32Array {
  const ends = new Uint32Array(BUCKETS + 1);
  for (let row = 0; row < count; row++) ends[bucketOf(rows, row)]!++;
  for (let bucket = 1; bucket <= BUCKETS; bucket++) ends[bucket]! += ends[bucket - 1]!;
  return ends;
}

function bucketOf(rows: Buffer, row: number): number {
  return rows.readUInt16BE(row * ENTRY_BYTES);
}

function compareRows(rows: Buffer, a: number, b: number): number {
  const [atA, atB] = [a * ENTRY_BYTES, b * ENTRY_BYTES];
  const difference = rows.readUIntBE(atA + 2, 6) - rows.readUIntBE(atB + 2, 6);
  if (difference !== 0) return difference;
  return rows.compare(rows, atB, atB + HASH_BYTES, atA, atA + HASH_BYTES) || a - b;
}

function isSameHash(left: Buffer, atLeft: number, right: Buffer, atRight: number): boolean {
  return left.compare(right, atRight, atRight + HASH_BYTES, atLeft, atLeft + HASH_BYTES) === 0;
}
