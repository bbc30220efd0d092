/** Memory for the bytes of answers, of a kind that can be handed to other threads as it is. */
import { weigh } from "../garbage.js";
import { KiB } from "../units.js";

/** Below, to copy costs less than to make memory that threads share, which comes zeroed. */
const SHARED_BYTES = 256 * KiB;

/** Memory for so many bytes, its own. That of large answers is shared by threads. */
export function answerMemory(sizeBytes: number): Uint8Array {
  if (sizeBytes < SHARED_BYTES) return new Uint8Array(Buffer.allocUnsafeSlow(sizeBytes).buffer);
  const memory = new SharedArrayBuffer(sizeBytes);
  weigh(memory);
  return new Uint8Array(memory);
}
