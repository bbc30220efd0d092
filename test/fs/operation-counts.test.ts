import assert from "node:assert/strict";
import { test } from "node:test";

import { DURATION_BOUNDS_MS, OperationCounts } from "../../src/fs/operation-counts.js";
import { Opcode } from "../../src/fs/transport/kernel/protocol.js";

test("who has the memory reads what another thread counts", () => {
  const worker = new OperationCounts();
  const main = new OperationCounts(worker.buffer);
  for (let time = 0; time < 16; time++) worker.end(Opcode.read, worker.begin(Opcode.read));
  worker.begin(Opcode.lookup);
  worker.failed(Opcode.lookup);
  worker.endWaiting(Opcode.lookup, performance.now() - 20);
  worker.read(4_096);
  worker.read(1);
  worker.wrote(7);
  worker.waiting(3);

  const { operations, ...others } = main.figures();
  assert.deepEqual(others, { readBytes: 4_097, writtenBytes: 7, waiting: 3 });
  const [lookup, read, ...more] = operations;
  assert.deepEqual([lookup?.opcode, lookup?.count, lookup?.failed], [Opcode.lookup, 1, 1]);
  assert.deepEqual([read?.opcode, read?.count, read?.failed, more], [Opcode.read, 16, 0, []]);
  assert.equal(sum(read!.buckets), 16, "two were timed, and count as eight each");
  assert.equal(sum(lookup!.buckets), 1);
  assert.ok(lookup!.sumMs >= 20);
  const slow = DURATION_BOUNDS_MS.findIndex((bound) => bound >= 20);
  assert.equal(sum(lookup!.buckets.slice(slow)), 1);
});

test("an operation that nobody knows is not counted, and harms nothing", () => {
  const counts = new OperationCounts();
  counts.end(4_711, counts.begin(4_711));
  counts.failed(4_711);
  counts.endWaiting(4_711, 0);
  assert.deepEqual(counts.figures(), { operations: [], readBytes: 0, writtenBytes: 0, waiting: 0 });
});

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
