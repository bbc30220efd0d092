/**
 * The files that other processes and threads start from. They lie in the same places below this one when it is built
 * file by file (`dist/src`) and when it is bundled (`dist/varve`).
 */
const at = (path: string) => new URL(path, import.meta.url);

export const programs = {
  /** The process behind a mount. */
  daemon: at("./daemon.js"),
  /** The thread that serves a mount. */
  mountWorker: at("./fs/worker.js"),
  /** A thread that reads, cuts and hashes files. */
  ingestWorker: at("./content/ingest-worker.js"),
  /** A thread that writes and compares the files of a copy. */
  copyWorker: at("./dataset/copies/copy-worker.js"),
} as const;
