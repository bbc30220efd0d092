/**
 * What is asked of a range's bytes before anything is read from them: every offset, count and number, once, in time
 * linear in their size. Parts that `range-layout.ts` says lie end to end must do so, which bounds the time; entries must
 * be in order, which look-ups rely on; and each logical block must be the one form of its entries, so that ranges of
 * equal entries have one identity, whoever wrote them.
 */
import { EMPTY_SHA256 } from "../content/chunk.js";
import { type TreePath, joinPath } from "../paths.js";
import { damaged, readI64, readU64 } from "./binary.js";
import { EntryType } from "./entry.js";
import { checkExtras, readExtras } from "./extras.js";
import { isName, isPath } from "./path-bytes.js";
import { checkLocations } from "./range-check-locations.js";
import {
  Field,
  GROUP_BYTES,
  type Layout,
  NO_EXTRAS,
  OWNER_BYTES,
  RANGE_WHAT,
  RECORD_BYTES,
} from "./range-layout.js";
import { type Span, groupOf, nameSpan, pathSpan, startOfGroup } from "./range-search.js";

const MODE_MASK = 0o7777;
const NSEC_PER_SEC = 1_000_000_000;
const EMPTY_HASH = Buffer.from(EMPTY_SHA256, "hex");

/** @throws {DatasetError} `format-damaged` */
export function checkLayout(layout: Layout): void {
  checkOwners(layout);
  const names = checkGroups(layout);
  const extras = checkNames(layout, names);
  const end = checkRecords(layout, extras);
  if (end !== layout.logicalBytes) throw bad("its heap holds what no entry names");
  checkLocations(layout);
}

/** Owners stand in the order of their first use, each once, so that equal entries have equal bytes. */
function checkOwners({ view, records, owners, ownerCount, entryCount }: Layout): void {
  let used = 0;
  for (let index = 0; index < entryCount; index++) {
    const owner = view.getUint16(records + index * RECORD_BYTES + Field.owner, true);
    if (owner > used) throw bad("its owners are out of order");
    if (owner === used) used += 1;
  }
  if (used !== ownerCount) throw bad("an entry's owner is not there, or an owner has no entry");
  const pairs = new Set<bigint>();
  for (let owner = 0; owner < ownerCount; owner++)
    pairs.add(view.getBigUint64(owners + owner * OWNER_BYTES, true));
  if (pairs.size !== ownerCount) throw bad("an owner is there twice");
}

/** Checks the directories of a range; gives where their paths end in its bytes. */
function checkGroups(layout: Layout): number {
  const { bytes, groupCount, entryCount, logicalBytes, heap } = layout;
  if (groupCount === 0 || groupCount > entryCount || startOfGroup(layout, 0) !== 0)
    throw bad("its groups cannot be");
  let last = { start: heap, end: heap };
  for (let group = 0; group < groupCount; group++) {
    const span = pathSpan(layout, group);
    if (span.start !== last.end || span.end > logicalBytes) throw bad("a directory's path is out of place");
    if (startOfGroup(layout, group) >= startOfGroup(layout, group + 1))
      throw bad("a directory has no entries");
    if (!isPath(bytes, span.start, span.end)) throw bad("a directory's path cannot be");
    if (group > 0 && compareSpans(bytes, last, span) >= 0) throw bad("its directories are out of order");
    last = span;
  }
  return last.end;
}

/** Checks that names lie end to end from `start`, can be names and are in order; gives where they end. */
function checkNames(layout: Layout, start: number): number {
  const { bytes, groupCount, logicalBytes } = layout;
  let last = { start, end: start };
  for (let group = 0; group < groupCount; group++) {
    const first = startOfGroup(layout, group);
    for (let index = first; index < startOfGroup(layout, group + 1); index++) {
      const span = nameSpan(layout, index);
      if (span.start !== last.end || span.end > logicalBytes) throw bad("a name is out of place");
      checkName(layout, span, index, group);
      if (index > first && compareSpans(bytes, last, span) >= 0) throw bad("its names are out of order");
      last = span;
    }
  }
  return last.end;
}

