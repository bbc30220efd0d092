/** What is said of a mount that waits for something which does not come. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { Watchdog } from "../../src/daemon/watchdog.js";
import { RemoteActivity } from "../../src/remote/activity.js";

const DEADLINE_MS = 40;

test("requests that are stuck are told of once for each kind of object and remote, and shown with their number", async (t) => {
  const { watchdog, remote, told } = watched(t);
  const waits = ["packs/ab", "packs/cd", "roots/x"].map((key) => remote.begin(`read of "${key}" in s3://b`));
  const done = remote.begin('read of "packs/ef" in s3://b');
  remote.end(done);
  await sleep(3 * DEADLINE_MS);
  assert.deepEqual(
    watchdog.stuck.map(({ operation, waitsFor, count, endedAtMs }) => [
      operation,
      waitsFor,
      count,
      endedAtMs,
    ]),
    [
      ["read", 'read of "packs/ab" in s3://b', 2, undefined],
      ["read", 'read of "roots/x" in s3://b', 1, undefined],
    ],
  );
  assert.deepEqual(told, ['read of "packs/ab" in s3://b', 'read of "roots/x" in s3://b']);
  for (const wait of waits) remote.end(wait);
  const ended = watchdog.stuck;
  assert.ok(ended.every(({ endedAtMs, sinceMs }) => endedAtMs! >= sinceMs + DEADLINE_MS));
  assert.equal(told.length, 2);
});

test("what comes forward, if slowly, is not stuck", async (t) => {
  const { watchdog, remote } = watched(t);
  const put = remote.begin('put of "packs/ab" in s3://b');
  const commit = watchdog.watch("commit");
  for (let time = 0; time < 6; time++) {
    await sleep(DEADLINE_MS / 2);
    put.heardMs = performance.now();
    commit.at("sending content");
  }
  // A busy machine may have paused this test for longer than the deadline; then it says nothing.
  if (performance.now() - put.heardMs < DEADLINE_MS) assert.deepEqual(watchdog.stuck, []);
});

test("a step of a commit that waits for no remote is told of as the step", async (t) => {
  const { watchdog, told } = watched(t);
  const commit = watchdog.watch("commit");
  commit.at("reading the overlay");
  await sleep(3 * DEADLINE_MS);
  assert.deepEqual(
    watchdog.stuck.map(({ operation, waitsFor }) => [operation, waitsFor]),
    [["commit", "reading the overlay"]],
  );
  commit.end();
  assert.ok(watchdog.stuck[0]?.endedAtMs);
  assert.deepEqual(told, ["reading the overlay"]);
});

test("readers that gave up are counted, and told of as one", (t) => {
  const { watchdog, told } = watched(t);
  for (let reader = 0; reader < 50; reader++)
    watchdog.gaveUp("read", `read of "packs/${reader}" in s3://b`, 60_000);
  const [stuck, ...more] = watchdog.stuck;
  assert.deepEqual([stuck?.count, more, told.length], [50, [], 1]);
  assert.ok(Math.abs(Date.now() - 60_000 - stuck!.sinceMs) < 5_000);
});

function watched(t: TestContext) {
  const remote = new RemoteActivity();
  const told: unknown[] = [];
  const log = {
    warn: (_: string, facts?: Record<string, unknown>) => told.push(facts?.["waitsFor"]),
    info() {},
  };
  const watchdog = new Watchdog({ deadlineMs: DEADLINE_MS, remote, log: log });
  t.after(() => watchdog.close());
  return { watchdog, remote, told };
}
