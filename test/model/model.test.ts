/**
 * A writable mount does what a folder of the local disk does: random operations through the kernel, with live commits,
 * remounts and crashes among them. `long-model.ts` does the same for a night.
 */
import assert from "node:assert/strict";
import { test } from "node:test";

import type { Scope } from "../support/cleanup.js";
import { type Exit, startNode } from "../support/processes.js";
import { tempDir } from "../support/temp.js";
import type { Operation } from "./operations.js";
import { shortened } from "./shorten.js";

const MODEL = new URL("./long-model.js", import.meta.url).pathname;
const PLANTED = new URL("./dropped-chmod.js", import.meta.url).href;
const CAN_MOUNT = process.platform === "linux" && process.getuid?.() === 0;
const OPTIONS = { timeout: 300_000, skip: !CAN_MOUNT };
const OPERATIONS = process.env["MODEL_OPERATIONS"] ?? "2000";

test(
  "a mount gives what a folder gives, and commits, remounts and crashes change nothing",
  OPTIONS,
  async (t) => {
    const { code, stdout, stderr } = await modelled(t, [
      "--operations",
      OPERATIONS,
      "--shorten-seconds",
      "60",
    ]);
    t.diagnostic(`${stdout.split("\n", 1)[0]!} of ${OPERATIONS} operations`);
    assert.equal(code, 0, stdout + stderr);
  },
);

test("a bug that drops one chmod is found, and told with few operations", OPTIONS, async (t) => {
  const args = ["--unbundled", "--operations", "400", "--seed", "24", "--per-pair", "12"];
  const { code, stdout } = await modelled(t, args, { NODE_OPTIONS: `--import ${PLANTED}` });
  assert.equal(code, 1, stdout);
  const script = stdout.split("\n").filter((line) => line.startsWith("{"));
  const kinds = new Set(script.map((line) => (JSON.parse(line) as Operation).do));
  const setsMode = ["chmod", "chmodOpen"].some((kind) => kinds.has(kind as Operation["do"]));
  assert.ok(setsMode && script.length <= 8, stdout);
});

test("a failing sequence is made as short as it can be by leaving things out", async () => {
  const tried: string[] = [];
  const fails = (letters: readonly string[]): Promise<boolean> => {
    tried.push(letters.join(""));
    return Promise.resolve(/a.*k.*t/.test(letters.join("")));
  };
  const short = await shortened(Array.from("abcdefghijklmnopqrstuvwxyz"), fails);
  assert.deepEqual(short, ["a", "k", "t"]);
  assert.ok(tried.length < 60, `${tried.length} tries`);
});

/** The mounts it makes lie below a folder of the test, which takes away what is left of them. */
async function modelled(scope: Scope, args: string[], env: Record<string, string> = {}): Promise<Exit> {
  const TMPDIR = await tempDir(scope);
  return startNode(scope, MODEL, args, { env: { ...process.env, TMPDIR, ...env } }).ended;
}
