/** What a reader of a mounted version sees while blocks are far away, and when they never come. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";

import { CAN_MOUNT, type Mounted, TIMEOUT, mountSample, sh } from "./support/mounted.js";
import { sample } from "./support/samples.js";

const OPTIONS = { ...TIMEOUT, skip: !CAN_MOUNT };

async function requestsOf(mounted: Mounted): Promise<string[]> {
  mounted.tell("requests");
  const [, list] = await mounted.server.saying(/^requests (.*)$/m);
  return JSON.parse(list!) as string[];
}

test("a miss on an otherwise idle mount is answered without any other request", OPTIONS, async (t) => {
  const { path } = await mountSample(t, "everything", { latencyMs: 50 });
  await stat(path);
  await setTimeout(700); // Long enough for the worker to have gone to sleep.
  const started = performance.now();
  assert.equal(await readFile(join(path, "docs/hello.txt"), "utf8"), "hello\n");
  assert.ok(performance.now() - started < 5_000, "the answer came only when something else woke the worker");
});

test("many readers of one cold file fetch each chunk once", OPTIONS, async (t) => {
  const mounted = await mountSample(t, "everything", { latencyMs: 50 });
  const one = sh('sha256sum < "$1"', join(mounted.path, "big"));
  const sums = await Promise.all([
    one,
    ...Array.from({ length: 7 }, () => sh('sha256sum < "$1"', join(mounted.path, "big"))),
  ]);
  assert.equal(new Set(sums).size, 1);
  const reads = (await requestsOf(mounted)).filter((call) => call.startsWith("read packs/"));
  const bytes = reads
    .map((call) => /\[(\d+), (\d+)\)/.exec(call)!)
    .reduce((sum, [, from, to]) => sum + Number(to) - Number(from), 0);
  assert.equal(bytes, sample("everything").find(({ path }) => path === "big")!.content!.length);
});

test("small files read in the order of their folder cost few requests", OPTIONS, async (t) => {
  const mounted = await mountSample(t, "folder5000", { latencyMs: 5 });
  const folder = join(mounted.path, "many");
  for (const name of (await readdir(folder)).slice(0, 1_000)) await readFile(join(folder, name));
  const reads = (await requestsOf(mounted)).filter((call) => call.startsWith("read packs/"));
  assert.ok(reads.length <= 12, `1,000 files took ${reads.length} requests`);
});

test("a reader that waits for a remote and is killed ends at once", OPTIONS, async (t) => {
  const { path } = await mountSample(t, "everything", { latencyMs: 30_000, deadlineMs: 60_000 });
  const reader = spawn("cat", [join(path, "docs/hello.txt")], { stdio: "ignore" });
  await setTimeout(300);
  assert.equal(reader.exitCode, null, "the reader was to wait");
  const killed = performance.now();
  reader.kill("SIGKILL");
  await once(reader, "exit");
  assert.ok(performance.now() - killed < 5_000, "the reader outlived its SIGKILL");
});

test(
  "content that the remote has lost is EIO for its readers, and everything else goes on",
  OPTIONS,
  async (t) => {
    const { path, server } = await mountSample(t, "everything", { lose: "packs/" });
    await assert.rejects(readFile(join(path, "docs/hello.txt")), { code: "EIO" });
    assert.equal((await readdir(join(path, "docs"))).length, 9);
    assert.equal(server.child.exitCode, null);
  },
);

test("a request waits for a remote no longer than the deadline, and is then EIO", OPTIONS, async (t) => {
  const { path } = await mountSample(t, "everything", { latencyMs: 700, deadlineMs: 300 });
  await assert.rejects(readdir(path), { code: "EIO" });
});
