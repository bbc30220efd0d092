/** What tests of mounts share: a user of the built command line with a dataset `lab/data`, its mounts, its versions. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";

import { readMountState } from "../../../src/daemon/mount-state.js";
import { isAlive } from "../../../src/daemon/process.js";
import { Dataset } from "../../../src/dataset/dataset.js";
import { findVersion, versionsOf } from "../../../src/dataset/history.js";
import { type Recoverable, recoverable } from "../../../src/dataset/recover.js";
import { Workspace } from "../../../src/dataset/workspace.js";
import { EntryType } from "../../../src/manifest/entry.js";
import { type Contents, textIn, writeFolder } from "../../dataset/support/folders.js";
import type { Scope } from "../../support/cleanup.js";
import { tempDir } from "../../support/temp.js";
import { type Varve, varveUser } from "../../support/varve.js";

/** Mounting as root needs nothing but the device. */
export const CAN_MOUNT = process.platform === "linux" && process.getuid?.() === 0;

/** A test that hangs must fail, not wait. */
export const MOUNTED = { timeout: 300_000, skip: !CAN_MOUNT };

export const DATASET = "lab/data";

export interface LiveMount {
  path: string;
  /** The process that serves it. */
  pid: number;
  /** Resolves once that process has ended, however long its commit takes. */
  ended: () => Promise<void>;
}

/** A user whose `lab/data@1.0.0` holds these files. */
export async function userWith(
  scope: Scope,
  contents: Contents,
  env: Readonly<Record<string, string>> = {},
): Promise<Varve> {
  const varve = await varveUser(scope, env);
  const source = await tempDir(scope);
  writeFolder(source, contents);
  await varve.ok(["sync", source, DATASET]);
  return varve;
}

/** Mounts the latest version, writable, on a new folder. */
export async function mountWritable(scope: Scope, varve: Varve): Promise<LiveMount> {
  const path = await tempDir(scope);
  await varve.ok(["mount", "--writable", DATASET, path]);
  return liveMount(varve, path);
}

/** The mount at a folder, as its process has written it down. */
export function liveMount(varve: Varve, path: string): LiveMount {
  const state = readMountState(varve.places, path);
  assert.ok(state, `nothing is mounted at ${path}`);
  return {
    path,
    pid: state.pid,
    ended: () => until(`process ${state.pid} has ended`, () => !isAlive(state)),
  };
}

// What there is afterwards is asked of the SDK: starting the command line takes half a second.

/** Labels of the versions of `lab/data`, all of which must be finished. */
export function labelsOf(varve: Varve): Promise<string[]> {
  return asking(varve, async (workspace) => {
    const { dataset } = await findVersion(workspace, DATASET);
    const versions = await versionsOf(workspace, dataset);
    assert.deepEqual(
      versions.filter(({ state }) => state !== "completed"),
      [],
    );
    return versions.map(({ label }) => label);
  });
}

/** Path to text of every file of a version. */
export function filesOf(varve: Varve, label: string): Promise<Record<string, string>> {
  return asking(varve, async (workspace) => {
    const dataset = await datasetAt(workspace, label);
    const files: Record<string, string> = {};
    for await (const { path, type } of dataset.listFiles())
      if (type === EntryType.file) files[path] = await textIn(dataset, path);
    return files;
  });
}

/** What `varve recover` lists. */
export function leftOvers(varve: Varve): Promise<Recoverable[]> {
  return asking(varve, recoverable);
}

export function datasetAt(workspace: Workspace, label: string): Promise<Dataset> {
  return Dataset.get(`${DATASET}@${label}`, { workspace });
}

/** Asks a user's catalog and remote in this process. */
export async function asking<T>(varve: Varve, ask: (workspace: Workspace) => Promise<T>): Promise<T> {
  const workspace = new Workspace({ home: varve.places });
  try {
    return await ask(workspace);
  } finally {
    await workspace.close();
  }
}

/** Runs a line of shell with arguments `$1` and up; what it printed. */
export async function sh(line: string, ...values: string[]): Promise<string> {
  return (await promisify(execFile)("sh", ["-euc", line, "sh", ...values])).stdout;
}

/** Waits for something that is about to become true. */
export async function until(what: string, isTrue: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 1_000; tries++) {
    if (await isTrue()) return;
    await setTimeout(30);
  }
  assert.fail(`never: ${what}`);
}
