/** Memory for the bytes of answers, of a kind that can be handed to other threads as it is. */
import { DatasetError } from "../errors.js";
import { weigh } from "../garbage.js";
import { GiB, KiB } from "../units.js";

/** Below, to copy costs less than to make memory that threads share, which comes zeroed. */
const SHARED_BYTES = 256 * KiB;

/** Nothing that is read at once is larger: a root of so many bytes would be one of ten billion files. */
const ANSWER_MAX_BYTES = 1 * GiB;

/** Memory for so many bytes, its own. That of large answers is shared by threads. @throws {DatasetError} `format-damaged` for what nobody stores */
export function answerMemory(sizeBytes: number): Uint8Array {
  if (sizeBytes > ANSWER_MAX_BYTES) throw tooLarge(sizeBytes);
  if (sizeBytes < SHARED_BYTES) return new Uint8Array(Buffer.allocUnsafeSlow(sizeBytes).buffer);
  const memory = new SharedArrayBuffer(sizeBytes);
  weigh(memory);
  return new Uint8Array(memory);
}

function tooLarge(sizeBytes: number): DatasetError<"format-damaged"> {
  const message = `Cannot read ${sizeBytes} bytes at once: nothing that is stored has so many, so what names them is damaged`;
  return new DatasetError("format-damaged", { what: "size of an object" }, message);
}
