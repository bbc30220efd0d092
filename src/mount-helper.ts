#!/usr/bin/env node
/**
 * `mount.varve`: what `mount -t varve` and lines of `/etc/fstab` run. It mounts in a process of its own and ends once the
 * folder can be used, or says why it cannot. Exit codes are those of mount(8).
 */
import { readFileSync, statSync } from "node:fs";

import { type HelperCall, helperCall, parseEnvironment } from "./cli/mount-options.js";
import { startMount } from "./dataset/mounting.js";
import { DatasetError, isDatasetError, messageOf } from "./errors.js";
import { homeOf } from "./home.js";

/** Source: mount(8), "EXIT STATUS" */
const MountExit = { done: 0, usage: 1, failed: 32 } as const;

/** Who but their owner may read or write a file that may hold secrets: its group may read it. */
const OTHERS = 0o037;

const tell = (message: string) => void process.stderr.write(`mount.varve: ${message}\n`);

async function main(): Promise<number> {
  try {
    await mount(helperCall(process.argv.slice(2)));
    return MountExit.done;
  } catch (error) {
    tell(messageOf(error));
    return isDatasetError(error, "bad-input") ? MountExit.usage : MountExit.failed;
  }
}

async function mount(call: HelperCall): Promise<void> {
  // The process behind the mount has the environment of this one.
  if (call.environmentFile !== undefined) Object.assign(process.env, environmentIn(call.environmentFile));
  Object.assign(process.env, call.environment);
  const home = homeOf(process.env);
  if (call.fake) return;
  const info = await startMount({ home, notice: tell }, call.reference, call.directory, call.options);
  if (call.verbose) tell(`${info.dataset ?? "all versions"} ${info.version ?? ""} at ${info.mountpoint}`);
}

/** @throws {DatasetError} `bad-input` where others could read or change what it says */
function environmentIn(path: string): Record<string, string> {
  const { mode, uid } = statSync(path);
  const isSafe = (mode & OTHERS) === 0 && (uid === 0 || uid === process.getuid?.());
  if (isSafe) return parseEnvironment(readFileSync(path, "utf8"), path);
  const message = `Cannot take the environment from "${path}": others may read or change it; chmod 600 keeps it to its owner`;
  throw new DatasetError("bad-input", { value: path }, message);
}

process.exitCode = await main();
