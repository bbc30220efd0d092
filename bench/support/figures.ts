/** Figures of runs: what a process took of the processors, and what stands for several. */
import { readFileSync, readdirSync } from "node:fs";

/**
 * CPU time of a process so far, all its threads; 0 of process 0, which is none. The first number of each thread's
 * `schedstat` is nanoseconds on a CPU. Source: Documentation/scheduler/sched-stats.rst
 */
export function cpuSecondsOf(pid: number): number {
  if (pid === 0) return 0;
  const threads = readdirSync(`/proc/${pid}/task`);
  const ns = threads.map((thread) => readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "latin1"));
  return sum(ns.map((line) => parseInt(line, 10))) / 1e9;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
