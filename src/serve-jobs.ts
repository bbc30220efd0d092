/** The other side of `thread-pool.ts`: the thread that is asked one job at a time and answers it. */
import { parentPort } from "node:worker_threads";
import { failureOf } from "./failure.js";
import type { JobMessage, JobReply, JobTable } from "./thread-pool.js";

/** An answer and what of it is handed over instead of copied. */
export type Outcome<Answer> = [answer: Answer, ...buffers: ArrayBuffer[]];

/** What does each kind of job. Synchronous: for small files that costs a fraction of asynchronous calls. */
export type Handlers<Jobs extends JobTable<Jobs>> = {
  [Kind in keyof Jobs]: (ask: Jobs[Kind]["ask"]) => Outcome<Jobs[Kind]["answer"]>;
};

/** Answers what the pool asks, for as long as the thread lives. */
export function serveJobs<Jobs extends JobTable<Jobs>>(handlers: Handlers<Jobs>): void {
  parentPort?.on("message", (message: JobMessage<Jobs>) => {
    const [reply, buffers] = replyTo(handlers, message);
    parentPort?.postMessage(reply, buffers);
  });
}

function replyTo<Jobs extends JobTable<Jobs>>(
  handlers: Handlers<Jobs>,
  { kind, ask }: JobMessage<Jobs>,
): [JobReply<Jobs>, ArrayBuffer[]] {
  try {
    const [answer, ...buffers] = handlers[kind](ask);
    return [{ answer }, buffers];
  } catch (thrown) {
    return [{ failure: failureOf(thrown) }, []];
  }
}
