/**
 * The first step of storing: contents read and cut in the workers, many small files to a message. Small contents come
 * with their bytes; large ones, and those that outgrew their batch, are only described and will be read again.
 */
import { DatasetError } from "../errors.js";
import { MiB } from "../units.js";
import type { IngestPool } from "./ingest.js";
import type { FileDigest, FileResult } from "./ingest-jobs.js";
import { type ReadBatch, type ReadContent, readReaders } from "./read-readers.js";
import { type ContentSource, STREAMED_BYTES, pathOf } from "./source.js";

/** A message costs about 0.1 ms, a small file 20 µs: with this many the message does not count. */
const BATCH_FILES = 512;
const BATCH_BYTES = 8 * MiB;

/** Runs of sources of one kind (paths or readers) that one message can carry; a large one stands alone. */
export async function* batchSources<Id>(
  sources: AsyncIterable<ContentSource<Id>>,
): AsyncGenerator<ContentSource<Id>[]> {
  let batch: ContentSource<Id>[] = [];
  let batchBytes = 0;
  for await (const source of sources) {
    if (batch.length > 0 && !fits(batch, batchBytes, source)) {
      yield batch;
      batch = [];
      batchBytes = 0;
    }
    batch.push(source);
    batchBytes += source.sizeBytes;
  }
  if (batch.length > 0) yield batch;
}

/**
 * Reads one batch.
 * @throws {DatasetError} `source-changed`, `source-unreadable`, and whatever a reader throws
 */
export function readBatch<Id>(pool: IngestPool, batch: ContentSource<Id>[]): Promise<ReadBatch<Id>> {
  return pathOf(batch[0]!) === undefined ? readReaders(pool, batch) : readPaths(pool, batch);
}

/** Reads one batch of sources with a path for their hashes alone. @throws as `readBatch` */
export async function hashBatch<Id>(
  pool: IngestPool,
  batch: ContentSource<Id>[],
): Promise<ReadContent<Id>[]> {
  const { files } = await pool.run("hash", { paths: batch.map(requirePath) });
  return batch.map((source, index) => ({ source, digest: digestIn(files[index]!) }));
}

function fits<Id>(batch: ContentSource<Id>[], batchBytes: number, source: ContentSource<Id>): boolean {
  if (batch.length === BATCH_FILES || batchBytes + source.sizeBytes > BATCH_BYTES) return false;
  return (pathOf(batch[0]!) === undefined) === (pathOf(source) === undefined);
}

async function readPaths<Id>(pool: IngestPool, batch: ContentSource<Id>[]): Promise<ReadBatch<Id>> {
  const { files, bytes } = await pool.run("read", {
    paths: batch.map(requirePath),
    roomBytes: roomFor(batch),
  });
  return { contents: batch.map((source, index) => ({ source, digest: digestIn(files[index]!) })), bytes };
}

function roomFor<Id>(batch: ContentSource<Id>[]): number {
  return batch.reduce((sum, { sizeBytes }) => sum + (sizeBytes < STREAMED_BYTES ? sizeBytes : 0), 0);
}

function requirePath<Id>(source: ContentSource<Id>): string {
  const path = pathOf(source);
  if (path !== undefined) return path;
  const message = "Cannot read a content by its path: it comes from a reader";
  throw new DatasetError("bad-input", { value: "reader" }, message);
}

function digestIn(result: FileResult): FileDigest {
  if ("digest" in result) return result.digest;
  const { code, path, message } = result.failure;
  throw new DatasetError(code, { path }, message);
}
