import assert from "node:assert/strict";
import { closeSync, openSync, readFileSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { DatasetError, isDatasetError } from "../src/errors.js";
import { earlierLog, logLevelOf } from "../src/log-format.js";
import { openLog } from "../src/log.js";
import { tempDir } from "./support/temp.js";

function linesOf(path: string): Record<string, unknown>[] {
  const lines = readFileSync(path, "utf8").trimEnd().split("\n");
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

test("an event is one line with its facts, and those below the level are left out", async (t) => {
  const path = join(await tempDir(t), "logs", "mount.log");
  const log = openLog(path, { level: "info" });
  log.debug("range read", { range: "ab" });
  log.info("chunk evicted", { chunk: "cd", bytes: 12 });
  log.close();
  const [line, ...others] = linesOf(path);
  assert.deepEqual(
    [line?.["msg"], line?.["chunk"], line?.["bytes"], others],
    ["chunk evicted", "cd", 12, []],
  );
});

test("an error among the facts keeps its code, its data and the message of its cause", async (t) => {
  const path = join(await tempDir(t), "mount.log");
  const log = openLog(path, { level: "info" });
  const cause = new Error("socket hang up");
  log.error("fetch failed", {
    error: new DatasetError("remote-failed", { key: "packs/ab" }, "Cannot read", { cause }),
  });
  log.close();
  const error = linesOf(path)[0]?.["error"] as { code: string; data: unknown; cause: { message: string } };
  assert.deepEqual(
    [error.code, error.data, error.cause.message],
    ["remote-failed", { key: "packs/ab" }, "socket hang up"],
  );
});

test("a log is appended to, readable by its user alone, and closed twice as once", async (t) => {
  const path = join(await tempDir(t), "mount.log");
  for (const event of ["mounted", "unmounted"]) {
    const log = openLog(path, { level: "info" });
    log.info(event);
    log.close();
    log.close();
  }
  assert.deepEqual(
    linesOf(path).map(({ msg }) => msg),
    ["mounted", "unmounted"],
  );
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test("a full disk loses lines, and neither throws nor waits", () => {
  const log = openLog("/dev/full", { level: "info" });
  log.info("mounted");
  log.close();
  log.info("unmounted");
});

test("VARVE_LOG_LEVEL sets the level, info unless it is set, and an unknown one is refused", () => {
  assert.deepEqual([logLevelOf({}), logLevelOf({ VARVE_LOG_LEVEL: "debug" })], ["info", "debug"]);
  assert.throws(
    () => logLevelOf({ VARVE_LOG_LEVEL: "loud" }),
    (error) => isDatasetError(error, "bad-input") && error.data.value === "loud",
  );
});

test("a log never takes more than twice its bound, and keeps the last events across that", async (t) => {
  const path = join(await tempDir(t), "mount.log");
  const log = openLog(path, { level: "info", maxBytes: 4_000 });
  for (let number = 0; number < 200; number++) log.info("event", { number });
  log.close();
  const kept = [...linesOf(earlierLog(path)), ...linesOf(path)].map(({ number }) => number);
  assert.deepEqual(
    kept,
    Array.from({ length: kept.length }, (_, at) => 200 - kept.length + at),
  );
  assert.ok(kept.length > 40 && kept.length < 120, `${kept.length} events kept`);
  for (const each of [path, earlierLog(path)]) {
    const { size, mode } = statSync(each);
    assert.ok(size < 4_200, `${size} bytes`);
    assert.equal(mode & 0o777, 0o600);
  }
});

test("what another descriptor appends to a log goes on standing in it after it has begun anew", async (t) => {
  const path = join(await tempDir(t), "mount.log");
  const log = openLog(path, { level: "info", maxBytes: 1_000 });
  const crash = openSync(path, "a");
  for (let number = 0; number < 30; number++) log.info("event", { number });
  writeSync(crash, "FATAL ERROR: out of memory\n");
  closeSync(crash);
  log.close();
  assert.match(readFileSync(path, "utf8"), /^\{.*\nFATAL ERROR: out of memory\n$/s);
});
