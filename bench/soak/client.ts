/** What readers and writers of the soak share: they work until they are told to stop, and tell what they did. */
import { createHash } from "node:crypto";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

/** What a client has done so far. */
export interface Work {
  operations: number;
  bytes: number;
  /** The first ones in words. */
  errors: string[];
  failed: number;
}

/** Orders come as lines: `go`, `stop` (answered once nothing is open), `end`. */
export async function obey(step: () => void, onGo: () => void, pauseMs: number): Promise<void> {
  const work: Work = { operations: 0, bytes: 0, errors: [], failed: 0 };
  const orders = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  const tell = () => console.log(JSON.stringify(work));
  let isGoing = false;
  let order = orders.next();
  for (;;) {
    const next: IteratorResult<string, unknown> | undefined = await (isGoing
      ? Promise.race([order, sleep(Math.random() * pauseMs, undefined)])
      : order);
    if (next !== undefined) {
      if (next.done || next.value === "end") break;
      isGoing = next.value === "go";
      if (isGoing) attempt(work, onGo);
      tell();
      order = orders.next();
    } else attempt(work, step);
  }
  tell();
  process.exit();
}

let current: Work | undefined;

/** Counted for what runs now. */
export function moved(bytes: number): void {
  if (current) current.bytes += bytes;
}

function attempt(work: Work, step: () => void): void {
  current = work;
  try {
    step();
    work.operations++;
  } catch (error) {
    work.failed++;
    if (work.errors.length < 5) work.errors.push(String(error));
  }
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Numbers from 0 to below 1 that follow from a seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  };
}
