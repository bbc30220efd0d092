/** Contents that come from a `ContentReader`: read on this thread, which may wait, then cut and hashed in a worker. */
import { DatasetError } from "../errors.js";
import { MiB } from "../units.js";
import { concatenate } from "./bytes.js";
import { mapInOrder } from "./in-order.js";
import type { IngestPool } from "./ingest.js";
import type { Digest, FileDigest } from "./ingest-jobs.js";
import { type ContentReader, type ContentSource, type Holes, STREAMED_BYTES } from "./source.js";

const WINDOW_BYTES = 4 * MiB;
/** Windows of one reader read ahead of the worker. */
const WINDOWS_AT_ONCE = 2;
/** Readers of one batch under way: each may be waiting for a remote. */
const READERS_AT_ONCE = 16;

/** A source and what reading it gave; `digest.at` says where the batch holds its bytes. */
export interface ReadContent<Id> {
  source: ContentSource<Id>;
  digest: Digest & Partial<FileDigest>;
}

/** Contents in the order of their sources. */
export interface ReadBatch<Id> {
  contents: ReadContent<Id>[];
  bytes: Uint8Array<ArrayBuffer>;
}

/** Content of a reader: its bytes, or the digest of one too large for memory. */
interface Opened<Id> {
  source: ContentSource<Id>;
  holes: Holes | undefined;
  content: Uint8Array | Digest;
}

/** Reads a batch of sources that are readers. @throws {DatasetError} `source-unreadable`; whatever a reader throws */
export async function readReaders<Id>(
  pool: IngestPool,
  batch: readonly ContentSource<Id>[],
): Promise<ReadBatch<Id>> {
  const all: Opened<Id>[] = [];
  for await (const opened of mapInOrder(batch, READERS_AT_ONCE, (source) => readOne(pool, source)))
    all.push(opened);
  return digestTogether(pool, all);
}

/** Opens the reader of a source for as long as `use` takes. */
export async function withReader<Id, Value>(
  { from }: ContentSource<Id>,
  use: (reader: ContentReader) => Promise<Value>,
): Promise<Value> {
  if ("path" in from) throw new TypeError("a source with a path has no reader");
  const reader = await from.open();
  try {
    return await use(reader);
  } finally {
    await reader.close();
  }
}

/** The bytes `[start, end)` of a reader, in a buffer of their own. @throws {DatasetError} `source-unreadable` */
export async function readExactly(
  reader: ContentReader,
  start: number,
  end: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = start === end ? new Uint8Array(0) : await reader.read(start, end);
  if (bytes.length === end - start) return new Uint8Array(bytes);
  const message = `Cannot read bytes [${start}, ${end}) of an open file: it gave ${bytes.length} bytes`;
  throw new DatasetError("source-unreadable", { path: "" }, message);
}

async function readOne<Id>(pool: IngestPool, source: ContentSource<Id>): Promise<Opened<Id>> {
  return withReader(source, async (reader) => {
    const { sizeBytes, holes } = reader;
    const isLarge = sizeBytes >= STREAMED_BYTES;
    return {
      source,
      holes,
      content: await (isLarge ? scan(pool, reader) : readExactly(reader, 0, sizeBytes)),
    };
  });
}

/** The digest of a large content, one thread kept for all its windows. */
function scan(pool: IngestPool, reader: ContentReader): Promise<Digest> {
  return pool.use(async (worker) => {
    const windows = mapInOrder(windowsOf(reader.sizeBytes), WINDOWS_AT_ONCE, async ([start, end]) => ({
      ask: {
        bytes: await readExactly(reader, start, end),
        isFirst: start === 0,
        isLast: end === reader.sizeBytes,
      },
    }));
    let digest: Digest | undefined;
    for await (const { ask } of windows) ({ digest } = await worker.run("scan", ask, ask.bytes.buffer));
    return digest!; // of the last window; a large content has one
  });
}

function* windowsOf(sizeBytes: number): Generator<[start: number, end: number]> {
  for (let start = 0; start < sizeBytes; start += WINDOW_BYTES)
    yield [start, Math.min(sizeBytes, start + WINDOW_BYTES)];
}

/** Digests of what is in memory, in one message; the bytes are laid end to end. */
async function digestTogether<Id>(pool: IngestPool, all: readonly Opened<Id>[]): Promise<ReadBatch<Id>> {
  const contents = all.flatMap(({ content }) => (content instanceof Uint8Array ? [content] : []));
  const sizes = contents.map((content) => content.length);
  const together = concatenate(contents);
  const { digests, bytes } = await pool.run("digest", { bytes: together, sizes }, together.buffer);
  return { contents: matchDigests(all, digests), bytes };
}

function matchDigests<Id>(all: readonly Opened<Id>[], digests: readonly Digest[]): ReadContent<Id>[] {
  let next = 0;
  let at = 0;
  return all.map(({ source, holes, content }) => {
    if (!(content instanceof Uint8Array)) return { source, digest: { ...content, holes } };
    const digest = { ...digests[next++]!, holes, at };
    at += content.length;
    return { source, digest };
  });
}
