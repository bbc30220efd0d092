import assert from "node:assert/strict";
import { setTimeout } from "node:timers/promises";
import { test } from "node:test";
import { mapInOrder } from "../../src/content/in-order.js";

test("values come in the order of the items, with so many under way and no more", async () => {
  let underway = 0;
  let most = 0;
  const values: number[] = [];
  const slowest = async (item: number) => {
    most = Math.max(most, ++underway);
    await setTimeout(10 - item);
    underway -= 1;
    return item * 2;
  };
  for await (const value of mapInOrder([0, 1, 2, 3, 4, 5, 6, 7], 3, slowest)) values.push(value);
  assert.deepEqual(values, [0, 2, 4, 6, 8, 10, 12, 14]);
  assert.equal(most, 3);
});

test("after a failure what is under way is waited for", async () => {
  const ended: number[] = [];
  const failing = async (item: number) => {
    await setTimeout(item * 10);
    ended.push(item);
    if (item === 1) throw new Error("one");
    return item;
  };
  const values: number[] = [];
  await assert.rejects(async () => {
    for await (const value of mapInOrder([0, 1, 2, 3, 4, 5], 3, failing)) values.push(value);
  }, /one/);
  assert.deepEqual(values, [0]);
  assert.deepEqual(ended, [0, 1, 2, 3]);
});
