import assert from "node:assert/strict";
import { test } from "node:test";

import { ratesOf } from "../../src/cli/rates.js";
import type { MountFigures } from "../../src/daemon/figures.js";

const first: MountFigures = {
  ...{ atMs: 11_000, startedAtMs: 1_000, readBytes: 5_000, writtenBytes: 0, waiting: 0, writers: 0 },
  operations: { read: { count: 100, failed: 0, buckets: [], sumMs: 0 } },
  ...{ waitsFor: [], stuck: [], overlay: null },
  cache: {
    hits: { memory: 30, disk: 10 },
    ...{ misses: 10, fetchedBytes: 0, requests: 0, aheadBlocks: 0, usedAheadBlocks: 0, memoryBytes: 0 },
    disk: { files: 0, blocks: 0, bytes: 0, maxBytes: 0 },
    faults: { damaged: 0, wrong: 0 },
  },
  remote: { calls: { "read done": 20 }, underWay: 3, retries: 0, faults: {} },
  process: { residentBytes: 9, heapBytes: 0, externalBytes: 0, descriptors: 0, threads: 0, cpuSeconds: 0 },
};

test("the first look gives averages since the mount began, the next what was done between them", () => {
  const { operationsPerSecond, readBytesPerSecond, cacheHitPercent, remoteRequestsPerSecond } =
    ratesOf(first);
  assert.deepEqual(
    [operationsPerSecond, readBytesPerSecond, cacheHitPercent, remoteRequestsPerSecond],
    [10, 500, 80, 2],
  );
  const next = { ...first, atMs: 13_000, readBytes: 9_000, waiting: 2, overlay: { files: 1, bytes: 7 } };
  assert.deepEqual(ratesOf(next, first), {
    operationsPerSecond: 0,
    readBytesPerSecond: 2_000,
    writtenBytesPerSecond: 0,
    cacheHitPercent: null,
    remoteRequestsPerSecond: 0,
    requestsWaiting: 2,
    remoteRequestsUnderWay: 3,
    overlayBytes: 7,
    residentBytes: 9,
    stuck: 0,
  });
});
