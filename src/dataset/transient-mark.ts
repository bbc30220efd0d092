/** The note in a draft's file that one process will finish it or throw it away. */
import { hostname } from "node:os";
import { type ProcessMark, isAlive, thisProcess } from "../daemon/process.js";
import type { Staging } from "./staging.js";

const FACT = "transient";

type TransientMark = ProcessMark & { host: string };

export function markTransient(staging: Staging): void {
  staging.setFact(FACT, { host: hostname(), ...thisProcess() } satisfies TransientMark);
}

export function isTransient(staging: Staging): boolean {
  return staging.fact(FACT) !== undefined;
}

/** Whether the process was killed. One of another machine cannot be told of, and counts as alive. */
export function hasLostItsProcess(staging: Staging): boolean {
  const mark = staging.fact(FACT) as TransientMark | undefined;
  return mark?.host === hostname() && !isAlive(mark);
}
