import assert from "node:assert/strict";
import { test } from "node:test";

import type { LocalBlocks } from "../../src/cache/block.js";
import type { Sha256 } from "../../src/content/chunk.js";
import { rangeLoader } from "../../src/fs/range-loader.js";
import type { RangeRef } from "../../src/manifest/range-ref.js";
import { MemoryRanges, directory, file } from "../manifest/support.js";

test("a loader keeps the ranges used last, up to its bound, and reads the others again", async () => {
  const ranges = new MemoryRanges();
  const names = Array.from({ length: 12_000 }, (_, number) =>
    file(`d/${String(number).padStart(5, "0")}`, "x"),
  );
  const { root } = await ranges.build([directory(""), directory("d"), ...names]);
  const [a, b, c] = [0, 1, 2].map((number) => root.rangeAt(number)) as [RangeRef, RangeRef, RangeRef];
  const reads: Sha256[] = [];
  const get = (hash: Sha256) => {
    reads.push(hash);
    return ranges.puts.find(({ object }) => object === hash)?.bytes;
  };
  const load = rangeLoader({ get } as LocalBlocks, a.objectBytes + Math.max(b.objectBytes, c.objectBytes));
  for (const ref of [a, b, a, b, a, c, a, b]) load(ref);
  assert.deepEqual(
    reads,
    [a, b, c, b].map(({ object }) => object),
  );
});
