/** Plain functions on ranges of bytes: which part of a file shows local bytes, bytes of the base, or zeros. */

/** Bytes `[start, end)`. */
export interface Span {
  start: number;
  end: number;
}

/** Where the bytes of a span come from. */
export interface Segment extends Span {
  from: "local" | "base" | "zeros";
}

/**
 * Cuts `[start, end)` by where its bytes come from. `local` holds the local spans, sorted and disjoint; outside of
 * them the base shows up to `baseSizeBytes`, and zeros beyond.
 */
export function segmentsOf(local: readonly Span[], baseSizeBytes: number, { start, end }: Span): Segment[] {
  const segments: Segment[] = [];
  let at = start;
  for (const span of local) {
    if (span.end <= at || span.start >= end) continue;
    segments.push(...unwritten(baseSizeBytes, { start: at, end: span.start }));
    const till = Math.min(span.end, end);
    segments.push({ from: "local", start: Math.max(at, span.start), end: till });
    at = till;
  }
  segments.push(...unwritten(baseSizeBytes, { start: at, end }));
  return segments;
}

/** What of `span` no span of `others` covers; `others` sorted and disjoint. */
export function without(others: readonly Span[], { start, end }: Span): Span[] {
  const rest: Span[] = [];
  let at = start;
  for (const other of others) {
    if (other.end <= at || other.start >= end) continue;
    if (other.start > at) rest.push({ start: at, end: other.start });
    at = other.end;
  }
  if (at < end) rest.push({ start: at, end });
  return rest;
}

function unwritten(baseSizeBytes: number, { start, end }: Span): Segment[] {
  const border = Math.min(Math.max(start, baseSizeBytes), end);
  const segments: Segment[] = [];
  if (start < border) segments.push({ from: "base", start, end: border });
  if (border < end) segments.push({ from: "zeros", start: Math.max(start, border), end });
  return segments;
}
