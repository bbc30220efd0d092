/** Figures of runs: what a process took of the processors, and what stands for several. */
import { readFileSync } from "node:fs";

/** In ticks, user and system time are the 14th and 15th field. Source: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
const TICKS_IN_SECOND = 100;

/** CPU time of a process so far, that of threads that have ended too; 0 of process 0, which is none. */
export function cpuSecondsOf(pid: number): number {
  if (pid === 0) return 0;
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_IN_SECOND;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
