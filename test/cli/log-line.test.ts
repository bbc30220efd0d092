import assert from "node:assert/strict";
import { test } from "node:test";

import { logLine } from "../../src/cli/log-line.js";

test("an event reads as time, level, words and facts; what is no event is shown as it is, but drives no terminal", () => {
  const event = {
    level: 40,
    time: 1_800_000_000_123,
    pid: 7,
    msg: "remote failed",
    what: "read of x",
    attempt: 2,
    key: "packs/ab",
  };
  assert.equal(
    logLine(JSON.stringify(event)),
    '2027-01-15 08:00:00.123Z WARN  remote failed  what="read of x"  attempt=2  key=packs/ab',
  );
  const failed = { level: 50, time: 0, msg: "broke", error: { message: "no such file", stack: "…" } };
  assert.equal(logLine(JSON.stringify(failed)), '1970-01-01 00:00:00.000Z ERROR broke  error="no such file"');
  for (const line of ["FATAL ERROR: out of memory", "{", '{"msg":"x"}', "[1]", "null"])
    assert.equal(logLine(line), line);
  assert.equal(logLine("\u001b[2J"), "\\u001b[2J");
});
