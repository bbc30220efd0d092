/**
 * A pool of the threads that read, cut, hash and compress (`ingest-worker.ts`). Threads start when they are needed.
 * What to ask them, and in which order answers count, is for the callers.
 */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import pLimit, { type LimitFunction } from "p-limit";
import { DatasetError } from "../errors.js";
import { programs } from "../programs.js";
import type { JobKind, JobReply, Jobs } from "./ingest-jobs.js";

/** More do not help: beyond this the disk or the remote is what one waits for. */
const MAX_DEFAULT_WORKERS = 8;

/** One thread, asked one job at a time. */
export interface IngestWorker {
  /** `buffers` are handed over: the caller cannot use them any more. */
  run<Kind extends JobKind>(
    kind: Kind,
    ask: Jobs[Kind]["ask"],
    ...buffers: ArrayBuffer[]
  ): Promise<Jobs[Kind]["answer"]>;
}

export class IngestPool implements IngestWorker {
  readonly size: number;
  readonly #limit: LimitFunction;
  readonly #threads: IngestThread[] = [];
  readonly #idle: IngestThread[] = [];
  #isClosed = false;

  /** @param workers Most threads at once. Default: one a core, at most 8. */
  constructor(workers = Math.min(MAX_DEFAULT_WORKERS, availableParallelism())) {
    this.size = Math.max(1, workers);
    this.#limit = pLimit(this.size);
  }

  /** Runs one job on the first thread that is free. @throws {DatasetError} `cancelled` once the pool is closed */
  run<Kind extends JobKind>(kind: Kind, ask: Jobs[Kind]["ask"], ...buffers: ArrayBuffer[]) {
    return this.use((worker) => worker.run(kind, ask, ...buffers));
  }

  /** Keeps one thread for all that `task` asks of it. */
  use<Value>(task: (worker: IngestWorker) => Promise<Value>): Promise<Value> {
    return this.#limit(async () => {
      if (this.#isClosed) throw ended();
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

  #start(): IngestThread {
    const thread = new IngestThread();
    this.#threads.push(thread);
    return thread;
  }
}

/** The job a thread is at. */
interface Underway {
  resolve: (answer: never) => void;
  reject: (error: unknown) => void;
}

class IngestThread implements IngestWorker {
  readonly #worker = new Worker(programs.ingestWorker);
  #underway: Underway | undefined;
  #hasEnded = false;

  constructor() {
    this.#worker.on("message", (reply: JobReply) => this.#settle(reply));
    this.#worker.on("error", (thrown) => this.#settle({ thrown }));
    this.#worker.on("exit", () => {
      this.#hasEnded = true;
      this.#settle({ thrown: ended() });
    });
  }

  run<Kind extends JobKind>(kind: Kind, ask: Jobs[Kind]["ask"], ...buffers: ArrayBuffer[]) {
    return new Promise<Jobs[Kind]["answer"]>((resolve, reject) => {
      this.#underway = { resolve, reject };
      if (this.#hasEnded) this.#settle({ thrown: ended() });
      else this.#worker.postMessage({ kind, ask }, buffers);
    });
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }

  #settle(reply: JobReply): void {
    const job = this.#underway;
    this.#underway = undefined;
    if ("answer" in reply) job?.resolve(reply.answer as never);
    else job?.reject(reply.thrown);
  }
}

function ended(): DatasetError<"cancelled"> {
  const message = "Cannot go on reading content: the worker thread has ended";
  return new DatasetError("cancelled", { what: "reading content" }, message);
}
