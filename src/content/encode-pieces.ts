/** The third step of storing: bytes of new chunks, checked where they had to be read again, compressed where it pays. */
import { concatenate } from "./bytes.js";
import type { IngestPool } from "./ingest.js";
import type { EncodedRuns, Run } from "./ingest-jobs.js";
import type { Piece } from "./plan-pieces.js";
import { readExactly, withReader } from "./read-readers.js";
import { type ContentReader, type ContentSource, pathOf } from "./source.js";

/** A piece with its stored bytes; `changed` when the source no longer has what was hashed. */
export interface EncodedPiece<Id> {
  piece: Piece<Id>;
  encoded: EncodedRuns | "changed";
}

const NOTHING: EncodedRuns = { bytes: new Uint8Array(0), sizes: [], codecs: [] };

/** Encodes a piece; one that becomes a pack by itself is left to be streamed. */
export async function encodePiece<Id>(
  pool: IngestPool,
  piece: Piece<Id>,
  compress: boolean,
): Promise<EncodedPiece<Id>> {
  const { from, runs, solo } = piece;
  if (solo || runs.length === 0) return { piece, encoded: NOTHING };
  if ("source" in from) return { piece, encoded: await rereadRuns(pool, from.source, runs, compress) };
  const ask = { bytes: from.bytes, runs: { starts: startsOf(runs), sizes: sizesOf(runs) }, compress };
  return { piece, encoded: await pool.run("encode", ask, from.bytes.buffer) };
}

/**
 * Reads runs of a source again; `changed` unless each still has its hash.
 * @param compress Whether to, where it pays; else they are wanted as they are.
 */
export async function rereadRuns<Id>(
  pool: IngestPool,
  source: ContentSource<Id>,
  runs: readonly Run[],
  compress: boolean,
): Promise<EncodedRuns | "changed"> {
  const path = pathOf(source);
  const sizes = sizesOf(runs);
  const hashes = runs.map(({ hash }) => hash);
  if (path !== undefined)
    return pool.run("reread", { path, runs: { starts: startsOf(runs), sizes, hashes }, compress });

  const bytes = await withReader(source, (reader) => readTogether(reader, runs));
  if (!bytes) return "changed";
  return pool.run(
    "encode",
    { bytes, runs: { starts: startsAfter(sizes), sizes, hashes }, compress },
    bytes.buffer,
  );
}

/** Runs of a reader, laid end to end; undefined when it has become too short for them. */
async function readTogether(
  reader: ContentReader,
  runs: readonly Run[],
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (runs.some(({ at, sizeBytes }) => at + sizeBytes > reader.sizeBytes)) return undefined;
  const parts: Uint8Array[] = [];
  for (const { at, sizeBytes } of runs) parts.push(await readExactly(reader, at, at + sizeBytes));
  return concatenate(parts);
}

function startsOf(runs: readonly Run[]): number[] {
  return runs.map(({ at }) => at);
}

function sizesOf(runs: readonly Run[]): number[] {
  return runs.map(({ sizeBytes }) => sizeBytes);
}

/** Where runs of these sizes start when they lie end to end. */
function startsAfter(sizes: readonly number[]): number[] {
  let end = 0;
  return sizes.map((sizeBytes) => (end += sizeBytes) - sizeBytes);
}
