/** What a workload is: something people do in a folder, on whatever places can take it. */
import { spawnSync } from "node:child_process";

import type { Place } from "./places.js";

/** What a place must have: the large file, all files, all files and a way to change them. */
export type Needs = "large" | "files" | "changes";

/** What must hold on a mount of varve: bounds on the seconds it takes, as multiples of those elsewhere, or a rate. */
export interface Goal {
  timesLocal?: number;
  timesBare?: number;
  perSecond?: number;
}

export interface Workload {
  what: string;
  needs: Needs;
  /** How many of `unit` one run does. */
  count: number;
  unit: "entries" | "files" | "calls" | "MB";
  /** Run in a place the kernel knows nothing of yet; else it was run there once before. */
  isFirst: boolean;
  goal?: Goal;
  /** Not measured: brings about what one run needs to find. */
  before?: (place: Place) => unknown;
  run: (place: Place) => void;
}

/** A workload that reads: with a kernel that knows nothing yet, then again. */
export function firstAndAgain(
  workload: Omit<Workload, "isFirst" | "goal">,
  goals: { first?: Goal; again?: Goal } = {},
): Workload[] {
  const { what } = workload;
  const first = { ...workload, what: `${what}, first time`, isFirst: true, goal: goals.first ?? {} };
  return [first, { ...workload, what: `${what}, again`, isFirst: false, goal: goals.again ?? {} }];
}

/** Runs a line of shell with `$1` and up set to `values`. */
export function shell(line: string, ...values: string[]): void {
  const { status } = spawnSync("sh", ["-c", line, "sh", ...values], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (status !== 0) throw new Error(`Cannot run "${line}"`);
}
