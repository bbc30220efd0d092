/**
 * A pool of worker threads that each do one job at a time. Threads start when they are needed. What the jobs are is
 * told by a table of types; in which order answers count is for the callers.
 */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import pLimit, { type LimitFunction } from "p-limit";
import { DatasetError } from "./errors.js";
import { type Failure, errorOf, failureOf } from "./failure.js";

/** What can be asked, and what is answered: plain data only. */
export type JobTable<Jobs> = Record<keyof Jobs, { ask: unknown; answer: unknown }>;

/** What travels to a thread. */
export interface JobMessage<Jobs extends JobTable<Jobs>, Kind extends keyof Jobs = keyof Jobs> {
  kind: Kind;
  ask: Jobs[Kind]["ask"];
}

/** What travels back. */
export type JobReply<Jobs extends JobTable<Jobs>> =
  { answer: Jobs[keyof Jobs]["answer"] } | { failure: Failure };

/** One thread, asked one job at a time. */
export interface JobThread<Jobs extends JobTable<Jobs>> {
  /** `buffers` are handed over: the caller cannot use them any more. @throws {DatasetError} what the job throws */
  run<Kind extends keyof Jobs>(
    kind: Kind,
    ask: Jobs[Kind]["ask"],
    ...buffers: ArrayBuffer[]
  ): Promise<Jobs[Kind]["answer"]>;
}

/** More do not help: beyond this the disk or the remote is what one waits for. */
const MAX_DEFAULT_WORKERS = 8;

export class ThreadPool<Jobs extends JobTable<Jobs>> implements JobThread<Jobs> {
  readonly size: number;
  readonly #limit: LimitFunction;
  readonly #threads: Thread<Jobs>[] = [];
  readonly #idle: Thread<Jobs>[] = [];
  #isClosed = false;

  /**
   * @param program What each thread runs; see `programs.ts`.
   * @param work What it is for, as a failure says it.
   * @param workers Most threads at once. Default: one a core, at most 8.
   */
  constructor(
    private readonly program: URL,
    private readonly work: string,
    workers = Math.min(MAX_DEFAULT_WORKERS, availableParallelism()),
  ) {
    this.size = Math.max(1, workers);
    this.#limit = pLimit(this.size);
  }

  /** Runs one job on the first thread that is free. @throws {DatasetError} `cancelled` once the pool is closed */
  run<Kind extends keyof Jobs>(kind: Kind, ask: Jobs[Kind]["ask"], ...buffers: ArrayBuffer[]) {
    return this.use((thread) => thread.run(kind, ask, ...buffers));
  }

  /** Keeps one thread for all that `task` asks of it. */
  use<Value>(task: (thread: JobThread<Jobs>) => Promise<Value>): Promise<Value> {
    return this.#limit(async () => {
      if (this.#isClosed) throw ended(this.work);
      const thread = this.#idle.pop() ?? this.#start();
      try {
        return await task(thread);
      } finally {
        this.#idle.push(thread);
      }
    });
  }

  /** Ends all threads at once; jobs under way and jobs waiting fail with `cancelled`. Twice is the same as once. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#threads.map((thread) => thread.end()));
  }

  #start(): Thread<Jobs> {
    const thread = new Thread<Jobs>(this.program, this.work);
    this.#threads.push(thread);
    return thread;
  }
}

/** The job a thread is at. */
interface Underway {
  resolve: (answer: never) => void;
  reject: (error: unknown) => void;
}

class Thread<Jobs extends JobTable<Jobs>> implements JobThread<Jobs> {
  readonly #worker: Worker;
  #underway: Underway | undefined;
  #hasEnded = false;

  constructor(
    program: URL,
    private readonly work: string,
  ) {
    this.#worker = new Worker(program);
    this.#worker.on("message", (reply: JobReply<Jobs>) => this.#settle(reply));
    this.#worker.on("error", (thrown) => this.#settle({ failure: failureOf(thrown) }));
    this.#worker.on("exit", () => {
      this.#hasEnded = true;
      this.#settle({ failure: failureOf(ended(this.work)) });
    });
  }

  run<Kind extends keyof Jobs>(kind: Kind, ask: Jobs[Kind]["ask"], ...buffers: ArrayBuffer[]) {
    return new Promise<Jobs[Kind]["answer"]>((resolve, reject) => {
      this.#underway = { resolve, reject };
      if (this.#hasEnded) this.#settle({ failure: failureOf(ended(this.work)) });
      else this.#worker.postMessage({ kind, ask } satisfies JobMessage<Jobs>, buffers);
    });
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }

  #settle(reply: JobReply<Jobs>): void {
    const job = this.#underway;
    this.#underway = undefined;
    if ("answer" in reply) job?.resolve(reply.answer as never);
    else job?.reject(errorOf(reply.failure));
  }
}

function ended(work: string): DatasetError<"cancelled"> {
  return new DatasetError("cancelled", { what: work }, `Cannot go on ${work}: the worker thread has ended`);
}
