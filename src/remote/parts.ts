/** Cuts a stream into the parts of an upload. Pure but for reading the stream. */
import { createHash } from "node:crypto";

import { DatasetError } from "../errors.js";
import { MiB } from "../units.js";
import { checkSignal } from "./cancel.js";
import type { Body, ObjectKey } from "./remote.js";

export interface Part {
  /** From 1. */
  number: number;
  bytes: Uint8Array;
  /** Base64. */
  sha256: string;
}

/** A part is sent in a second or two over 100 Mbit/s, and its loss costs no more. */
const PART_BYTES = 16 * MiB;
/** The size of all parts but the last. The same for the same object, so that a later process cuts as the first did. */
export function partBytesFor(sizeBytes: number, maxParts: number): number {
  return Math.max(PART_BYTES, Math.ceil(sizeBytes / maxParts / MiB) * MiB);
}

/** The parts in order; the only one of an empty stream is empty. @throws {DatasetError} `bad-input` for another size than announced */
export async function* partsOf(
  key: ObjectKey,
  { sizeBytes, chunks }: Exclude<Body, Uint8Array>,
  partBytes: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Part, void> {
  let number = 1;
  let part = emptyPart(sizeBytes, partBytes);
  let [filledBytes, takenBytes] = [0, 0];
  for await (const chunk of chunks()) {
    checkSignal(signal, `put of "${key}"`);
    takenBytes += chunk.byteLength;
    if (takenBytes > sizeBytes) throw wrongSize(key, `at least ${takenBytes}`, sizeBytes);
    for (let from = 0; from < chunk.byteLength;) {
      const some = chunk.subarray(from, from + part.byteLength - filledBytes);
      part.set(some, filledBytes);
      filledBytes += some.byteLength;
      from += some.byteLength;
      // The last part waits for the end of the stream, which may yet be too long.
      if (filledBytes < part.byteLength || takenBytes - chunk.byteLength + from === sizeBytes) continue;
      yield describe(number++, part);
      part = emptyPart(sizeBytes - (number - 1) * partBytes, partBytes);
      filledBytes = 0;
    }
  }
  if (takenBytes < sizeBytes) throw wrongSize(key, String(takenBytes), sizeBytes);
  yield describe(number, part);
}

function emptyPart(leftBytes: number, partBytes: number): Uint8Array {
  return Buffer.allocUnsafeSlow(Math.min(leftBytes, partBytes));
}

function describe(number: number, bytes: Uint8Array): Part {
  return { number, bytes, sha256: createHash("sha256").update(bytes).digest("base64") };
}

function wrongSize(key: ObjectKey, gave: string, sizeBytes: number): DatasetError<"bad-input"> {
  const message = `Cannot put "${key}": its stream gave ${gave} bytes where ${sizeBytes} were announced`;
  return new DatasetError("bad-input", { value: key }, message);
}
