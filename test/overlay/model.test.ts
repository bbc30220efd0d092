/**
 * Random operations on an overlay and on a real folder give the same results and errors, step by step; so do the trees
 * they leave, what a crash leaves, and what a commit would make of the changes.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Operation, operations } from "./support/operations.js";
import { Pair, successes } from "./support/pair.js";

test("an overlay does what a local folder does, also after crashes, and its changes make the same tree", async () => {
  const previous = process.umask(0);
  try {
    await fc.assert(
      fc.asyncProperty(
        fc.array(operations, { minLength: 1, maxLength: 150, size: "max" }),
        async (steps: Operation[]) => {
          const pair = new Pair();
          try {
            for (const step of steps) pair.step(step);
            pair.compareTrees();
            await pair.compareSnapshot();
          } finally {
            pair.remove();
          }
        },
      ),
      { numRuns: Number(process.env["MODEL_RUNS"] ?? 50), includeErrorInReport: true },
    );
  } finally {
    process.umask(previous);
  }
  for (const kind of [
    "create",
    "write",
    "truncate",
    "fallocate",
    "rename",
    "link",
    "unlink",
    "rmdir",
  ] as const)
    assert.ok((successes.get(kind) ?? 0) > 0, `no ${kind} succeeded, so nothing was compared`);
});
