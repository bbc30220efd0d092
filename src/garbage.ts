/**
 * Freeing shared memory in time. What threads share weighs nothing to V8, so that it lets gigabytes of it lie where
 * little else is allocated; and to call for a collection costs 100 ms each time, since it begins with throwing compiled
 * code away. So beside shared memory lies memory that V8 does feel, and that nobody touches: it takes no room.
 */
import { setFlagsFromString } from "node:v8";

import { MiB } from "./units.js";

/** From this size on malloc(3) takes pages from the kernel, which gives none before they are touched. */
const WEIGHT_BYTES = 33 * MiB;
/** A third of what there is is felt: V8 marks all of its heap once in 200 MiB then, which takes some 80 ms of processor time. */
const WEIGHED_BYTES = 3 * WEIGHT_BYTES;

/** The heap may become three times what was left of it. */
const GROWING_PERCENT = 200;

/**
 * Makes V8 wait longer before it collects, in programs that are ours alone. It counts the pieces in which a socket
 * gives what it received as part of a heap of 20 MiB, which then seemed full each 13 MiB: 77 collections for a GiB.
 */
export function collectLessOften(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWING_PERCENT}`);
}

/** A weight lives as long as the memory beside which it lies. */
const weights = new WeakMap<SharedArrayBuffer, ArrayBuffer>();
let unfeltBytes = 0;

/** To be told of the shared memory that a thread makes or is given, so that V8 collects it nearly as it does other memory. */
export function weigh(memory: SharedArrayBuffer): void {
  unfeltBytes += memory.byteLength;
  if (unfeltBytes < WEIGHED_BYTES) return;
  weights.set(memory, new ArrayBuffer(WEIGHT_BYTES));
  unfeltBytes = 0;
}
