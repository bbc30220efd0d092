/** Whether two entries, each in its range, are the same. Compares bytes in place; paths are not looked at. */
import { EntryType } from "./entry.js";
import { type Extras, readExtras } from "./extras.js";
import { Field, type Layout, NO_EXTRAS, OWNER_BYTES, RANGE_WHAT, RECORD_BYTES } from "./range-layout.js";

/** Whether two entries keep the same, but for where their bytes lie. */
export function sameLogical(a: Layout, i: number, b: Layout, j: number): boolean {
  const [left, right] = [recordAt(a, i), recordAt(b, j)];
  return (
    sameBytes(a, left + Field.type, b, right + Field.type, Field.owner - Field.type) &&
    sameBytes(a, left + Field.mtimeNsec, b, right + Field.mtimeNsec, RECORD_BYTES - Field.mtimeNsec) &&
    sameBytes(a, ownerAt(a, left), b, ownerAt(b, right), OWNER_BYTES) &&
    sameExtras(a, extrasAt(a, left), b, extrasAt(b, right))
  );
}

/** Whether the content digest sees the same in two entries. */
export function sameContent(a: Layout, i: number, b: Layout, j: number): boolean {
  const [left, right] = [recordAt(a, i), recordAt(b, j)];
  const type = a.bytes[left + Field.type];
  if (type !== b.bytes[right + Field.type]) return false;
  if (type === EntryType.symlink) return extrasOf(a, left).target === extrasOf(b, right).target;
  if (type === EntryType.link) return sameSource(a, left, b, right);
  if (type === EntryType.directory) return true;
  const modes = a.view.getUint16(left + Field.mode, true) ^ b.view.getUint16(right + Field.mode, true);
  return (
    (modes & 0o111) === 0 && sameBytes(a, left + Field.size, b, right + Field.size, RECORD_BYTES - Field.size)
  );
}

function recordAt({ records }: Layout, index: number): number {
  return records + index * RECORD_BYTES;
}

function ownerAt({ view, owners }: Layout, record: number): number {
  return owners + view.getUint16(record + Field.owner, true) * OWNER_BYTES;
}

/** Where the extras of a record lie; -1 for none. */
function extrasAt({ view, heap }: Layout, record: number): number {
  const offset = view.getUint32(record + Field.extras, true);
  return offset === NO_EXTRAS ? -1 : heap + offset;
}

function sameExtras(a: Layout, at: number, b: Layout, otherAt: number): boolean {
  if (at < 0 || otherAt < 0) return at === otherAt;
  // The length comes first, so runs of different length differ before either ends.
  return sameBytes(a, at, b, otherAt, a.view.getUint32(at, true));
}

function sameBytes(a: Layout, at: number, b: Layout, otherAt: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (a.bytes[at + i] !== b.bytes[otherAt + i]) return false;
  return true;
}

function sameSource(a: Layout, left: number, b: Layout, right: number): boolean {
  const [mine, theirs] = [extrasOf(a, left), extrasOf(b, right)];
  if (mine.hashed !== theirs.hashed) return false;
  const known = sameBytes(a, left + Field.size, b, right + Field.size, RECORD_BYTES - Field.size);
  return known && (mine.hashed || (mine.url === theirs.url && mine.pin === theirs.pin));
}

function extrasOf(layout: Layout, record: number): Extras {
  return readExtras(layout.bytes, extrasAt(layout, record), layout.logicalBytes, RANGE_WHAT);
}
