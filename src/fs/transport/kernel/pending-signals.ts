/**
 * What the signals that wait for a program mean for a request of its that waits as well. A local disk never interrupts
 * a program that reads or writes; so neither do timers, profilers and ended children here, whose handlers run once the
 * request is answered. Who is to end, or asked to, is not kept waiting.
 */
import { readFileSync } from "node:fs";
import { constants } from "node:os";

/** Sets of signals, the lowest bit for signal 1, as `/proc/PID/status` has them. */
export interface Signals {
  /** Sent to the thread, or to its process, and not delivered yet. */
  pending: bigint;
  blocked: bigint;
  ignored: bigint;
  /** Those with a handler. */
  caught: bigint;
}

const { SIGINT, SIGTERM, SIGHUP, SIGQUIT } = constants.signals;
const { SIGCHLD, SIGCONT, SIGURG, SIGWINCH, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU } = constants.signals;

/** By these people and service managers ask a program to end or to give up what it does. */
const ASK_TO_END = setOf(SIGINT, SIGTERM, SIGHUP, SIGQUIT);
/** Without a handler every signal ends a program but these: they do nothing, or stop it until it is told to go on. */
const END_NOTHING = setOf(SIGCHLD, SIGCONT, SIGURG, SIGWINCH, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU);

/** Whether what waits for a program ends it, or asks it to end. */
export function asksToEnd({ pending, blocked, ignored, caught }: Signals): boolean {
  const delivered = pending & ~blocked & ~ignored;
  return ((delivered & caught & ASK_TO_END) | (delivered & ~caught & ~END_NOTHING)) !== 0n;
}

/**
 * Whether a thread is ended by a signal, or asked to end by one. So it is taken to be when it cannot be looked at, as one
 * in another PID namespace (thread 0) or of a user whose processes are hidden.
 * Source: https://man7.org/linux/man-pages/man5/proc_pid_status.5.html
 */
export function isToEnd(thread: number): boolean {
  let status: string;
  try {
    status = readFileSync(`/proc/${thread}/status`, "latin1");
  } catch {
    return true;
  }
  const set = (name: string) =>
    BigInt(`0x${new RegExp(`^${name}:\\s*([0-9a-f]+)$`, "m").exec(status)?.[1] ?? "0"}`);
  const pending = set("SigPnd") | set("ShdPnd");
  return asksToEnd({ pending, blocked: set("SigBlk"), ignored: set("SigIgn"), caught: set("SigCgt") });
}

function setOf(...signals: number[]): bigint {
  return signals.reduce((set, signal) => set | (1n << BigInt(signal - 1)), 0n);
}
