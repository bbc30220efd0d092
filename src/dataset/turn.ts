/** Turns of the processes of one machine that make a version of one dataset, where each looks at what was made before. */
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";

import { tryLock } from "../file-lock.js";
import { type Home, ensureDir } from "../home.js";

const ASK_AGAIN_MS = 30;
/** After so long `work` runs out of turn: a process that hangs must not keep others from their version. */
const LONGEST_WAIT_MS = 60_000;

/** Runs `work` while no other process, nor another call of this one, does so for the same dataset. */
export async function inTurn<T>(home: Home, datasetId: string, work: () => Promise<T>): Promise<T> {
  const path = join(ensureDir(join(home.stateDir, "turns")), datasetId);
  const giveUpAtMs = performance.now() + LONGEST_WAIT_MS;
  let lock = tryLock(path);
  while (!lock && performance.now() < giveUpAtMs) {
    await setTimeout(ASK_AGAIN_MS);
    lock = tryLock(path);
  }
  try {
    return await work();
  } finally {
    lock?.release();
  }
}
