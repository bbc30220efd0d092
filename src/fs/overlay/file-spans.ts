/** Where the bytes of an overlaid file come from, and which of them are zeros that were never written. */
import { EntryType } from "../../manifest/entry.js";
import { type BaseNames, ordinalOf } from "./base.js";
import { type Inode, isFile } from "./inode.js";
import type { Journal } from "./journal.js";
import { type Segment, type Span, segmentsOf, without } from "./spans.js";

/** Gives the runs of local bytes within a span that are no holes. */
export type LocalRuns = (span: Span) => Iterable<Span>;

/** The part `span` of a file, cut by where its bytes come from. */
export function segmentsNow(journal: Journal, inode: Inode, span: Span): Segment[] {
  if (inode.base === undefined) return [{ from: "local", ...span }];
  return segmentsOf(journal.extents.within([inode.ino], span), inode.baseSizeBytes, span);
}

/** The runs of a file from `start` on that may hold other bytes than zeros, in order; touching ones are not merged. */
export function* dataRuns(
  names: BaseNames,
  journal: Journal,
  inode: Inode,
  start: number,
  localRuns: LocalRuns,
): Generator<Span> {
  for (const segment of segmentsNow(journal, inode, { start, end: inode.sizeBytes })) {
    if (segment.from === "local") yield* localRuns(segment);
    if (segment.from === "base") yield* without(holesOf(names, inode.base), segment);
  }
}

/** Whether an inode of the base still shows the bytes of its entry, all of them and no others. */
export function showsBase(names: BaseNames, journal: Journal, inode: Inode): boolean {
  const ordinal = ordinalOf(inode.ino);
  if (ordinal === undefined) return false;
  if (!isFile(inode)) return true;
  const entry = names.entry(ordinal);
  const sizeBytes = "sizeBytes" in entry ? entry.sizeBytes : 0;
  if (inode.sizeBytes !== sizeBytes) return false;
  if (inode.base === undefined) return sizeBytes === 0;
  return inode.baseSizeBytes === sizeBytes && journal.extents.all([inode.ino]).length === 0;
}

function holesOf(names: BaseNames, ordinal: number | undefined): Span[] {
  const entry = ordinal === undefined ? undefined : names.entry(ordinal);
  if (entry?.type !== EntryType.file) return [];
  return (entry.holes ?? []).map(([start, end]) => ({ start, end }));
}
