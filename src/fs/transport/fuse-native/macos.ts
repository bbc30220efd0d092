/**
 * A mount of this transport as macOS keeps it, with macFUSE installed. Written from its manual pages mount(8),
 * umount(8) and diskutil(8); no test runs there.
 */
import { execFile } from "node:child_process";
import { readdir, realpath, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { promisify } from "node:util";

import { DatasetError, messageOf } from "../../../errors.js";
import type { UnmountOptions } from "../kernel/unmount.js";
import type { Mounted, Platform } from "./platform.js";

export const macos: Platform = { checkMountpoint, mounted };

const run = promisify(execFile);

async function checkMountpoint(path: string): Promise<string> {
  try {
    const resolved = await realpath(path);
    if ((await readdir(resolved)).length === 0) return resolved;
  } catch (cause) {
    throw unfit(path, messageOf(cause), cause);
  }
  throw unfit(path, "the folder is not empty");
}

async function mounted(path: string): Promise<Mounted | undefined> {
  const isThere = () => isMountpoint(path);
  return (await isThere())
    ? { isThere, takeAway: (options) => takeAway(path, options), gone: () => {} }
    : undefined;
}

/** What is mounted is a device of its own. */
async function isMountpoint(path: string): Promise<boolean> {
  const [own, above] = await Promise.all([stat(path), stat(dirname(path))]);
  return own.dev !== above.dev;
}

async function takeAway(path: string, { lazy = false, force = false }: UnmountOptions): Promise<void> {
  try {
    await (lazy || force ? run("diskutil", ["unmount", "force", path]) : run("umount", [path]));
  } catch (cause) {
    const message = `Cannot unmount "${path}": ${messageOf(cause)}`;
    throw new DatasetError("mount-busy", { path, users: [] }, message, { cause });
  }
}

function unfit(path: string, problem: string, cause?: unknown): DatasetError<"mountpoint-unfit"> {
  return new DatasetError("mountpoint-unfit", { path }, `Cannot mount on "${path}": ${problem}`, { cause });
}
