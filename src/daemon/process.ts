/** Whether a process written down earlier still lives: a process id alone may have been given to another since. */
import { readFileSync } from "node:fs";
import { errnoOf } from "../errors.js";

export interface ProcessMark {
  /** 0: no process. */
  pid: number;
  /** Clock ticks after boot when it started: field 22 of `/proc/PID/stat`; 0 where there is no such file. */
  startTicks: number;
}

export function thisProcess(): ProcessMark {
  return processMark(process.pid);
}

/** How a process that runs now is told from one of the same number later. */
export function processMark(pid: number): ProcessMark {
  return { pid, startTicks: startTicksOf(pid) };
}

export function isAlive({ pid, startTicks }: ProcessMark): boolean {
  if (pid === 0) return false;
  if (startTicks !== 0) return startTicksOf(pid) === startTicks;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errnoOf(error) === "EPERM";
  }
}

/** Source: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html; a zombie counts as ended. */
function startTicksOf(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? 0 : Number(fields[19]);
  } catch {
    return 0;
  }
}
