/** How a chunk is stored: compressed where that pays, else as it is. Runs in the workers. */
import { constants, brotliCompressSync } from "node:zlib";
import { KiB } from "../units.js";
import { Codec } from "./chunk.js";

/** Stored bytes and how to decode them. */
export interface EncodedChunk {
  codec: Codec;
  stored: Uint8Array;
}

/** Compression pays when this share of the bytes, or less, is left: decoding costs a reader 5 ms a MiB. */
const WORTHWHILE_SHARE = 0.9;
/** Below this the saving is less than what a chunk costs in its manifest. */
const MIN_COMPRESSED_BYTES = 256;
/** What is compressed on trial before the whole: 0.1 to 0.3 ms. */
const SAMPLE_BYTES = 64 * KiB;
/** Below this even the trial (30 µs) costs more than hashing the file did, so its byte counts are looked at first. */
const TRIAL_BYTES = 4 * KiB;

/** 16 MiB of JSON lines: 100 MiB/s at a ratio of 3.9 to 4.3; the next quality is half as fast. */
const QUALITY = { [constants.BROTLI_PARAM_QUALITY]: 1 };

/** n * log2(n): entropy in additions alone. */
const N_LOG_N = Float64Array.from({ length: TRIAL_BYTES }, (_, n) => (n === 0 ? 0 : n * Math.log2(n)));
const counts = new Uint16Array(256);

/** Encodes one chunk: compressed when its first 64 KiB and then the whole shrink by a tenth, raw otherwise. */
export function encodeChunk(bytes: Uint8Array): EncodedChunk {
  if (!mayShrink(bytes)) return { codec: Codec.raw, stored: bytes };
  const stored = compress(bytes);
  return shrinks(stored, bytes) ? { codec: Codec.brotli, stored } : { codec: Codec.raw, stored: bytes };
}

function mayShrink(bytes: Uint8Array): boolean {
  if (bytes.length < MIN_COMPRESSED_BYTES) return false;
  if (bytes.length < TRIAL_BYTES) return entropyBits(bytes) <= bytes.length * 8 * WORTHWHILE_SHARE;
  if (bytes.length <= SAMPLE_BYTES) return true;
  const sample = bytes.subarray(0, SAMPLE_BYTES);
  return shrinks(compress(sample), sample);
}

function compress(bytes: Uint8Array): Buffer {
  const params = { ...QUALITY, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
  return brotliCompressSync(bytes, { params });
}

function shrinks(stored: Uint8Array, bytes: Uint8Array): boolean {
  return stored.length <= bytes.length * WORTHWHILE_SHARE;
}

/** What an ideal coder of single bytes would need: a bound for the little that brotli can find in so few bytes. */
function entropyBits(bytes: Uint8Array): number {
  counts.fill(0);
  for (const byte of bytes) counts[byte]!++;
  let bits = N_LOG_N[bytes.length]!;
  for (const count of counts) bits -= N_LOG_N[count]!;
  return bits;
}
