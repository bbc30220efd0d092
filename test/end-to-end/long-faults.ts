/**
 * The long mode of `faults.test.ts`: a folder of 1 GiB is copied out of a mount and new files are committed, with every
 * fault alone and with all together at 5 % of the requests each. A run that met a kind fewer than 20 times is refused.
 * As root: `node dist/test/end-to-end/long-faults.js [MiB] [KIND…]`; some ten minutes a kind, for stalls are borne as long
 * as the product bears them.
 */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { KiB, MiB } from "../../src/units.js";
import { noise } from "../content/noise.js";
import type { Fault } from "../support/faults.js";
import { detachBelow } from "../support/mounts.js";
import { shuffled } from "../support/shuffled.js";
import {
  EVERY_FAULT,
  type FaultyUser,
  checkCopies,
  copyFiles,
  rulesOf,
  unmetOf,
  userOfFaultyBucket,
} from "./support/faulty.js";
import { DATASET } from "./support/mounted.js";

const PROBABILITY = 0.05;
const SMALL_BYTES = 64 * KiB;
const LARGE_BYTES = 64 * MiB;
const NEW_FILES = 200;

const [mib = 1024, ...kinds] = process.argv
  .slice(2)
  .map((word) => (/^\d+$/.test(word) ? Number(word) : word));
const root = mkdtempSync(join(tmpdir(), "varve-faults-"));
const folder = (name: string) => join(root, name);
const ends: (() => Promise<void>)[] = [];
try {
  for (const name of ["source", "at"]) mkdirSync(folder(name));
  const names = makeFiles(Number(mib) * MiB);
  const user = await userOfFaultyBucket({ after: (end) => void ends.push(end) }, true);
  await user.varve.ok(["sync", folder("source"), DATASET]);
  const alone = EVERY_FAULT.filter(({ kind }) => kinds.length === 0 || kinds.includes(kind));
  const runs =
    kinds.length > 0 ? alone.map((fault) => [fault]) : [...alone.map((fault) => [fault]), EVERY_FAULT];
  for (const faults of runs) await run(user, faults, names);
} finally {
  detachBelow(root);
  for (const end of ends.reverse()) await end();
  rmSync(root, { recursive: true, force: true });
}

/** Half of the bytes in small files, half in large ones. */
function makeFiles(bytes: number): string[] {
  const small = Array.from({ length: bytes / 2 / SMALL_BYTES }, (_, index) => `small-${index}`);
  const large = Array.from({ length: Math.max(1, bytes / 2 / LARGE_BYTES) }, (_, index) => `large-${index}`);
  for (const name of small) writeFileSync(join(folder("source"), name), noise(name, SMALL_BYTES));
  for (const name of large) writeFileSync(join(folder("source"), name), noise(name, LARGE_BYTES));
  return [...small, ...large];
}

async function run({ server, varve }: FaultyUser, faults: readonly Fault[], names: string[]): Promise<void> {
  const what = faults.length === 1 ? JSON.stringify(faults[0]) : "all together";
  const started = performance.now();
  mkdirSync(folder("copies"));
  await varve.ok(["cache", "clear"]);
  await varve.ok(["mount", "--writable", `${DATASET}@1.0.0`, folder("at")]);
  await server.setFaults(rulesOf(faults, PROBABILITY));
  const order = shuffled(names.length).map((index) => names[index]!);
  const failed = copyFiles(folder("at"), folder("copies"), order);
  checkCopies(folder("source"), folder("copies"), order, failed);

  for (let index = 0; index < NEW_FILES; index++)
    writeFileSync(join(folder("at"), `new-${index}`), noise(`${what} ${index}`, SMALL_BYTES));
  const ended = await varve(["unmount", folder("at")]);
  const injected = await server.injected();
  await server.setFaults([]);
  if (ended.code !== 0) await recover(varve, ended.stderr);
  await checkCommit(varve, what);
  rmSync(folder("copies"), { recursive: true });
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  console.log(`${what}: ${failed.size} reads in EIO, commit ${ended.code === 0 ? "made" : "failed and recovered"}, ${seconds} s; ${JSON.stringify(injected)}`); // prettier-ignore
  assert.deepEqual(unmetOf(injected, faults), [], "refused: met fewer than 20 times");
}

/** A commit that failed said why and left all it had. */
async function recover(varve: FaultyUser["varve"], said: string): Promise<void> {
  assert.notEqual(said.trim(), "");
  await varve.ok(["recover", "--commit"]);
}

async function checkCommit(varve: FaultyUser["varve"], what: string): Promise<void> {
  const versions = (await varve.ok(["versions", DATASET, "--json"])).json() as { version: string }[];
  await varve.ok(["mount", `${DATASET}@${versions.at(-1)!.version}`, folder("at")]);
  const names = Array.from({ length: NEW_FILES }, (_, index) => `new-${index}`);
  mkdirSync(folder("new"));
  for (const [index, name] of names.entries())
    writeFileSync(join(folder("new"), name), noise(`${what} ${index}`, SMALL_BYTES));
  assert.deepEqual(copyFiles(folder("at"), folder("copies"), names), new Map());
  checkCopies(folder("new"), folder("copies"), names, new Map());
  await varve.ok(["unmount", folder("at")]);
  rmSync(folder("new"), { recursive: true });
}
