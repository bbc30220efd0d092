/** A bucket that does everything wrong, or is away: right bytes or a clear error, never wrong bytes, never a hang. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { Dataset } from "../../src/dataset/dataset.js";
import { findVersion, versionsOf } from "../../src/dataset/history.js";
import { syncVersion } from "../../src/dataset/sync.js";
import type { Workspace } from "../../src/dataset/workspace.js";
import { DatasetError } from "../../src/errors.js";
import { noise } from "../content/noise.js";
import { textIn, writeFolder } from "../dataset/support/folders.js";
import { testUser } from "../dataset/support/workspaces.js";
import type { FaultRule } from "../support/faults.js";
import { startProcess } from "../support/processes.js";
import { s3ServerProcess, useAccount } from "../support/s3.js";
import { shuffled } from "../support/shuffled.js";
import { tempDir } from "../support/temp.js";
import {
  EVERY_FAULT,
  REMOTE,
  checkCopies,
  copyFiles,
  rulesOf,
  unmetOf,
  userOfFaultyBucket,
} from "./support/faulty.js";
import "./support/impatient-s3.js";
import { DATASET, MOUNTED, until } from "./support/mounted.js";

const FILES = 6_000;
/** So few of them that nothing is fetched ahead of their readers: a request each. */
const READ = 480;

async function folders<Name extends string>(t: TestContext, ...names: Name[]): Promise<Record<Name, string>> {
  const root = await tempDir(t);
  const made = names.map((name) => [name, join(root, name)] as const);
  for (const [, path] of made) mkdirSync(path);
  return Object.fromEntries(made) as Record<Name, string>;
}

test(
  "with every fault a bucket can have, copies hold the right bytes or end in EIO, and the mount lives on",
  MOUNTED,
  async (t) => {
    const { server, varve } = await userOfFaultyBucket(t);
    const { source, at, copies, again } = await folders(t, "source", "at", "copies", "again");
    const names = Array.from({ length: FILES }, (_, index) => `f${index}`);
    writeFolder(source, Object.fromEntries(names.map((name) => [name, noise(name, 4_096)])));
    writeFileSync(join(source, "large"), noise("large", 20_000_000));
    await varve.ok(["sync", source, DATASET]);
    await varve.ok(["cache", "clear"]);
    await varve.ok(["mount", DATASET, at]);

    await server.setFaults(rulesOf(EVERY_FAULT, 0.055));
    const read = [
      "large",
      ...shuffled(FILES)
        .slice(0, READ)
        .map((index) => names[index]!),
    ];
    const failed = copyFiles(at, copies, read);
    checkCopies(source, copies, read, failed);
    const injected = await server.injected();
    t.diagnostic(`${failed.size} reads ended in EIO; ${JSON.stringify(injected)}`);
    assert.deepEqual(unmetOf(injected, EVERY_FAULT), []);

    await server.setFaults([]);
    assert.deepEqual(copyFiles(at, again, read), new Map());
    checkCopies(source, again, read, new Map());
    await varve.ok(["unmount", at]);
  },
);

test("with every fault a bucket can have, a commit makes its version or ends in a clear error, and no version lacks a byte", async (t) => {
  const server = await s3ServerProcess(t);
  useAccount(server);
  const url = `${REMOTE}?endpoint=${encodeURIComponent(server.endpoint)}`;
  const { source } = await folders(t, "source");
  const datasets = ["a", "b", "c", "d"].map((name) => `lab/${name}`);
  const workspace = (await testUser(t)).open();
  await workspace.openRemote(url); // What is made once is not what this test is about.
  await server.setFaults(rulesOf(EVERY_FAULT, 0.06));
  const isEnough = async () => unmetOf(await server.injected(), EVERY_FAULT).length === 0;
  const ended = await Promise.all(
    datasets.map((name) => commitUntil(isEnough, { workspace, name, url, folder: join(source, name) })),
  );
  t.diagnostic(`${ended.flat().join("; ") || "none failed"}; ${JSON.stringify(await server.injected())}`);
  assert.deepEqual(unmetOf(await server.injected(), EVERY_FAULT), []);
  await workspace.close();

  await server.setFaults([]);
  const reader = (await testUser(t)).open();
  for (const name of datasets) await checkVersions(reader, name, url);
});

