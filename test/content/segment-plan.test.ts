import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { RemoteId, Sha256 } from "../../src/content/chunk.js";
import { sha256 } from "../../src/content/hash.js";
import { MAX_MERGED_CHUNKS, planSegments } from "../../src/content/segment-plan.js";
import type { SegmentRef } from "../../src/content/segment.js";

const REMOTE = "0".repeat(32) as RemoteId;
let made = 0;

test("1,000 equal commits leave at most 10 segments, and rewrite each chunk at most 10 times", () => {
  let segments: SegmentRef[] = [];
  let rewritten = 0;
  for (let commit = 0; commit < 1000; commit++) {
    const { keep, merge } = planSegments(segments, 10);
    rewritten += countOf(merge);
    segments = [...keep, segmentOf(10 + countOf(merge))];
    assert.ok(segments.length <= 10, `${segments.length} segments after ${commit + 1} commits`);
  }
  assert.equal(countOf(segments), 10_000);
  assert.ok(rewritten <= 10 * 10_000, `${rewritten} chunks rewritten`);
});

test("whatever the commits, segments stay few and nothing is lost", () => {
  const commits = fc.array(
    fc.oneof(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 2_000_000 })),
    {
      maxLength: 200,
    },
  );
  const property = fc.property(commits, (counts) => {
    let segments: SegmentRef[] = [];
    for (const count of counts) {
      const { keep, merge } = planSegments(segments, count);
      assert.equal(countOf(keep) + countOf(merge), countOf(segments));
      segments = [...keep, segmentOf(count + countOf(merge))];
    }
    const total = countOf(segments);
    const bound = Math.log2(total + 2) + (3 * total) / MAX_MERGED_CHUNKS + 1;
    assert.ok(segments.length <= bound, `${segments.length} segments of ${total} chunks, at most ${bound}`);
  });
  fc.assert(property, { numRuns: 300 });
});

test("a segment that two parents name counts once, and no new chunks change nothing", () => {
  const [large, small] = [segmentOf(100), segmentOf(5)];
  assert.deepEqual(planSegments([small, large, small], 0), { keep: [large, small], merge: [] });
  assert.deepEqual(planSegments([small, large, small], 3), { keep: [large], merge: [small] });
});

test("one commit never rewrites more than the largest segment", () => {
  const full = segmentOf(MAX_MERGED_CHUNKS - 1);
  assert.deepEqual(planSegments([full], MAX_MERGED_CHUNKS), { keep: [full], merge: [] });
});

function segmentOf(chunkCount: number): SegmentRef {
  const id: Sha256 = sha256(Buffer.from(`segment ${made++}`));
  return { remote: REMOTE, id, headerHash: id, headerBytes: 1, sizeBytes: 1, chunkCount };
}

function countOf(segments: readonly SegmentRef[]): number {
  return segments.reduce((sum, { chunkCount }) => sum + chunkCount, 0);
}
