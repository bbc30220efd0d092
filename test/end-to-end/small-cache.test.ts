/** Several mounts that read far more than their one cache may hold. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";

import { MiB } from "../../src/units.js";
import { noise } from "../content/noise.js";
import { writeFolder } from "../dataset/support/folders.js";
import { tempDir } from "../support/temp.js";
import { varveUser } from "../support/varve.js";
import { watchCache } from "../support/watch-cache.js";
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

    const watch = watchCache(t, join(varve.home, "cache"));
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
  },
);
