/** `kill -9` of a mount's process while somebody writes: what had returned is in the version that recover makes. */
import assert from "node:assert/strict";
import { closeSync, openSync } from "node:fs";
import { test } from "node:test";

import type { Scope } from "../support/cleanup.js";
import { mountsBelow } from "../support/mounts.js";
import { startProcess } from "../support/processes.js";
import { tempDir } from "../support/temp.js";
import type { Varve } from "../support/varve.js";
import {
  DATASET,
  MOUNTED,
  asking,
  datasetAt,
  leftOvers,
  liveMount,
  until,
  userWith,
} from "./support/mounted.js";
import { type Log, differences, writeUntilFailure } from "./support/random-writer.js";

const KILLS = 20;
const LONGEST_LIFE_MS = 700;
const FIRST_SEED = Number(process.env["VARVE_TEST_SEED"] ?? Date.now() % 1_000_000_000);

/** Twenty mounts and twenty commits. */
const SLOW = { ...MOUNTED, timeout: 300_000 };

const FILES = Object.fromEntries(
  Array.from({ length: 60 }, (_, i) => [`d${i % 6}/f${i}`, `${i} `.repeat(i * 20)]),
);

test(
  `every call that had returned before kill -9 is in the recovered version (seeds ${FIRST_SEED}…)`,
  SLOW,
  async (t) => {
    const varve = await userWith(t, FILES);
    const returned: Record<string, number> = {};
    for (let seed = FIRST_SEED; seed < FIRST_SEED + KILLS; seed++) {
      const log = await writeUntilKilled(t, varve, seed);
      await checkRecovered(varve, log, seed);
      for (const [kind, count] of Object.entries(log.returned))
        returned[kind] = (returned[kind] ?? 0) + count;
    }
    t.diagnostic(`calls that returned: ${JSON.stringify(returned)}`);
    const isEnough = Object.keys(returned).length === 11 && Math.min(...Object.values(returned)) >= KILLS;
    assert.ok(isEnough, "too few calls to tell");
  },
);

/** Mounts the first version, writes to it, and kills the mount's process meanwhile. */
async function writeUntilKilled(scope: Scope, varve: Varve, seed: number): Promise<Log> {
  const path = await tempDir(scope);
  await varve.ok(["mount", "--writable", `${DATASET}@1.0.0`, path]);
  const { pid, ended } = liveMount(varve, path);
  const descriptor = openSync(path, "r");
  const lifeSeconds = ((seed * 7919) % LONGEST_LIFE_MS) / 1000;
  // By another process: the calls below leave this one no time for timers.
  const kill = ["-c", 'sleep "$1" && kill -KILL "$2"', "sh", String(lifeSeconds), String(pid)];
  const killer = startProcess(scope, "sh", kill);
  // Through what is open: once the dead mount is cleared away, its path leads to the folder below it.
  const log = writeUntilFailure(`/proc/${process.pid}/fd/${descriptor}`, seed, FILES);
  closeSync(descriptor);
  assert.equal((await killer.ended).code, 0, `seed ${seed}: failed before the kill: ${log.inDoubt.join()}`);
  await ended();
  await until("the folder is cleared", () => mountsBelow(path).length === 0);
  return log;
}

async function checkRecovered(varve: Varve, log: Log, seed: number): Promise<void> {
  assert.deepEqual(
    (await leftOvers(varve)).map(({ state, pid }) => ({ state, pid })),
    [{ state: "mounted", pid: null }],
  );
  const answer = await varve.ok(["recover", "--commit", "--json"]);
  const { committed } = answer.json() as { committed: { version: string } | null };
  const label = committed?.version ?? "1.0.0"; // The kill may come before the first call.
  const wrong = await asking(varve, async (workspace) => differences(await datasetAt(workspace, label), log));
  assert.deepEqual(wrong, [], `seed ${seed}`);
}
