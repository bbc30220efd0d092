/** What is asked of a root's bytes before anything is read from them, once, in time linear in their size. */
import { EMPTY_SHA256 } from "../content/chunk.js";
import { sha256 } from "../content/hash.js";
import { damaged, readU64 } from "./binary.js";
import { type Key, RANGE_ENTRIES_MAX } from "./key.js";
import { isName, isPath } from "./path-bytes.js";
import { sha256At } from "./range-layout.js";
import {
  FACT_BYTES,
  Fact,
  LIST_BYTES,
  ROOT_WHAT,
  type RootLayout,
  SEGMENT_BYTES,
  rangeTotalsAt,
  totalsOf,
} from "./root-layout.js";
import { NO_TOTALS, type Totals } from "./totals.js";

const ROOT_KEY = "\0" as Key;
const TOTAL_FIELDS = Object.keys(NO_TOTALS) as (keyof Totals)[];

/** Gives the first keys of the ranges. @throws {DatasetError} `format-damaged` */
export function checkRoot(layout: RootLayout): Key[] {
  checkTotals(layout);
  checkDigests(layout);
  checkRemotes(layout);
  checkLists(layout);
  return firstKeysOf(layout);
}

function checkTotals(layout: RootLayout): void {
  const sum = { ...NO_TOTALS };
  for (let number = 0; number < layout.rangeCount; number++) {
    const totals = rangeTotalsAt(layout, number);
    if (totals.entries === 0 || totals.entries > RANGE_ENTRIES_MAX)
      throw bad("a range has too many entries or none");
    for (const field of TOTAL_FIELDS) sum[field] += totals[field];
  }
  const claimed = totalsOf(layout);
  for (const field of TOTAL_FIELDS)
    if (sum[field] !== claimed[field] || !Number.isSafeInteger(sum[field]))
      throw bad("its totals are not its ranges'");
}

function checkDigests({ bytes, ids, contents, objects, treeDigest, contentDigest }: RootLayout): void {
  if (sha256(bytes.subarray(ids, contents)) !== sha256At(bytes, treeDigest))
    throw bad("its tree digest is wrong");
  if (sha256(bytes.subarray(contents, objects)) !== sha256At(bytes, contentDigest))
    throw bad("its content digest is wrong");
}

function checkRemotes({ view, remotes, rangeCount, rangeRemotes, segmentCount, segments }: RootLayout): void {
  for (let number = 0; number < rangeCount; number++)
    if (view.getUint32(rangeRemotes + number * 4, true) >= remotes.length)
      throw bad("a range's remote is not there");
  for (let number = 0; number < segmentCount; number++) {
    const at = segments + number * SEGMENT_BYTES;
    if (view.getUint32(at, true) >= remotes.length) throw bad("a segment's remote is not there");
    if (!Number.isSafeInteger(readU64(view, at + 72))) throw bad("a segment's size is beyond 2^53");
  }
}

/** A range has one list or none, and they stand in the order of ranges: each root has one form. */
function checkLists({ bytes, view, rangeCount, lists }: RootLayout): void {
  let last = -1;
  for (let i = 0; i < (lists?.count ?? 0); i++) {
    const at = lists!.start + i * LIST_BYTES;
    const number = view.getUint32(at, true);
    if (number <= last || number >= rangeCount || sha256At(bytes, at + 4) === EMPTY_SHA256)
      throw bad("its chunk lists are out of order");
    last = number;
  }
}

/** A tree that holds anything starts with its root directory. */
function firstKeysOf(layout: RootLayout): Key[] {
  const { bytes, view, facts, rangeCount, heap } = layout;
  const keys: Key[] = [];
  let at = heap;
  for (let number = 0; number < rangeCount; number++) {
    const end = at + view.getUint32(facts + number * FACT_BYTES + Fact.keyBytes, true);
    if (end > bytes.length) throw bad("a first key reaches outside it");
    const key = bytes.toString("latin1", at, end) as Key;
    if (number === 0 ? key !== ROOT_KEY : key <= keys[number - 1]! || !isKey(bytes, at, end))
      throw bad("a first key cannot be");
    keys.push(key);
    at = end;
  }
  if (at !== bytes.length) throw bad("it holds keys of no range");
  return keys;
}

/** Whether `[start, end)` is a key other than the root's. */
function isKey(bytes: Buffer, start: number, end: number): boolean {
  const nul = bytes.indexOf(0, start);
  return nul >= 0 && nul < end && isPath(bytes, start, nul) && isName(bytes, nul + 1, end);
}

function bad(problem: string) {
  return damaged(ROOT_WHAT, problem);
}
