/** Watchers are told of each event once, whoever made it, and go on where they stopped. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { Dataset } from "../../src/dataset/dataset.js";
import { syncVersion } from "../../src/dataset/sync.js";
import { type WatchEvent, type WatchOptions, watch } from "../../src/dataset/watch.js";
import type { Workspace } from "../../src/dataset/workspace.js";
import { tempDir } from "../support/temp.js";
import { varveUser } from "../support/varve.js";
import { writeFolder } from "./support/folders.js";
import { testUser } from "./support/workspaces.js";

async function make(t: TestContext, workspace: Workspace, name: string, tags: string[] = []): Promise<void> {
  const folder = await tempDir(t);
  writeFolder(folder, { content: folder });
  await syncVersion(folder, name, { workspace, tags });
}

/** The next events, as one line each; the last of them is not done with. */
async function next(count: number, options: WatchOptions): Promise<string[]> {
  const told: string[] = [];
  const signal = AbortSignal.timeout(60_000);
  for await (const event of watch({ intervalMs: 100, signal, ...options })) {
    told.push(lineOf(event));
    if (told.length === count) break;
  }
  return told;
}

function lineOf({ kind, tag, reference }: WatchEvent): string {
  return [kind, ...(tag === undefined ? [] : [tag]), reference].join(" ");
}

test("what is done here and what another catalog does is told once, in order; what leaves before it is done with is told again", async (t) => {
  const place = await tempDir(t);
  const [mine, theirs] = [(await testUser(t, place)).open(), (await testUser(t, place)).open()];
  await make(t, mine, "p/d", ["early"]);
  const first = await Dataset.get("p/d", { workspace: theirs });
  await first.publish();
  await first.publish();
  await first.addTags(["golden", "early"]);
  await make(t, theirs, "p/d");
  await (await Dataset.get("p/d@1.0.1", { workspace: theirs })).archive();
  const watcher = { workspace: mine, as: "w", from: "start" } as const;
  const all = [
    "completed p/d@1.0.0",
    "tagged early p/d@1.0.0",
    "published p/d@1.0.0",
    "tagged golden p/d@1.0.0",
    "completed p/d@1.0.1",
    "archived p/d@1.0.1",
  ];
  assert.deepEqual((await next(6, watcher)).sort(), [...all].sort());
  const again = await next(1, watcher);
  assert.equal(again.length, 1, "the one that was not done with");
  await first.addTags("more");
  assert.deepEqual((await next(2, watcher)).at(-1), "tagged more p/d@1.0.0");
});

test("a filter passes over the rest, a failure is noted, and the watcher goes on", async (t) => {
  const workspace = (await testUser(t)).open();
  await make(t, workspace, "a/one");
  await make(t, workspace, "ab/two", ["x"]);
  await make(t, workspace, "a/b/three", ["x"]);
  const told: string[] = [];
  const stop = new AbortController();
  const filter = { project: "a", on: ["completed"], name: "e$", tag: "x" } as const;
  for await (const event of watch({ workspace, as: "w", from: "start", ...filter, signal: stop.signal })) {
    told.push(event.reference);
    event.fail("no GPU is free");
    stop.abort();
  }
  assert.deepEqual(told, ["a/b/three@1.0.0"]);
  const [failure] = await (await workspace.catalog()).watcherFailures("w");
  assert.equal(failure?.problem, "no GPU is free");
  const ended = AbortSignal.timeout(500);
  assert.deepEqual(
    await next(1, { workspace, as: "w", ...filter, signal: ended }),
    [],
    "it is not told again",
  );
});

test("two who watch under one name: the second is told that it is", async (t) => {
  const workspace = (await testUser(t)).open();
  await make(t, workspace, "p/d");
  const watcher = watch({ workspace, as: "w", from: "start" });
  assert.equal((await watcher.next()).value?.reference, "p/d@1.0.0");
  const catalog = await workspace.catalog();
  assert.equal(await catalog.advanceWatcher("w", 0, 1), true);
  await assert.rejects(watcher.next(), { code: "conflict" });
});

test("killed between an event and the end of its command, varve watch runs that one again, with its number, and no other", async (t) => {
  const varve = await varveUser(t);
  const out = join(varve.home, "../told");
  const files = join(varve.home, "../files");
  const sync = async (content: string) => {
    writeFolder(files, { content });
    await varve.ok(["sync", files, "p/d"]);
  };
  for (const content of ["1", "2"]) await sync(content);
  const script = `echo "$0 $1" >> ${out}; if [ "$1" = p/d@1.0.1 ] && [ ! -e ${out}.again ]; then touch ${out}.again; sleep 8; fi`;
  const command = [
    "--as",
    "w",
    "--from",
    "start",
    "--interval",
    "0.2",
    "--on",
    "completed",
    "--",
    "sh",
    "-c",
    script,
  ];
  const args = ["watch", ...command, "{event}", "{ref}"];
  const lines = () => (existsSync(out) ? readFileSync(out, "utf8").trim().split("\n") : []);
  const until = async (count: number) => {
    for (let times = 0; lines().length < count && times < 600; times++) await sleep(100);
    return lines();
  };
  const killed = varve.start(args);
  assert.deepEqual(await until(2), ["1 p/d@1.0.0", "2 p/d@1.0.1"]);
  const exit = once(killed.child, "exit"); // Its command lives on, and holds its output.
  killed.child.kill("SIGKILL");
  await exit;
  await sync("3");
  const going = varve.start(args);
  const all = ["1 p/d@1.0.0", "2 p/d@1.0.1", "2 p/d@1.0.1", "3 p/d@1.0.2"];
  assert.deepEqual(await until(4), all);
  await sleep(500);
  going.child.kill("SIGTERM");
  assert.equal((await going.ended).code, 0);
  assert.deepEqual(lines(), all);
});
