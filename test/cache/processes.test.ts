import assert from "node:assert/strict";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import Database from "better-sqlite3";

import { KiB } from "../../src/units.js";
import { type Scope, atEnd } from "../support/cleanup.js";
import { memoryRemote } from "../support/memory-remote.js";
import { type TestProcess, startNode } from "../support/processes.js";
import { tempDir } from "../support/temp.js";
import { cacheOf, objectsOf } from "./blocks.js";
import { SHARED_MAX_BYTES, contentOf, sharedPack } from "./shared-pack.js";

const READER = new URL("./reading-process.js", import.meta.url).pathname;

function startReader(scope: Scope, directory: string, seed: number, rounds: number): TestProcess {
  return startNode(scope, READER, [directory, String(seed), String(rounds)]);
}

/** What a reader that came to its end found wrong, and how often the disk had what it asked for. */
async function reportOf(reader: TestProcess): Promise<{ problems: string[]; diskHits: number }> {
  const { code, stdout, stderr } = await reader.ended;
  assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
  return JSON.parse(stdout.trim().split("\n").at(-1)!) as { problems: string[]; diskHits: number };
}

test("four processes share one small cache from its first moment: right bytes, no error, and the bound holds throughout", async (t) => {
  const directory = await tempDir(t);
  const readers = [1, 2, 3, 4].map((seed) => startReader(t, directory, seed, 300));
  const watched = watchBound(t, directory, readers[0]!);
  const reports = await Promise.all(readers.map(reportOf));
  assert.deepEqual(
    reports.flatMap(({ problems }) => problems),
    [],
  );
  assert.ok(
    reports.every(({ diskHits }) => diskHits > 0),
    JSON.stringify(reports),
  );
  assert.ok((await watched) <= SHARED_MAX_BYTES);
  assert.ok(bytesBelow(directory) <= SHARED_MAX_BYTES, `${bytesBelow(directory)} bytes at the end`);
});

test("processes killed during their fills leave a cache that others go on with", async (t) => {
  const directory = await tempDir(t);
  const bystander = startReader(t, directory, 9, 600);
  for (const seed of [1, 2, 3, 4, 5]) {
    const victim = startReader(t, directory, seed, 100_000);
    await victim.saying(/round/);
    await sleep(seed * 23); // Somewhere in the middle of reading, writing aside, renaming or adding rows.
    await victim.kill();
  }
  assert.deepEqual((await reportOf(bystander)).problems, []);
  const cache = await cacheOf(t, memoryRemote(objectsOf(sharedPack)), {
    directory,
    maxBytes: SHARED_MAX_BYTES,
  });
  for (const [at, bytes] of (await cache.readMany(sharedPack.blocks)).entries())
    assert.ok(Buffer.from(contentOf(at)).equals(bytes), `block ${at}`);
  // Each victim may have left one fill that no index knows; the sweep takes it after an hour.
  const orphansBytes = 5 * (SHARED_MAX_BYTES / 8 + 32 * KiB);
  assert.ok(bytesBelow(directory) <= SHARED_MAX_BYTES + orphansBytes, `${bytesBelow(directory)} bytes`);
});

/** The most that the index ever says its files take, until `reader` ends. */
async function watchBound(scope: Scope, directory: string, reader: TestProcess): Promise<number> {
  await reader.saying(/round/);
  const db = new Database(join(directory, "index.db"), { readonly: true });
  atEnd(scope, () => void db.close());
  const taken = db.prepare<[], number>("select total(disk_bytes) from file").pluck();
  let mostBytes = 0;
  for (
    let isOver = false;
    !isOver;
    isOver = await Promise.race([reader.ended.then(() => true), sleep(5, false)])
  )
    mostBytes = Math.max(mostBytes, taken.get() ?? 0);
  return mostBytes;
}

/** What the index and the block files of a folder take. */
function bytesBelow(directory: string): number {
  const names = readdirSync(join(directory, "blocks")).map((name) => join("blocks", name));
  return ["index.db", ...names].reduce((sum, name) => sum + statSync(join(directory, name)).blocks * 512, 0);
}
