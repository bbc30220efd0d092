/** Writes the logical block of a range: all that its entries keep but where their bytes lie. */
import { parentOf } from "../paths.js";
import { ByteWriter, viewOf, writeI64 } from "./binary.js";
import { type Entry, EntryType } from "./entry.js";
import { checkEntry, unfit } from "./entry-check.js";
import { writeExtras } from "./extras.js";
import {
  Field,
  GROUP_BYTES,
  HEADER_BYTES,
  NO_EXTRAS,
  OWNER_BYTES,
  RANGE_MAGIC,
  RANGE_VERSION,
  RECORD_BYTES,
} from "./range-layout.js";

/** About what the names and paths of an entry take. */
const HEAP_BYTES_EACH = 24;

/** @throws {DatasetError} `bad-input` for entries that the records have no room for */
export function encodeLogical(entries: readonly Entry[]): Buffer {
  const heap = new ByteWriter((entries.length + 1) * HEAP_BYTES_EACH);
  const groups = writeGroups(heap, entries);
  const owners = new OwnerTable();
  const extras = new ByteWriter();
  const records = new RecordWriter(entries.length);
  for (const [i, entry] of entries.entries()) {
    checkEntry(entry);
    records.write(i, entry, owners.indexOf(entry), heap.length);
    heap.text(entry.path, entry.path.lastIndexOf("/") + 1);
    records.noteExtras(i, writeExtras(extras, entry));
  }
  records.placeExtras(heap.length);
  heap.bytes(extras.written());
  const parts = [owners.written(), groups, records.bytes, heap.written()];
  return Buffer.concat([headerOf(entries.length, parts), ...parts]);
}

/** One group for each run of entries of one directory; their paths open the heap. */
function writeGroups(heap: ByteWriter, entries: readonly Entry[]): Buffer {
  const table = new ByteWriter();
  let last: string | undefined;
  for (const [i, { path }] of entries.entries()) {
    const parent = parentOf(path);
    if (parent === last) continue;
    table.u32(heap.length);
    table.u16(parent.length);
    table.u16(i);
    heap.text(parent);
    last = parent;
  }
  return table.written();
}

/** Pairs of uid and gid, each once, in order of first use. */
class OwnerTable {
  readonly #indexes = new Map<string, number>();
  readonly #table = new ByteWriter();
  #last = { uid: -1, gid: -1, index: -1 };

  indexOf({ uid, gid }: Entry): number {
    if (this.#last.uid === uid && this.#last.gid === gid) return this.#last.index;
    const index = this.#indexes.get(`${uid}:${gid}`) ?? this.#add(uid, gid);
    this.#last = { uid, gid, index };
    return index;
  }

  written(): Buffer {
    return this.#table.written();
  }

  #add(uid: number, gid: number): number {
    const index = this.#indexes.size;
    this.#indexes.set(`${uid}:${gid}`, index);
    this.#table.u32(uid);
    this.#table.u32(gid);
    return index;
  }
}

/** The fixed records. Where extras lie is known only once all names are written. */
class RecordWriter {
  readonly bytes: Buffer;
  readonly #view: DataView;
  readonly #extras: { at: number; offset: number }[] = [];

  constructor(entryCount: number) {
    this.bytes = Buffer.alloc(entryCount * RECORD_BYTES);
    this.#view = viewOf(this.bytes);
  }

  write(index: number, entry: Entry, owner: number, nameOffset: number): void {
    const view = this.#view;
    const at = index * RECORD_BYTES;
    view.setUint32(at + Field.name, nameOffset, true);
    view.setUint8(at + Field.nameLength, entry.path.length - entry.path.lastIndexOf("/") - 1);
    view.setUint8(at + Field.type, entry.type);
    view.setUint16(at + Field.mode, entry.mode, true);
    view.setUint16(at + Field.owner, owner, true);
    view.setUint32(at + Field.extras, NO_EXTRAS, true);
    view.setUint32(at + Field.mtimeNsec, entry.mtimeNsec, true);
    writeI64(view, at + Field.mtimeSec, entry.mtimeSec);
    if (entry.type !== EntryType.file && entry.type !== EntryType.link) return;
    writeI64(view, at + Field.size, entry.sizeBytes);
    if (entry.sha256 !== undefined && !this.#writeHash(at + Field.sha256, entry.sha256))
      throw unfit(entry, `hash "${entry.sha256}"`);
  }

  noteExtras(index: number, offset: number | undefined): void {
    if (offset !== undefined) this.#extras.push({ at: index * RECORD_BYTES + Field.extras, offset });
  }

  placeExtras(start: number): void {
    for (const { at, offset } of this.#extras) this.#view.setUint32(at, start + offset, true);
  }

  #writeHash(at: number, hex: string): boolean {
    return hex.length === 64 && this.bytes.write(hex, at, "hex") === 32;
  }
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
