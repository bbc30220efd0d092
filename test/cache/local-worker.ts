/** A worker thread that opens the blocks of a folder and says what one of them holds. */
import { parentPort, workerData } from "node:worker_threads";

import { openLocalBlocks } from "../../src/cache/local-blocks.js";
import type { Sha256 } from "../../src/content/chunk.js";
import { textOf } from "./blocks.js";

const { directory, hash } = workerData as { directory: string; hash: Sha256 };
const local = openLocalBlocks({ directory });
parentPort!.postMessage(textOf(local.get(hash)));
local.close();
