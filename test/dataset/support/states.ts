/** Contents that tell which of many states they are of, in every eight bytes. */
import { KiB } from "../../../src/units.js";

export const STATE_BYTES = 256 * KiB;

export function stateBytes(state: number): Buffer {
  const one = Buffer.alloc(8);
  one.writeUInt32LE(state, 0);
  return Buffer.alloc(STATE_BYTES, one);
}
