/** The note in a draft's file that one process will finish it or throw it away, or is still making it. */
import { hostname } from "node:os";
import { type ProcessMark, isAlive, thisProcess } from "../daemon/process.js";
import type { Staging } from "./staging.js";

const FACT = "transient";

type TransientMark = ProcessMark & { host: string };

export function markTransient(staging: Staging): void {
  staging.setFact(FACT, { host: hostname(), ...thisProcess() } satisfies TransientMark);
}

/** The draft is made, and anybody's from now on. */
export function unmarkTransient(staging: Staging): void {
  staging.setFact(FACT, null);
}

export function isTransient(staging: Staging): boolean {
  return markIn(staging) !== undefined;
}

/** Whether the process was killed. One of another machine cannot be told of, and counts as alive. */
export function hasLostItsProcess(staging: Staging): boolean {
  const mark = markIn(staging);
  return mark?.host === hostname() && !isAlive(mark);
}

function markIn(staging: Staging): TransientMark | undefined {
  return (staging.fact(FACT) ?? undefined) as TransientMark | undefined;
}
