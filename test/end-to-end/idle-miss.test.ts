/** A lone request that misses wakes a mount's process by itself. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";

import { writeFolder } from "../dataset/support/folders.js";
import { CAN_MOUNT } from "../fs/support/mounted.js";
import { varveUser } from "../support/varve.js";

const FAR = new URL("./support/far.js", import.meta.url).href;
const OPTIONS = { skip: !CAN_MOUNT, timeout: 300_000 };
const FILES = 12_000;

test(
  "a lone stat of a file whose range is far away is answered though nothing else happens",
  OPTIONS,
  async (t) => {
    const varve = await varveUser(t, { NODE_OPTIONS: `--import=${FAR}` });
    const [folder, at, log] = ["files", "mnt", "log"].map((name) => join(varve.home, "..", name)) as [
      string,
      string,
      string,
    ];
    const names = [...Array(FILES).keys()].map((index) => [`many/f${index}`, ""]);
    writeFolder(folder, Object.fromEntries(names) as Record<string, string>);
    mkdirSync(at);
    await varve.ok(["sync", folder, "p/d", "--remote", `far://${varve.home}-remote`]);
    await varve.ok(["mount", "p/d", at], { env: { VARVE_CACHE_DIR: `${varve.home}-cache`, FAR_LOG: log } });

    const waits: number[] = [];
    for (const name of ["f0", "f5555", "f9999"]) {
      await setTimeout(1_500); // The worker has gone to sleep, and no timer of ours is near.
      const readsBefore = readsIn(log);
      const started = performance.now();
      assert.equal((await stat(join(at, "many", name))).size, 0);
      if (readsIn(log) > readsBefore) waits.push(performance.now() - started);
    }
    t.diagnostic(
      `lone stats with a miss over 50 ms: ${waits.map((ms) => `${ms.toFixed(0)} ms`).join(", ")} (to reach: 200 ms)`,
    );
    assert.ok(waits.length > 0, "no stat had to wait for the remote");
    for (const ms of waits) assert.ok(ms < 1_000, `${ms} ms: something else must have woken the process`);
    await varve.ok(["unmount", at]);
  },
);

function readsIn(log: string): number {
  return existsSync(log) ? readFileSync(log, "utf8").split("\n").length - 1 : 0;
}
