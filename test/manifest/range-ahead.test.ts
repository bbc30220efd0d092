import assert from "node:assert/strict";
import { test } from "node:test";

import { RangeAhead } from "../../src/manifest/range-ahead.js";

test("lone look-ups take no range along, wherever they fall", () => {
  const ahead = new RangeAhead();
  assert.deepEqual(
    [7, 3, 99, 5, 5].map((missed) => ahead.after(missed, 100)),
    [[], [], [], [], []],
  );
});

test("a walk takes along more and more of what follows, up to 16 ranges, and nothing behind the end", () => {
  const ahead = new RangeAhead();
  const taken: number[] = [];
  for (let missed = 0; missed < 100;) {
    const next = ahead.after(missed, 100);
    taken.push(next.length);
    assert.deepEqual(ahead.after(missed, 100), next, "asked again, as when the operation is run again");
    missed = (next.at(-1) ?? missed) + 1;
  }
  assert.deepEqual(taken, [0, 1, 2, 4, 8, 16, 16, 16, 16, 11]);
});

test("a walk that ends elsewhere begins anew", () => {
  const ahead = new RangeAhead();
  for (const missed of [0, 1, 3]) ahead.after(missed, 100);
  assert.deepEqual([ahead.after(50, 100), ahead.after(51, 100)], [[], [52]]);
});
