/** Several mounts that read far more than their one cache may hold. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { Housekeeping } from "../../src/cache/housekeeping.js";
import { MiB } from "../../src/units.js";
import { noise } from "../content/noise.js";
import { writeFolder } from "../dataset/support/folders.js";
import { atEnd } from "../support/cleanup.js";
import { tempDir } from "../support/temp.js";
import { varveUser } from "../support/varve.js";
import { DATASET, MOUNTED, sh } from "./support/mounted.js";

const CACHE_BYTES = 32 * MiB;
const MOUNTS = 4;
/** A fill that is being written counts when it is done, and what it drives out is removed after that. */
const UNCOUNTED_BYTES = 2 * MOUNTS * 6 * MiB;

test(
  "four mounts read 256 MiB each through one cache of 32 MiB: its bound holds, their bytes are right",
  MOUNTED,
  async (t) => {
    const varve = await varveUser(t, { VARVE_CACHE_SIZE: "32MiB" });
    const source = await tempDir(t);
    const files = [...Array(40).keys()].map(
      (at) => [`file ${at}`, noise(`file ${at}`, (at % 2 ? 12 : 0.8) * MiB)] as const,
    );
    writeFolder(source, Object.fromEntries(files));
    await varve.ok(["sync", source, DATASET]);
    const mounts = await Promise.all([...Array(MOUNTS).keys()].map(() => tempDir(t)));
    for (const at of mounts) await varve.ok(["mount", DATASET, at]);

    const watch = watchCache(join(varve.home, "cache"));
    // Each begins elsewhere, so that they do not read side by side what one of them has fetched.
    const reads = mounts.map((at, index) =>
      sh(
        'cd "$1"; { ls | tail -n +"$3"; ls | head -n "$3"; } | while read -r file; do cmp "$file" "$2/$file"; done',
        at,
        source,
        String(index * 10 + 1),
      ),
    );
    await Promise.all(reads);
    const { countedBytes, diskBytes } = await watch.end();
    t.diagnostic(`largest size: ${countedBytes} bytes counted, ${diskBytes} on disk`);
    assert.ok(countedBytes > CACHE_BYTES / 2 && countedBytes <= CACHE_BYTES, `${countedBytes} bytes counted`);
    assert.ok(diskBytes <= CACHE_BYTES + UNCOUNTED_BYTES, `${diskBytes} bytes on disk`);

    /** The largest sizes seen, by the index and by the folder itself, until its end. */
    function watchCache(directory: string) {
      const housekeeping = new Housekeeping(directory);
      atEnd(t, () => housekeeping.close());
      let isOver = false;
      const most = { countedBytes: 0, diskBytes: 0 };
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
  },
);

/** What the files of a cache take; one that goes meanwhile takes nothing. */
function bytesBelow(directory: string): number {
  const paths = readdirSync(join(directory, "blocks")).map((name) => join(directory, "blocks", name));
  const stats = [...paths, join(directory, "index.db")].filter((path) => existsSync(path));
  return stats.reduce((sum, path) => sum + (statSync(path, { throwIfNoEntry: false })?.blocks ?? 0) * 512, 0);
}
