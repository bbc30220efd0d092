/** How content is stored as asked for, and what is told of it on the way. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { Codec } from "../../src/content/chunk.js";
import { storeContent } from "../../src/content/store.js";
import { KiB, MiB } from "../../src/units.js";
import { memoryRemote } from "../support/memory-remote.js";
import { noise } from "./noise.js";
import { assertHolds, optionsFor, store, written } from "./storing.js";

test("packs too small for a chunk, or too large for memory, are refused", async () => {
  for (const packBytes of [1 * MiB, 257 * MiB])
    await assert.rejects(store([], { remote: memoryRemote(), packBytes }), { code: "bad-input" });
});

test("without compression text is stored as it is", async (scope) => {
  const remote = memoryRemote();
  const text = Buffer.alloc(600 * KiB, "a line of some log, and another one\n");
  const [stored] = await store(await written(scope, [text]), { remote, compression: "none" });
  assert.equal(stored!.chunks[0]!.codec, Codec.raw);
  assertHolds(remote, stored!, text);
});

test("progress of a large file is told while it is on its way, and counts it once", async (scope) => {
  const sizeBytes = 40 * MiB;
  const seen: number[] = [];
  const onProgress = ({ bytes }: { bytes: number }) => void seen.push(bytes);
  await store(await written(scope, [noise("large", sizeBytes)]), { remote: memoryRemote(), onProgress });
  assert.ok(seen.some((bytes) => bytes > 0 && bytes < sizeBytes));
  const sorted = seen.toSorted((a, b) => a - b);
  assert.deepEqual(seen, sorted);
  assert.equal(seen.at(-1), sizeBytes);
});

test(
  "files are told as stored as soon as they are, while other packs still wait",
  { timeout: 300_000 },
  async (scope) => {
    const contents = [...Array(30).keys()].map((index) => noise(`soon ${index}`, 300 * KiB));
    const remote = memoryRemote();
    let letGo = (): void => undefined;
    const held = new Promise<void>((resolve) => (letGo = resolve));
    let puts = 0;
    const slow = {
      ...remote,
      put: async (...args: Parameters<typeof remote.put>) => {
        if (++puts > 3) await held;
        await remote.put(...args);
      },
    };
    const stored: number[] = [];
    const sources = await written(scope, contents);
    for await (const { id } of storeContent(sources, optionsFor(slow, { packBytes: 2 * MiB })))
      if (stored.push(id) === 18) letGo(); // six in each of the first three packs
    assert.equal(stored.length, 30);
  },
);
