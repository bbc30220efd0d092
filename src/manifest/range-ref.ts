/** What a root knows of one range, without its bytes. Plain data, shared by everything that walks ranges. */
import type { Block } from "../cache/block.js";
import { Codec, type RemoteId, type Sha256 } from "../content/chunk.js";
import { DatasetError } from "../errors.js";
import { textOf } from "../paths.js";
import { damaged } from "./binary.js";
import type { Key } from "./key.js";
import type { Range } from "./range-view.js";
import type { Totals } from "./totals.js";

export interface RangeRef {
  firstKey: Key;
  /** SHA-256 of the logical block: the identity of the range, whatever packs hold its bytes. */
  id: Sha256;
  /** SHA-256 over what the content digest covers. */
  content: Sha256;
  /** SHA-256 of the whole object, and its name. */
  object: Sha256;
  objectBytes: number;
  logicalBytes: number;
  totals: Totals;
  /** What its files of several chunks consist of (`chunkListsOf`). Roots of format 1 do not say. */
  chunkLists?: Sha256 | undefined;
  /** The remote that holds the object. */
  remote: RemoteId;
}

/** Gives a range that may have to be fetched; checked as `openRangeOf` does. */
export type LoadRange = (ref: RangeRef) => Promise<Range>;

/** The key of a range's object in its remote. */
export function rangeKey(object: Sha256): string {
  return `ranges/${object.slice(0, 2)}/${object}`;
}

/** The whole object of a range as a block to fetch. */
export function blockOfRange({ object, objectBytes, remote }: RangeRef): Block {
  const sizes = { sizeBytes: objectBytes, storedBytes: objectBytes };
  return { hash: object, remote, key: rangeKey(object), offset: 0, codec: Codec.raw, ...sizes };
}

/**
 * Gives back `range` when it is the one `ref` names: the same identity, as many entries, the same first key, and, where that
 * is said, the same chunks. Digests, ordinals and signatures rest on this, so every walk asks it of what a loader gives.
 * @throws {DatasetError} `format-damaged`
 */
export function matchRange(range: Range, ref: RangeRef): Range {
  const what = `range ${ref.object}`;
  if (range.id() !== ref.id) throw damaged(what, `its identity is not ${ref.id}`);
  if (ref.chunkLists !== undefined && range.chunkLists() !== ref.chunkLists)
    throw damaged(what, "its files consist of other chunks than its root says");
  if (range.count === ref.totals.entries && range.firstKey === ref.firstKey) return range;
  const got = `${range.count} entries from ${JSON.stringify(textOf(range.firstKey))}`;
  throw new DatasetError(
    "format-damaged",
    { what },
    `Cannot use ${what}: it holds ${got}, not what its root says`,
  );
}
