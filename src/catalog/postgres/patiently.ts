/** Doing again what failed for a reason that passes, with pauses that grow and are random, so that those who met part. */
import { setTimeout as sleep } from "node:timers/promises";

import { explainServer } from "./failures.js";

/** As long as `sqlite.ts` waits for a locked file: longer than a server takes to start again. */
const DEADLINE_MS = 30_000;
/** A transaction of the catalog takes about this long on a local network. */
const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 500;

/**
 * @param name What messages call the catalog.
 * @param mayPass Whether to try again after a failure; `attempt` counts from 1.
 * @throws {DatasetError} the last failure, explained
 */
export async function patiently<T>(
  name: string,
  mayPass: (error: unknown, attempt: number) => boolean,
  work: () => Promise<T>,
): Promise<T> {
  const startMs = performance.now();
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!mayPass(error, attempt) || performance.now() - startMs > DEADLINE_MS)
        throw explainServer(error, name);
    }
    await sleep(Math.random() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt));
  }
}
