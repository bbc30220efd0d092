/** The threads that write and compare the files of a copy. */
import { programs } from "../../programs.js";
import { ThreadPool } from "../../thread-pool.js";
import type { CopyJobs } from "./copy-jobs.js";

export class CopyPool extends ThreadPool<CopyJobs> {
  /** @param workers Most threads at once. Default: one a core, at most 8. */
  constructor(workers?: number) {
    super(programs.copyWorker, "copying", workers);
  }
}
