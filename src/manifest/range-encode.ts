/** Makes a range object, with all that a root says of it, from entries in the order of their keys. */
import type { RemoteId } from "../content/chunk.js";
import { sha256 } from "../content/hash.js";
import { DatasetError, messageOf } from "../errors.js";
import { contentDigest } from "./content-digest.js";
import type { Entry } from "./entry.js";
import { checkLayout } from "./range-check.js";
import { encodeLocations } from "./range-encode-locations.js";
import { encodeLogical } from "./range-encode-logical.js";
import { type Layout, layoutOf } from "./range-layout.js";
import type { RangeRef } from "./range-ref.js";
import { Range } from "./range-view.js";
import type { Totals } from "./totals.js";

/** A range ready to be sent. */
export interface EncodedRange extends RangeRef {
  /** The reference alone, without the bytes. */
  ref: RangeRef;
  bytes: Uint8Array;
}

/**
 * Encodes entries, sorted by key and no more than the cut rule lets into a range, as an object for `remote`.
 * @throws {DatasetError} `bad-input` for entries that cannot be, are out of order or too many
 */
export function encodeRange(entries: readonly Entry[], remote: RemoteId): EncodedRange {
  const logical = encodeLogical(entries);
  const bytes = Buffer.concat([logical, encodeLocations(entries, remote)]);
  const layout = checkedLayout(bytes, remote);
  const range = new Range(layout);
  const ref: RangeRef = {
    firstKey: range.firstKey,
    id: sha256(logical),
    content: contentDigest(layout, range),
    object: sha256(bytes),
    objectBytes: bytes.length,
    logicalBytes: logical.length,
    totals: totalsOf(range),
    chunkLists: range.chunkLists(),
    remote,
  };
  return { ...ref, ref, bytes };
}

/** Checks what was written as if it came from outside: finds bad names and order, and nothing unreadable is ever sent. */
function checkedLayout(bytes: Buffer, remote: RemoteId): Layout {
  try {
    const layout = layoutOf(bytes, remote);
    checkLayout(layout);
    return layout;
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
