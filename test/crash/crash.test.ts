/**
 * Operations whose writes fail, and whose process is killed at them: a few of all the points there are, others each day.
 * `long-crash.ts` tries them all.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { CAN_MOUNT } from "../end-to-end/support/mounted.js";
import type { Scope } from "../support/cleanup.js";
import { startNode } from "../support/processes.js";
import { tempDir } from "../support/temp.js";
import { CARELESS } from "./careless-operations.js";
import { type Report, enumerate } from "./enumerate.js";
import { buildTools } from "./injection.js";
import { OPERATIONS } from "./operations.js";

const OPTIONS = { timeout: 300_000, skip: !CAN_MOUNT };
const SAMPLE = 2;
const DAY_MS = 24 * 60 * 60 * 1_000;
const SEED = Number(process.env["VARVE_TEST_SEED"] ?? Math.floor(Date.now() / DAY_MS));

const tools = buildTools();
after(async () => (await tools).remove());

for (const name of Object.keys(OPERATIONS))
  test(`${name}: a write that fails, or a kill at it, costs no byte (seed ${SEED})`, OPTIONS, async (t) => {
    const { points, failures, unreached } = await tried(t, name, { sample: SAMPLE, seed: SEED });
    t.diagnostic(`${SAMPLE} runs of all at ${points.length} points`);
    assert.deepEqual([failures, unreached], [[], []]);
    assert.ok(points.length >= 10);
  });

test("an operation that takes a pack away before it writes it anew is found out", OPTIONS, async (t) => {
  const { failures, unreached } = await tried(t, "repack");
  const found = failures.map(({ point, how, problem }) => `${how} ${point.split("\t")[0]!} ${problem}`);
  assert.ok(
    found.some((line) => /^after unlink .*packs\/.* is missing/.test(line)),
    found.join("\n"),
  );
  assert.deepEqual(unreached, []);
});

test("what was to happen at a point that no run comes to is told", OPTIONS, async (t) => {
  const { points, unreached } = await tried(t, "fickle");
  assert.equal(points.length, 1);
  assert.deepEqual(
    unreached.map(({ how }) => how),
    ["fail", "full", "before", "after"],
  );
});

test("recorded files outlive kills of the mount that they were written to", OPTIONS, async (t) => {
  const program = new URL("./long-kill.js", import.meta.url).pathname;
  const env = { ...process.env, TMPDIR: await tempDir(t) };
  const { code, stdout, stderr } = await startNode(t, program, ["--kills", "4"], { env }).ended;
  assert.equal(code, 0, stdout + stderr);
  assert.match(stdout, /4 kills, \d+ files recorded, 0 lost/);
});

async function tried(
  t: Scope,
  name: string,
  options: { sample?: number; seed?: number } = {},
): Promise<Report> {
  const operations = { ...OPERATIONS, ...CARELESS };
  return enumerate(name, { scratch: await tempDir(t), tools: await tools, ...options }, operations);
}
