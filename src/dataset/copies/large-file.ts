/** A file too large for memory: cloned from the cache where that holds it whole, else written piece by piece as it comes. */
import { closeSync } from "node:fs";
import { WHOLE_BYTES, wholeOf } from "../../cache/whole.js";
import { concatenate } from "../../content/bytes.js";
import { mapInOrder } from "../../content/in-order.js";
import { type Content, blocksOf } from "../../fs/content.js";
import { EntryType } from "../../manifest/entry.js";
import { BATCH_BYTES } from "./copy-batches.js";
import { type ContentEntry, contentOf, readBlocks } from "./copy-contents.js";
import type { Facts } from "./copy-jobs.js";
import type { CopyTask } from "./make-copy.js";
import { wantedOf } from "./wanted.js";

/** Pieces of one file under way: one being written, others being fetched. */
const PIECES_AT_ONCE = 3;

interface LargeTask extends Pick<CopyTask, "cache" | "place" | "style" | "pool" | "signal"> {
  /** Told of bytes as they are written. */
  onWritten: (bytes: number) => void;
}

export function isLarge({ sizeBytes }: ContentEntry): boolean {
  return sizeBytes > BATCH_BYTES;
}

/** @throws {DatasetError} as `makeCopy` */
export async function writeLarge(task: LargeTask, entry: ContentEntry): Promise<Facts> {
  return (await clonedFromCache(task, entry)) ?? written(task, entry);
}

async function clonedFromCache(
  { cache, place, style, pool, onWritten }: LargeTask,
  entry: ContentEntry,
): Promise<Facts | undefined> {
  if (process.platform !== "linux" || entry.sizeBytes < WHOLE_BYTES) return undefined;
  if (entry.type !== EntryType.file || entry.holes !== undefined) return undefined;
  const opened = cache.openWhole(wholeOf(entry.chunks));
  if (!opened) return undefined;
  try {
    if (!opened.isTrusted) return undefined;
    const from = `/proc/self/fd/${opened.fd}`; // It may be evicted meanwhile, and has no name then.
    const facts = await pool.run("clone", { place, entry: wantedOf(entry, style), from });
    onWritten(entry.sizeBytes);
    return facts;
  } finally {
    closeSync(opened.fd);
  }
}

async function written(
  { cache, place, style, pool, signal, onWritten }: LargeTask,
  entry: ContentEntry,
): Promise<Facts> {
  const wanted = wantedOf(entry, style);
  const path = await pool.run("begin", { place, entry: wanted });
  const content = contentOf(entry);
  const write = async ({ from, to }: Piece) => {
    signal?.throwIfAborted();
    const bytes = concatenate(await readBlocks(cache, entry, blocksOf(content, from, to), signal));
    const at = content.startOf(from);
    const writtenBytes = bytes.length;
    await pool.run("fill", { path, at, bytes, holes: wanted.holes }, bytes.buffer);
    return writtenBytes;
  };
  for await (const written of mapInOrder(piecesOf(content), PIECES_AT_ONCE, write)) onWritten(written);
  return pool.run("finish", { place, path, entry: wanted });
}

/** Blocks `[from, to)`. */
interface Piece {
  from: number;
  to: number;
}

function* piecesOf(content: Content): Generator<Piece> {
  let from = 0;
  for (let to = 1; to <= content.blockCount; to++) {
    if (to < content.blockCount && content.startOf(to) - content.startOf(from) < BATCH_BYTES) continue;
    yield { from, to };
    from = to;
  }
}