/** Only the root directory has an empty name, and it is the first entry of a tree. */
function checkName({ bytes, records, view, groups }: Layout, span: Span, index: number, group: number): void {
  if (span.start !== span.end) {
    if (!isName(bytes, span.start, span.end)) throw bad("a name cannot be");
    return;
  }
  const isRoot = index === 0 && view.getUint16(groups + group * GROUP_BYTES + 4, true) === 0;
  if (!isRoot || bytes[records + Field.type] !== EntryType.directory) throw bad("a name is empty");
}

/** Checks the fixed fields and the extras, which lie end to end from `start`; gives where the extras end. */
function checkRecords(layout: Layout, start: number): number {
  const { bytes, view, records, heap, entryCount } = layout;
  let end = start;
  for (let index = 0; index < entryCount; index++) {
    const record = records + index * RECORD_BYTES;
    const type = bytes[record + Field.type]!;
    if (type < EntryType.directory || type > EntryType.link) throw bad(`an entry has type ${type}`);
    if (view.getUint16(record + Field.mode, true) > MODE_MASK) throw bad("an entry's mode cannot be");
    checkTime(view, record);
    checkContent(layout, record, type);
    const extras = view.getUint32(record + Field.extras, true);
    if (extras !== NO_EXTRAS && heap + extras !== end) throw bad("an entry's extras are out of place");
    end = checkExtrasOf(layout, index, type, extras === NO_EXTRAS ? undefined : end) ?? end;
  }
  return end;
}

function checkTime(view: DataView, record: number): void {
  if (view.getUint32(record + Field.mtimeNsec, true) >= NSEC_PER_SEC)
    throw bad("an entry's nanoseconds cannot be");
  if (!Number.isSafeInteger(readI64(view, record + Field.mtimeSec)))
    throw bad("an entry's time is beyond 2^53");
}

function checkContent({ bytes, view }: Layout, record: number, type: number): void {
  const size = readU64(view, record + Field.size);
  if (!Number.isSafeInteger(size)) throw bad("a size is beyond 2^53");
  if (type === EntryType.link) return;
  const isFile = type === EntryType.file;
  if (size > 0 && !isFile) throw bad("what is no file has a size");
  if (size > 0) return;
  for (let i = 0; i < EMPTY_HASH.length; i++)
    if (bytes[record + Field.sha256 + i] !== (isFile ? EMPTY_HASH[i] : 0))
      throw bad("a hash of nothing is wrong");
}

/** Checks the extras of an entry, which lie at `start` if it has any; gives where they end. */
function checkExtrasOf(
  layout: Layout,
  index: number,
  type: number,
  start: number | undefined,
): number | undefined {
  if (start === undefined && (type === EntryType.file || type === EntryType.directory)) return undefined;
  const { bytes, view, records, logicalBytes } = layout;
  const extras = start === undefined ? undefined : readExtras(bytes, start, logicalBytes, RANGE_WHAT);
  const size = readU64(view, records + index * RECORD_BYTES + Field.size);
  checkExtras(extras, type, size, extras?.hardLinks ? pathAt(layout, index) : undefined, RANGE_WHAT);
  if (type === EntryType.link && !extras?.hashed) checkNoHash(layout, index);
  return start === undefined ? undefined : start + view.getUint32(start, true);
}

function checkNoHash({ bytes, records }: Layout, index: number): void {
  const start = records + index * RECORD_BYTES + Field.sha256;
  for (let at = start; at < start + 32; at++)
    if (bytes[at] !== 0) throw bad("a link of unknown hash has one");
}

function pathAt(layout: Layout, index: number): TreePath {
  const [parent, name] = [pathSpan(layout, groupOf(layout, index, 0)), nameSpan(layout, index)].map(
    ({ start, end }) => layout.bytes.toString("latin1", start, end),
  ) as [TreePath, string];
  return joinPath(parent, name);
}

function compareSpans(bytes: Buffer, a: Span, b: Span): number {
  const shorter = Math.min(a.end - a.start, b.end - b.start);
  for (let i = 0; i < shorter; i++) {
    const difference = bytes[a.start + i]! - bytes[b.start + i]!;
    if (difference !== 0) return difference;
  }
  return a.end - a.start - (b.end - b.start);
}

function bad(problem: string) {
  return damaged(RANGE_WHAT, problem);
}
