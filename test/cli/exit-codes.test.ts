import assert from "node:assert/strict";
import { test } from "node:test";

import { exitCodeOf } from "../../src/cli/exit-codes.js";
import { DatasetError } from "../../src/errors.js";

test("each kind of failure has the exit code a script expects", () => {
  const failures = [
    new DatasetError("bad-input", { value: "" }, ""),
    new DatasetError("not-found", { what: "" }, ""),
    new DatasetError("conflict", { what: "" }, ""),
    new DatasetError("uncommitted", { overlay: "" }, ""),
    new DatasetError("remote-failed", { key: "" }, ""),
    new DatasetError("untrusted", { version: "" }, ""),
  ];
  assert.deepEqual(failures.map(exitCodeOf), [2, 3, 4, 5, 1, 6]);
});

test("anything else that was thrown is a failure", () => {
  assert.deepEqual([new Error("x"), "text", undefined].map(exitCodeOf), [1, 1, 1]);
});
