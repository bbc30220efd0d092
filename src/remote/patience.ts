/**
 * The loop around one call to a remote: attempts, pauses between them, and the deadline over all. Which call it is, and
 * what may be repeated, `with-retry.ts` says.
 */
import { setTimeout as sleep } from "node:timers/promises";

import { isDatasetError } from "../errors.js";
import { MiB } from "../units.js";
import { type RequestUnderWay, noting, remoteActivity } from "./activity.js";
import { cancellable, checkSignal } from "./cancel.js";
import { type Deadline, startDeadline } from "./deadline.js";

export interface RetryOptions {
  /** Attempts in all. Default 5. */
  attempts?: number;
  /** The first pause is random below this, each later one below twice the bound before. Default 200 ms. */
  baseDelayMs?: number;
  /** No pause is longer. Default 10 s. */
  maxDelayMs?: number;
  /** Longest silence of the remote during one call, counted from the last bytes of a stream it took. Default 60 s. */
  deadlineMs?: number;
  /** How to wait between two attempts. Default: the real clock. */
  pause?: (ms: number, signal: AbortSignal) => Promise<unknown>;
}

export type Policy = Required<RetryOptions>;

/** What is attempted, in the words and with the facts that patience needs. */
export interface Call {
  what: string;
  /** The caller's. */
  signal?: AbortSignal | undefined;
  /** Bytes that move in one piece. */
  movesBytes?: number;
}

/** One attempt; `earlier` counts those that failed before it. */
export type Attempt<T> = (deadline: Deadline, earlier: number) => Promise<T>;

export const DEFAULT_POLICY: Policy = {
  attempts: 5,
  baseDelayMs: 200,
  maxDelayMs: 10_000,
  deadlineMs: 60_000,
  pause: (ms, signal) => sleep(ms, undefined, { signal }),
};

/** Bytes asked for or given in one piece move unseen; they get this much longer, which a link of 4 Mbit/s makes. */
const DEADLINE_MS_PER_MIB = 2_000;

/** What `attempt` gives, made as often as `policy` allows and within its deadline. */
export async function patiently<T>(policy: Policy, call: Call, attempt: Attempt<T>): Promise<T> {
  checkSignal(call.signal, call.what);
  const allowedMs = policy.deadlineMs + ((call.movesBytes ?? 0) / MiB) * DEADLINE_MS_PER_MIB;
  const deadline = startDeadline(Math.ceil(allowedMs), call.what, call.signal);
  const request = remoteActivity.begin(call.what);
  try {
    const result = await repeat(policy, request, call, noting(request, deadline), attempt);
    remoteActivity.end(request);
    return result;
  } catch (error) {
    remoteActivity.end(request, error);
    throw error;
  } finally {
    deadline.end();
  }
}

/** As `patiently`, under a deadline of the caller's. It ends with that even where the remote does not heed the signal. */
export function repeat<T>(
  policy: Policy,
  request: RequestUnderWay,
  call: Call,
  deadline: Deadline,
  attempt: Attempt<T>,
): Promise<T> {
  return cancellable(deadline.signal, call.what, async () => {
    for (let earlier = 0; ; earlier++) {
      try {
        return await attempt(deadline, earlier);
      } catch (error) {
        const again = earlier + 1 < policy.attempts && mayHeal(error) && !deadline.signal.aborted;
        remoteActivity.failed(request, error, again);
        if (!again) throw error;
      }
      await policy.pause(delayMs(policy, earlier), deadline.signal);
      checkSignal(deadline.signal, call.what);
    }
  });
}

function mayHeal(error: unknown): boolean {
  return isDatasetError(error, "remote-failed") || isDatasetError(error, "remote-short");
}

/** All of the pause is random, so that many who failed together do not come back together. */
function delayMs(policy: Policy, earlier: number): number {
  return Math.random() * Math.min(policy.maxDelayMs, policy.baseDelayMs * 2 ** earlier);
}
