/** Watches how large a cache becomes: by its index, and by what its files take on disk. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { Housekeeping } from "../../src/cache/housekeeping.js";
import { type Scope, atEnd } from "./cleanup.js";

/** The largest sizes seen. */
export interface MostBytes {
  countedBytes: number;
  diskBytes: number;
}

/** Looks every 20 ms until it is ended. @param directory The folder of a cache that somebody has opened. */
export function watchCache(scope: Scope, directory: string): { end(): Promise<MostBytes> } {
  const housekeeping = new Housekeeping(directory);
  atEnd(scope, () => housekeeping.close());
  let isOver = false;
  const most: MostBytes = { countedBytes: 0, diskBytes: 0 };
  const watching = (async () => {
    while (!isOver) {
      most.countedBytes = Math.max(most.countedBytes, housekeeping.report().bytes);
      most.diskBytes = Math.max(most.diskBytes, bytesBelow(directory));
      await sleep(20);
    }
  })();
  const end = async () => {
    isOver = true;
    await watching;
    return most;
  };
  return { end };
}

/** What the files of a cache take; one that goes meanwhile takes nothing. */
function bytesBelow(directory: string): number {
  const paths = readdirSync(join(directory, "blocks")).map((name) => join(directory, "blocks", name));
  const stats = [...paths, join(directory, "index.db")].filter((path) => existsSync(path));
  return stats.reduce((sum, path) => sum + (statSync(path, { throwIfNoEntry: false })?.blocks ?? 0) * 512, 0);
}
