import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { type Scope, atEnd } from "./cleanup.js";
import { startNode } from "./processes.js";
import { tempDir } from "./temp.js";
import { varveUser } from "./varve.js";

/** A scope whose end a test can bring about. */
function scopeWithEnd(): { scope: Scope; end: () => Promise<void> } {
  const steps: (() => Promise<void>)[] = [];
  const after = (step: () => Promise<void>) => void steps.push(step);
  const end = async () => {
    for (const step of steps) await step();
  };
  return { scope: { after }, end };
}

test("what a test made is taken away last first, all of it, and the first failure is passed on", async () => {
  const { scope, end } = scopeWithEnd();
  const order: number[] = [];
  atEnd(scope, () => void order.push(1));
  atEnd(scope, () => Promise.reject(new Error("stays")));
  atEnd(scope, () => void order.push(3));
  await assert.rejects(end(), /stays/);
  assert.deepEqual(order, [3, 1]);
});

test("a temporary folder goes with its test, and a process that writes in it goes first", async (t) => {
  const { scope, end } = scopeWithEnd();
  const folder = await tempDir(scope);
  const program = join(await tempDir(t), "writer.cjs");
  writeFileSync(
    program,
    `setInterval(() => require("fs").writeFileSync(process.argv[2] + "/" + Math.random(), ""), 1); console.log("writing")`,
  );
  const writer = startNode(scope, program, [folder]);
  await writer.saying(/writing/);
  await end();
  assert.deepEqual([existsSync(folder), (await writer.ended).signal], [false, "SIGKILL"]);
});

test("a process that ends without saying what was waited for fails the wait with what it said", async (t) => {
  const program = join(await tempDir(t), "quiet.cjs");
  writeFileSync(program, `console.error("no device"); process.exit(2)`);
  const quiet = startNode(t, program);
  await assert.rejects(quiet.saying(/mounted/), /Nothing matched \/mounted\/ .*no device/);
  assert.equal((await quiet.ended).code, 2);
});

test("each user of a test has folders of its own, whatever the environment says", async (t) => {
  const varve = await varveUser(t, { XDG_DATA_HOME: "/elsewhere" });
  const answer = await varve(["doctor", "--json"]);
  const findings = answer.json() as { name: string; found: string }[];
  assert.equal(
    findings.find(({ name }) => name === "Data folder")?.found.startsWith(`${varve.home}, `),
    true,
  );
  await assert.rejects(varve.ok(["no-such-command"]), /^Error: varve no-such-command exited with 2\n/);
});
