/** Writes a range object (`range-layout.ts`) from entries in the order of their keys. */
import type { RemoteId } from "../content/chunk.js";
import { sha256 } from "../content/hash.js";
import { DatasetError, messageOf } from "../errors.js";
import { type TreePath, nameOf, parentOf } from "../paths.js";
import { ByteWriter, viewOf, writeI64 } from "./binary.js";
import { contentDigest } from "./content-digest.js";
import { type Entry, EntryType } from "./entry.js";
import { checkEntry } from "./entry-check.js";
import { writeExtras } from "./extras.js";
import { type Key, cutsAfter, keyOf, weightOf } from "./key.js";
import { encodeLocations } from "./range-encode-locations.js";
import { checkLayout } from "./range-check.js";
import {
  Field,
  GROUP_BYTES,
  HEADER_BYTES,
  NO_EXTRAS,
  OWNER_BYTES,
  RANGE_MAGIC,
  RANGE_VERSION,
  RECORD_BYTES,
  layoutOf,
} from "./range-layout.js";
import type { RangeRef } from "./range-ref.js";
import { Range } from "./range-view.js";
import type { Totals } from "./totals.js";

/** A range ready to be sent, with all that a root says of it. */
export interface EncodedRange extends RangeRef {
  /** The reference alone, without the bytes. */
  ref: RangeRef;
  bytes: Uint8Array;
  lastKey: Key;
  /** Whether the cut rule ends the range here; if not, it can only be the last of a tree. */
  closed: boolean;
}

/**
 * Encodes entries, sorted by key and no more than the cut rule lets into a range, as an object for `remote`.
 * @throws {DatasetError} `bad-input` for entries that cannot be, are out of order or too many
 */
export function encodeRange(entries: readonly Entry[], remote: RemoteId): EncodedRange {
  entries.forEach(checkEntry);
  const logical = encodeLogical(entries);
  const bytes = Buffer.concat([logical, encodeLocations(entries, remote)]);
  const range = openOwn(bytes, remote);
  const ref: RangeRef = {
    firstKey: range.keyAt(0),
    id: sha256(logical),
    content: contentDigest(range),
    object: sha256(bytes),
    objectBytes: bytes.length,
    logicalBytes: logical.length,
    totals: totalsOf(range),
    remote,
  };
  return { ...ref, ref, bytes, lastKey: range.keyAt(range.count - 1), closed: isClosed(entries) };
}

/** Reads back what was written, so that nothing is ever sent that cannot be opened; finds bad names and order. */
function openOwn(bytes: Buffer, remote: RemoteId): Range {
  try {
    const layout = layoutOf(bytes, remote);
    checkLayout(layout);
    return new Range(layout);
  } catch (cause) {
    const message = `Cannot store the entries as a range: ${messageOf(cause)}`;
    throw new DatasetError("bad-input", { value: "entries" }, message, { cause });
  }
}

function totalsOf(range: Range): Totals {
  const totals = range.totals();
  if (Number.isSafeInteger(totals.contentBytes)) return totals;
  const message = "Cannot store the entries as a range: their sizes add up to more than 2^53";
  throw new DatasetError("bad-input", { value: String(totals.contentBytes) }, message);
}

function isClosed(entries: readonly Entry[]): boolean {
  const weightBytes = entries.reduce((sum, entry) => sum + weightOf(entry, keyOf(entry.path)), 0);
  return cutsAfter(keyOf(entries.at(-1)!.path), entries.length, weightBytes);
}

function encodeLogical(entries: readonly Entry[]): Buffer {
  const heap = new ByteWriter(entries.length * 24);
  const groups = writeGroups(heap, entries);
  const owners = new OwnerTable();
  const records = Buffer.alloc(entries.length * RECORD_BYTES);
  const view = viewOf(records);
  entries.forEach((entry, i) => writeRecord(records, view, i * RECORD_BYTES, entry, owners.indexOf(entry), heap));
  entries.forEach((entry, i) => {
    view.setUint32(i * RECORD_BYTES + Field.extras, writeExtras(heap, entry) ?? NO_EXTRAS, true);
  });
  const parts = [owners.written(), groups, records, heap.written()];
  return Buffer.concat([headerOf(entries.length, parts), ...parts]);
}

/** One group for each run of entries of one directory; their paths open the heap. */
function writeGroups(heap: ByteWriter, entries: readonly Entry[]): Buffer {
  const table = new ByteWriter();
  let last: TreePath | undefined;
  entries.forEach(({ path }, i) => {
    const parent = parentOf(path);
    if (parent === last) return;
    table.u32(heap.length);
    table.u16(parent.length);
    table.u16(i);
    heap.text(parent);
    last = parent;
  });
  return table.written();
}

/** Pairs of uid and gid, each once, in order of first use. */
class OwnerTable {
  readonly #indexes = new Map<number, number>();
  readonly #table = new ByteWriter();

  indexOf({ uid, gid }: Entry): number {
    const pair = uid * 2 ** 32 + gid;
    return this.#indexes.get(pair) ?? this.#add(pair, uid, gid);
  }

  written(): Buffer {
    return this.#table.written();
  }

  #add(pair: number, uid: number, gid: number): number {
    const index = this.#indexes.size;
    this.#indexes.set(pair, index);
    this.#table.u32(uid);
    this.#table.u32(gid);
    return index;
  }
}

/** Writes all fields of a record but its extras, and the name into the heap. */
function writeRecord(
  records: Buffer,
  view: DataView,
  at: number,
  entry: Entry,
  owner: number,
  heap: ByteWriter,
): void {
  const name = nameOf(entry.path);
  view.setUint32(at + Field.name, heap.length, true);
  heap.text(name);
  records[at + Field.nameLength] = name.length;
  records[at + Field.type] = entry.type;
  view.setUint16(at + Field.mode, entry.mode, true);
  view.setUint16(at + Field.owner, owner, true);
  view.setUint32(at + Field.mtimeNsec, entry.mtimeNsec, true);
  writeI64(view, at + Field.mtimeSec, entry.mtimeSec);
  if (entry.type !== EntryType.file && entry.type !== EntryType.link) return;
  writeI64(view, at + Field.size, entry.sizeBytes);
  if (entry.sha256) records.write(entry.sha256, at + Field.sha256, "hex");
}

function headerOf(entryCount: number, [owners, groups, records, heap]: Buffer[]): Buffer {
  const writer = new ByteWriter(HEADER_BYTES);
  writer.text(RANGE_MAGIC);
  writer.u16(RANGE_VERSION);
  writer.u16(0);
  writer.u32(HEADER_BYTES + owners!.length + groups!.length + records!.length + heap!.length);
  writer.u32(entryCount);
  writer.u32(owners!.length / OWNER_BYTES);
  writer.u32(groups!.length / GROUP_BYTES);
  writer.u32(heap!.length);
  return writer.written();
}
