/** The thread that gives the kernel files before it asks for them: reads them from the cache, and ends with the mount. */
import { parentPort, workerData } from "node:worker_threads";

import { openLocalBlocks } from "../cache/local-blocks.js";
import { errnoOf } from "../errors.js";
import { MiB } from "../units.js";
import { FILLED_FILE_BYTES, type FilledFile } from "./fill-ahead.js";
import type { FillerData } from "./page-filler.js";
import { StoreMessage } from "./transport/kernel/store-pages.js";

const { device, cacheDirectory } = workerData as FillerData;
const blocks = openLocalBlocks({ directory: cacheDirectory, memoryBytes: 1 * MiB });
const message = new StoreMessage(FILLED_FILE_BYTES);

parentPort?.on("message", (files: readonly FilledFile[]) => {
  try {
    for (const file of files) if (!give(file)) return;
  } catch (error) {
    if (errnoOf(error) !== "ENODEV") throw error;
    parentPort?.close();
    blocks.close();
  }
});

/** Whether the next file is worth a try: where the kernel does not know one, it has not met those after it either. */
function give({ ino, hash, sizeBytes }: FilledFile): boolean {
  if (!blocks.copy(hash, 0, sizeBytes, message.content, 0)) return true; // Evicted, or not on disk yet.
  return message.send(device, ino, sizeBytes);
}