const MOST_COMMITS = 100;

interface Committer {
  workspace: Workspace;
  name: string;
  url: string;
  folder: string;
}

/** Commits one state of a folder after another; gives what those said that failed. */
async function commitUntil(isEnough: () => Promise<boolean>, committer: Committer): Promise<string[]> {
  const { workspace, name, url, folder } = committer;
  const failures: string[] = [];
  for (let state = 0; state < MOST_COMMITS && !(await isEnough()); state++) {
    writeFolder(folder, { state: String(state), content: noise(`${name} ${state}`, 100_000) });
    await syncVersion(folder, name, { workspace, remote: url }).catch((error: unknown) => {
      assert.ok(error instanceof DatasetError, String(error));
      failures.push(error.message);
    });
  }
  return failures;
}

/** Each version holds a state as a whole, read by somebody who has nothing but the bucket. */
async function checkVersions(workspace: Workspace, name: string, url: string): Promise<void> {
  await workspace.openRemote(url);
  const { dataset } = await findVersion(workspace, name);
  const versions = await versionsOf(workspace, dataset);
  assert.ok(versions.length > 0);
  for (const { label } of versions) {
    const version = await Dataset.get(`${name}@${label}`, { workspace });
    const content: Uint8Array[] = [];
    for await (const bytes of version.readFile("content")) content.push(bytes);
    const wanted = noise(`${name} ${await textIn(version, "state")}`, 100_000);
    assert.ok(Buffer.concat(content).equals(wanted), `${name}@${label}`);
  }
}

test("a bucket that is away in the middle of a copy is waited for until it is back", MOUNTED, async (t) => {
  const { server, copyOf, copying } = await copyOfLarge(t, 60);
  await server.setFaults([AWAY]);
  await sleep(3_000);
  assert.equal(copying.child.exitCode, null);
  await server.setFaults([]);
  assert.deepEqual(await copying.ended, { code: 0, signal: null, stdout: "", stderr: "" });
  assert.ok(readFileSync(copyOf).equals(LARGE));
});

test(
  "a bucket that stays away ends a copy in EIO at the deadline, and the mount lives on",
  MOUNTED,
  async (t) => {
    const { server, copyOf, copying, file } = await copyOfLarge(t, 2);
    await server.setFaults([AWAY]);
    const { code, stderr } = await copying.ended;
    assert.match(stderr, /Input\/output error/);
    assert.equal(code, 1);
    await server.setFaults([]);
    await until("it can be copied again", async () => {
      const { code } = await startProcess(t, "cp", [file, copyOf]).ended;
      return code === 0;
    });
    assert.ok(readFileSync(copyOf).equals(LARGE));
  },
);

const LARGE = noise("large", 48_000_000);
const AWAY: FaultRule = { fault: { kind: "reset", when: "before" } };
const SLOWLY: FaultRule = { fault: { kind: "bandwidth", bytesPerSecond: 8_000_000 } };

/** A copy of a large file over a slow link that has come some way. */
async function copyOfLarge(t: TestContext, deadlineSec: number) {
  const { server, varve } = await userOfFaultyBucket(t, true);
  const { source, at, copies } = await folders(t, "source", "at", "copies");
  writeFileSync(join(source, "large"), LARGE);
  await varve.ok(["sync", source, DATASET]);
  await varve.ok(["mount", DATASET, at, "--deadline", String(deadlineSec)]);
  await server.setFaults([SLOWLY]);
  const [file, copyOf] = [join(at, "large"), join(copies, "large")];
  const copying = startProcess(t, "cp", [file, copyOf]);
  await until("some of it is copied", () => existsSync(copyOf) && statSync(copyOf).size > 0);
  return { server, file, copyOf, copying };
}
