import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { inBursts } from "../../src/content/in-bursts.js";

async function* numbers(pauses: ReadonlySet<number>, end: number): AsyncGenerator<number> {
  for (let number = 0; number < end; number++) {
    if (pauses.has(number)) await sleep(20);
    yield number;
  }
}

async function listsOf<Item>(lists: AsyncIterable<Item[]>): Promise<Item[][]> {
  const all: Item[][] = [];
  for await (const list of lists) all.push(list);
  return all;
}

test("a list ends where the next item makes one wait, or with the most it may hold", async () => {
  const lists = await listsOf(inBursts(numbers(new Set([0, 3, 4]), 11), 5));
  assert.deepEqual(lists, [[0, 1, 2], [3], [4, 5, 6, 7, 8], [9, 10]]);
  assert.deepEqual(await listsOf(inBursts(numbers(new Set(), 0), 5)), []);
});

test("what came before a failure is given first", async () => {
  async function* failing(): AsyncGenerator<number> {
    yield 1;
    await sleep(20);
    throw new Error("broken");
  }
  const lists = inBursts(failing(), 5);
  assert.deepEqual((await lists.next()).value, [1]);
  await assert.rejects(lists.next(), /broken/);
});

test("who leaves early ends the items", async () => {
  let ended = false;
  async function* items(): AsyncGenerator<number> {
    try {
      for (let number = 0; ; number++) yield number;
    } finally {
      ended = true;
    }
  }
  for await (const list of inBursts(items(), 3)) {
    assert.deepEqual(list, [0, 1, 2]);
    break;
  }
  assert.equal(ended, true);
});
