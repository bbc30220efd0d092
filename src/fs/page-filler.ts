/**
 * The thread that gives the kernel files before it asks for them, as the main thread sees it. It is one of its own since it
 * waits for the thread that answers reads. Started when there is something to give; what it cannot do is only slower.
 */
import { Worker } from "node:worker_threads";

import type { Log } from "../log.js";
import { programs } from "../programs.js";
import type { FilledFile } from "./fill-ahead.js";

/** What the thread is started with. */
export interface FillerData {
  device: number;
  cacheDirectory: string;
}

export class PageFiller {
  #thread: Worker | undefined;
  #isClosed = false;

  constructor(
    private readonly data: FillerData,
    private readonly log: Log,
  ) {}

  fill(files: readonly FilledFile[]): void {
    if (this.#isClosed) return;
    this.#thread ??= this.#start();
    this.#thread.postMessage(files);
  }

  /** Resolves when the thread is gone, which does not write to the device from then on. Only after the mount is. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#thread?.terminate();
  }

  #start(): Worker {
    const thread = new Worker(programs.pageFiller, { workerData: this.data });
    thread.on("error", (error: Error) => {
      this.#isClosed = true;
      this.log.warn("files are not given to the kernel any more", { error });
    });
    thread.unref();
    return thread;
  }
}
