import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import type { Block } from "../../src/cache/block.js";
import { GAP_BYTES, REQUEST_BYTES, planRequests } from "../../src/cache/requests.js";
import { Codec, type RemoteId, type Sha256 } from "../../src/content/chunk.js";
import { KiB, MiB } from "../../src/units.js";

function blockAt(offset: number, storedBytes: number, key = "packs/ab", remote = "a"): Block {
  const hash = `${remote}:${key}:${offset}` as Sha256;
  return {
    hash,
    sizeBytes: storedBytes,
    remote: remote as RemoteId,
    key,
    offset,
    storedBytes,
    codec: Codec.raw,
  };
}

function rangesOf(blocks: readonly Block[]): string[] {
  return planRequests(blocks).map(
    ({ key, start, end, blocks }) => `${key} [${start}, ${end}) ${blocks.length}`,
  );
}

test("blocks that lie side by side go in one request, in whatever order they are asked for", () => {
  assert.deepEqual(rangesOf([blockAt(200, 50), blockAt(0, 100), blockAt(100, 100)]), ["packs/ab [0, 250) 3"]);
});

test("a gap of 64 KiB is bridged, one byte more is not", () => {
  assert.deepEqual(rangesOf([blockAt(0, 10), blockAt(10 + 64 * KiB, 10)]), [
    `packs/ab [0, ${64 * KiB + 20}) 2`,
  ]);
  const far = 11 + 64 * KiB;
  assert.deepEqual(rangesOf([blockAt(0, 10), blockAt(far, 10)]), [
    "packs/ab [0, 10) 1",
    `packs/ab [${far}, ${far + 10}) 1`,
  ]);
});

test("blocks of two objects, and of two remotes, go in requests of their own", () => {
  const blocks = [blockAt(0, 10, "packs/b"), blockAt(0, 10, "packs/a"), blockAt(10, 10, "packs/a", "b")];
  assert.deepEqual(rangesOf(blocks), ["packs/a [0, 10) 1", "packs/b [0, 10) 1", "packs/a [10, 20) 1"]);
});

test("a run of 2 MiB blocks is cut into requests of 4 MiB", () => {
  const blocks = [0, 1, 2, 3, 4].map((at) => blockAt(at * 2 * MiB, 2 * MiB));
  assert.deepEqual(
    planRequests(blocks).map(({ end, start }) => (end - start) / MiB),
    [4, 4, 2],
  );
});

test("what nobody waits for shares a wanted neighbour's request up to 512 KiB, else has requests of its own", () => {
  const along = [0, 2, 3, 4].map((at) => blockAt(at * 200 * KiB, 200 * KiB));
  const planned = planRequests([blockAt(200 * KiB, 200 * KiB)], along);
  assert.deepEqual(
    planned.map(({ start, end, isWanted }) => [start / KiB, end / KiB, isWanted]),
    [
      [0, 400, true],
      [400, 1000, false],
    ],
  );
});

test("every block is in exactly one request that covers it, and no request could have taken the next block", () => {
  const blocks = fc
    .uniqueArray(fc.nat(8 * MiB), { maxLength: 60 })
    .chain((offsets) =>
      fc
        .array(fc.integer({ min: 1, max: MiB }), { minLength: offsets.length, maxLength: offsets.length })
        .map((sizes) => offsets.map((offset, at) => blockAt(offset, sizes[at]!))),
    );
  fc.assert(
    fc.property(blocks, (asked) => {
      const requests = planRequests(asked);
      const given = requests.flatMap(({ blocks }) => blocks.map(({ hash }) => hash));
      assert.deepEqual(given.sort(), asked.map(({ hash }) => hash).sort());
      for (const { start, end, blocks } of requests) {
        assert.equal(start, Math.min(...blocks.map(({ offset }) => offset)));
        assert.equal(end, Math.max(...blocks.map(({ offset, storedBytes }) => offset + storedBytes)));
        assert.ok(blocks.length === 1 || end - start <= REQUEST_BYTES);
      }
      for (const [at, next] of requests.slice(1).entries()) {
        const { start, end } = requests[at]!;
        const joined = Math.max(end, next.start + next.blocks[0]!.storedBytes) - start;
        assert.ok(next.start - end > GAP_BYTES || joined > REQUEST_BYTES);
      }
    }),
  );
});
