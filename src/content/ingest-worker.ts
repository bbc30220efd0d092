/**
 * A worker thread that reads, cuts, hashes and compresses content. It is asked one job at a time (`ingest.ts`) and
 * uses synchronous system calls, which for small files cost a fraction of asynchronous ones.
 */
import { isDatasetError } from "../errors.js";
import { type Handlers, serveJobs } from "../serve-jobs.js";
import { concatenate } from "./bytes.js";
import { Codec } from "./chunk.js";
import { ContentScanner, digestOf } from "./content-scanner.js";
import { type EncodedChunk, encodeChunk } from "./encode.js";
import { sha256 } from "./hash.js";
import type { EncodedRuns, FileDigest, FileResult, Jobs, RunColumns } from "./ingest-jobs.js";
import { Room, hashOfFile, readIntoRoom, readRuns } from "./read-content.js";

let scanner = new ContentScanner();

const handlers: Handlers<Jobs> = {
  read({ paths, roomBytes }) {
    const room = new Room(roomBytes);
    const files = paths.map((path) => resultOf(() => readIntoRoom(path, room)));
    return [{ files, bytes: room.bytes }, room.bytes.buffer];
  },

  hash({ paths }) {
    return [{ files: paths.map((path) => resultOf(() => hashOfFile(path))) }];
  },

  digest({ bytes, sizes }) {
    let at = 0;
    const digests = sizes.map((sizeBytes) => digestOf(bytes.subarray(at, (at += sizeBytes))));
    return [{ digests, bytes }, bytes.buffer];
  },

  scan({ bytes, isFirst, isLast }) {
    if (isFirst) scanner = new ContentScanner();
    scanner.push(bytes, isLast);
    return [{ digest: isLast ? scanner.digest() : undefined }];
  },

  encode({ bytes, runs, compress }) {
    const chunks = runs.starts.map((start, index) => bytes.subarray(start, start + runs.sizes[index]!));
    return encoded(chunks, runs, compress);
  },

  reread({ path, runs, compress }) {
    const chunks = readRuns(path, runs);
    return chunks ? encoded(chunks, runs, compress) : ["changed"];
  },

  name({ bytes, usedBytes }) {
    return [{ sha256: sha256(bytes.subarray(0, usedBytes)), bytes }, bytes.buffer];
  },
};

serveJobs(handlers);

function resultOf(read: () => FileDigest): FileResult {
  try {
    return { digest: read() };
  } catch (error) {
    if (!isDatasetError(error, "source-changed") && !isDatasetError(error, "source-unreadable")) throw error;
    return { failure: { code: error.code, path: error.data.path, message: error.message } };
  }
}

function encoded(
  chunks: readonly Uint8Array[],
  { hashes }: RunColumns,
  compress: boolean,
): ["changed"] | [EncodedRuns, ArrayBuffer] {
  if (hashes?.some((hash, index) => sha256(chunks[index]!) !== hash)) return ["changed"];
  const stored = chunks.map(compress ? encodeChunk : asItIs);
  const bytes = concatenate(stored.map((chunk) => chunk.stored));
  const sizes = stored.map((chunk) => chunk.stored.length);
  return [{ bytes, sizes, codecs: stored.map(({ codec }) => codec) }, bytes.buffer];
}

function asItIs(stored: Uint8Array): EncodedChunk {
  return { codec: Codec.raw, stored };
}
