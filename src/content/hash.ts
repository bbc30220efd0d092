/** The one hash of this code base: SHA-256 from `node:crypto`, written as lower-case hex. */
import { type Hash, createHash, hash } from "node:crypto";
import type { Sha256 } from "./chunk.js";

/** SHA-256 of a run of bytes that is in memory: 1 to 1.7 GiB/s, 3 µs for a small one. */
export function sha256(bytes: Uint8Array): Sha256 {
  return hash("sha256", bytes, "hex") as Sha256;
}

/** SHA-256 of bytes that arrive in pieces. */
export class RunningSha256 {
  readonly #hash: Hash = createHash("sha256");

  update(bytes: Uint8Array): void {
    this.#hash.update(bytes);
  }

  /** The hash of all pieces; afterwards the object is spent. */
  digest(): Sha256 {
    return this.#hash.digest("hex") as Sha256;
  }
}
