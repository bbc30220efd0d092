import assert from "node:assert/strict";
import { test } from "node:test";

import { type Parked, ParkedRequests } from "../../src/fs/transport/kernel/parked.js";

const [a, b] = ["a", "b"] as const;
const request = (unique: number, deadlineMs = 100): Parked => ({
  unique,
  opcode: 15,
  bytes: new Uint8Array(1),
  sinceMs: 0,
  deadlineMs,
  thread: 1,
});
const uniques = (requests: readonly Parked[]) => requests.map(({ unique }) => unique);

test("a block that several requests wait for is asked for once", () => {
  const parked = new ParkedRequests();
  assert.deepEqual(parked.park(request(1), [a, b]), [a, b]);
  assert.deepEqual(parked.park(request(2), [b]), []);
  assert.deepEqual(uniques(parked.arrived(b)), [2]);
  assert.deepEqual(uniques(parked.arrived(a)), [1]);
  assert.equal(parked.size, 0);
});

test("a block that fails ends the requests that wait for it and no others", () => {
  const parked = new ParkedRequests();
  parked.park(request(1), [a, b]);
  parked.park(request(2), [b]);
  assert.deepEqual(uniques(parked.failed(a)), [1]);
  assert.deepEqual(uniques(parked.arrived(b)), [2]);
});

test("a request that was taken out is not run when its block comes", () => {
  const parked = new ParkedRequests();
  parked.park(request(1), [a]);
  assert.equal(parked.take(1)?.unique, 1);
  assert.equal(parked.take(1), undefined);
  assert.deepEqual(parked.arrived(a), []);
});

test("a block is under way until it comes, fails, or nobody waits for it after the deadline", () => {
  const parked = new ParkedRequests();
  parked.park(request(1, 10), [a]);
  parked.park(request(2, 20), [a]);
  assert.equal(parked.nextDeadlineMs(), 10);
  assert.deepEqual(uniques(parked.expired(10)), [1]);
  assert.deepEqual(parked.park(request(3, 30), [a]), [], "request 2 still waits for it");
  assert.deepEqual(uniques(parked.expired(30)), [2, 3]);
  assert.deepEqual(parked.park(request(4, 40), [a]), [a]);
  assert.equal(parked.nextDeadlineMs(), 40);
});

test("what was given up on is not waited for again at once, but is half a second later", () => {
  const parked = new ParkedRequests();
  parked.park(request(1, 10), [a]);
  parked.expired(10);
  assert.deepEqual([parked.areGivenUp([b, a], 11), parked.areGivenUp([b], 11)], [true, false]);
  assert.equal(parked.areGivenUp([a], 600), false);
});
