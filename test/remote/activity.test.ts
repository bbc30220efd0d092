/** What a process knows of its own requests, for logs, metrics and the watchdog. */
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";

import { DatasetError } from "../../src/errors.js";
import { remoteActivity } from "../../src/remote/activity.js";
import type { Remote } from "../../src/remote/remote.js";
import { withRetry } from "../../src/remote/with-retry.js";
import { memoryRemote } from "../support/memory-remote.js";
import { failure } from "./suite.js";

const HASTE = { baseDelayMs: 1, deadlineMs: 50 };

afterEach(() => {
  remoteActivity.onFault = undefined;
  assert.deepEqual([...remoteActivity.underWay], []);
});

test("calls are counted by kind and outcome, and what is absent is no fault", async () => {
  const remote = withRetry(memoryRemote({ a: "hello" }));
  const counted = await countsOf(async () => {
    await remote.read("a", 0, 5);
    await remote.put("b", new Uint8Array(3));
    await remote.stat("b");
    await assert.rejects(remote.readWhole("c"), failure("object-missing"));
    await assert.rejects(remote.create("a", new Uint8Array(1)), failure("object-exists"));
    const listing = remote.list("")[Symbol.asyncIterator]();
    await listing.next();
    await listing.return?.();
    await remote.delete("a");
  });
  assert.deepEqual(counted, {
    "create absent": 1,
    "delete done": 1,
    "listing done": 1,
    "look-up done": 1,
    "put done": 1,
    "read absent": 1,
    "read done": 1,
  });
});

test("each attempt that fails is told of, with what was asked and without what may be secret", async () => {
  const told: unknown[] = [];
  remoteActivity.onFault = (fault) => told.push(fault);
  const remote = withRetry(failingReads("https://store/x?signature=key is broken"), {
    ...HASTE,
    attempts: 2,
  });
  const retries = remoteActivity.retries;
  const counted = await countsOf(() => assert.rejects(remote.read("a", 0, 5), failure("remote-failed")));
  const what = `read of "a" in ${remote.url}`;
  const problem = "Cannot read https://store/x is broken";
  assert.deepEqual(told, [
    { what, attempt: 1, again: true, problem },
    { what, attempt: 2, again: false, problem },
  ]);
  assert.deepEqual([counted, remoteActivity.retries - retries], [{ "read failed": 1 }, 1]);
});

test("a call that is under way says what it asks and how long nothing came; given up, it is a fault", async () => {
  const told: string[] = [];
  remoteActivity.onFault = ({ problem }) => told.push(problem);
  const remote = withRetry({ ...memoryRemote(), readWhole: () => new Promise(() => {}) }, HASTE);
  const reading = assert.rejects(remote.readWhole("a"), failure("deadline"));
  const [request] = remoteActivity.underWay;
  assert.deepEqual(
    [request?.kind, request?.what, request?.attempts],
    ["read", `read of "a" in ${remote.url}`, 1],
  );
  assert.ok(performance.now() - (request?.heardMs ?? 0) < 1_000);
  await reading;
  assert.equal(told.length, 1);
});

function failingReads(problem: string): Remote {
  const fail = () =>
    Promise.reject(new DatasetError("remote-failed", { key: "a" }, `Cannot read ${problem}`));
  return { ...memoryRemote(), read: fail };
}

/** What was added to the counts meanwhile. */
async function countsOf(work: () => Promise<void>): Promise<Record<string, number>> {
  const before = new Map(remoteActivity.ended);
  await work();
  const added = [...remoteActivity.ended].map(
    ([name, count]) => [name, count - (before.get(name) ?? 0)] as const,
  );
  return Object.fromEntries(added.filter(([, count]) => count > 0).sort(([a], [b]) => (a < b ? -1 : 1)));
}
