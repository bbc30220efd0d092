/** Whether two entries, each in its range, are the same. Compares bytes in place; paths are not looked at. */
import { EntryType } from "./entry.js";
import { Field, RECORD_BYTES } from "./range-layout.js";
import type { Range } from "./range-view.js";

/** Whether two entries keep the same, but for where their bytes lie. */
export function sameLogical(a: Range, i: number, b: Range, j: number): boolean {
  return (
    a.typeAt(i) === b.typeAt(j) &&
    a.modeAt(i) === b.modeAt(j) &&
    a.uidAt(i) === b.uidAt(j) &&
    a.gidAt(i) === b.gidAt(j) &&
    sameFields(a, i, b, j, Field.mtimeNsec) &&
    a.rawExtrasAt(i).equals(b.rawExtrasAt(j))
  );
}

/** Whether the content digest sees the same in two entries. */
export function sameContent(a: Range, i: number, b: Range, j: number): boolean {
  const type = a.typeAt(i);
  if (type !== b.typeAt(j)) return false;
  if (type === EntryType.directory) return true;
  if (type === EntryType.symlink) return a.targetAt(i) === b.targetAt(j);
  if (type === EntryType.link) return sameSource(a, i, b, j);
  return ((a.modeAt(i) ^ b.modeAt(j)) & 0o111) === 0 && sameFields(a, i, b, j, Field.size);
}

/** Whether the records of two entries agree from field `from` to their end. */
function sameFields(a: Range, i: number, b: Range, j: number, from: number): boolean {
  const mine = a.recordAt(i);
  const theirs = b.recordAt(j);
  for (let at = from; at < RECORD_BYTES; at++) if (mine[at] !== theirs[at]) return false;
  return true;
}

function sameSource(a: Range, i: number, b: Range, j: number): boolean {
  const mine = a.extrasAt(i)!;
  const theirs = b.extrasAt(j)!;
  if (a.sizeAt(i) !== b.sizeAt(j) || mine.hashed !== theirs.hashed) return false;
  if (mine.hashed) return sameFields(a, i, b, j, Field.sha256);
  return mine.url === theirs.url && mine.pin === theirs.pin;
}
