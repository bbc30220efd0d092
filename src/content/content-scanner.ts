/** Cuts and hashes a content in one pass: as a whole, and chunk by chunk. Runs in the workers. */
import { ChunkCutter, ONE_CHUNK_BYTES, cutWhole } from "./fastcdc.js";
import { RunningSha256, sha256 } from "./hash.js";
import type { Cut, Digest } from "./ingest-jobs.js";

/** The digest of a content that is in memory. */
export function digestOf(bytes: Uint8Array): Digest {
  const whole = { sizeBytes: bytes.length, sha256: sha256(bytes) };
  return bytes.length <= ONE_CHUNK_BYTES ? whole : { ...whole, cuts: cutWhole(bytes).map(cutOf) };
}

/** The digest of a content of more than `ONE_CHUNK_BYTES` that arrives in pieces. */
export class ContentScanner {
  readonly #whole = new RunningSha256();
  readonly #cutter = new ChunkCutter();
  readonly #cuts: Cut[] = [];
  #sizeBytes = 0;

  push(piece: Uint8Array, isLast: boolean): void {
    this.#whole.update(piece);
    this.#sizeBytes += piece.length;
    for (const chunk of this.#cutter.push(piece, isLast)) this.#cuts.push(cutOf(chunk));
  }

  /** After the last piece. */
  digest(): Digest {
    return { sizeBytes: this.#sizeBytes, sha256: this.#whole.digest(), cuts: this.#cuts };
  }
}

function cutOf(chunk: Uint8Array): Cut {
  return { hash: sha256(chunk), sizeBytes: chunk.length };
}
