import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { DatasetError, isDatasetError } from "../src/errors.js";
import { logLevelOf, openLog } from "../src/log.js";
import { tempDir } from "./support/temp.js";

function linesOf(path: string): Record<string, unknown>[] {
  const lines = readFileSync(path, "utf8").trimEnd().split("\n");
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

test("an event is one line with its facts, and those below the level are left out", async (t) => {
  const path = join(await tempDir(t), "logs", "mount.log");
  const log = openLog(path, "info");
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
  const log = openLog(path, "info");
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
    const log = openLog(path, "info");
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
  const log = openLog("/dev/full", "info");
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
