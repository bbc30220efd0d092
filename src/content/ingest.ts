/** The pool of the threads that read, cut, hash and compress (`ingest-worker.ts`). */
import { programs } from "../programs.js";
import { type JobThread, ThreadPool } from "../thread-pool.js";
import type { Jobs } from "./ingest-jobs.js";

/** One thread, asked one job at a time. */
export type IngestWorker = JobThread<Jobs>;

export class IngestPool extends ThreadPool<Jobs> {
  /** @param workers Most threads at once. Default: one a core, at most 8. */
  constructor(workers?: number) {
    super(programs.ingestWorker, "reading content", workers);
  }
}
