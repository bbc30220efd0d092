/** Taking a mount away: orderly, lazily, or by force. The process that serves it learns of it from the kernel. */
import { writeFileSync } from "node:fs";

import { DatasetError, type MountUser } from "../../../errors.js";
import { unmountThroughHelper } from "./fusermount.js";
import { isRoot } from "./mount-options.js";
import { usersOf } from "./mount-users.js";
import { type MountRecord, isOnTop } from "./mounts.js";
import { UnmountFlag, unmount } from "./syscalls.js";

/** Users of a mount that a message names. */
const NAMED_USERS = 5;

export interface UnmountOptions {
  /** Take it away at once; who has files open keeps them until they are closed. */
  lazy?: boolean | undefined;
  /** Cut the connection first: every operation under way fails, what was not written back is lost. Then as `lazy`. */
  force?: boolean | undefined;
}

/**
 * Takes this very mount away; one that is gone already, or covered by another, is left as it is.
 *
 * @throws {DatasetError} `mount-busy` while files in it are open or a process stands in it
 */
export async function unmountKernel(
  mount: MountRecord,
  { lazy = false, force = false }: UnmountOptions = {},
): Promise<void> {
  if (!isOnTop(mount)) return;
  if (force) await abort(mount);
  const complaint = isRoot()
    ? await unmountAsRoot(mount.path, lazy || force)
    : await unmountThroughHelper(mount.path, lazy || force);
  if (complaint !== undefined && isOnTop(mount)) throw await failureOf(mount, complaint);
}

function unmountAsRoot(path: string, lazy: boolean): Promise<string | undefined> {
  return unmount(path, UnmountFlag.noFollow | (lazy ? UnmountFlag.detach : 0));
}

/**
 * Only while the mount is at its folder: later the kernel may have given its number to another one. What is detached
 * ends when its server closes the device. Through fusectl where it is mounted; else a forced unmount, which aborts even when it then finds
 * the mount busy.
 */
async function abort(mount: MountRecord): Promise<void> {
  try {
    writeFileSync(`/sys/fs/fuse/connections/${mount.device.replace(/^.*:/, "")}/abort`, "1");
  } catch {
    if (isRoot() && isOnTop(mount)) await unmount(mount.path, UnmountFlag.noFollow | UnmountFlag.force);
  }
}

async function failureOf(
  mount: MountRecord,
  complaint: string,
): Promise<DatasetError<"mount-busy" | "mount-refused">> {
  const { path } = mount;
  const busy = /EBUSY|busy/i.test(complaint);
  if (!busy) return new DatasetError("mount-refused", { path }, `Cannot unmount "${path}": ${complaint}`);
  const users = await usersOf(mount);
  const message = `Cannot unmount "${path}": files in it are open, or a process has it as its working folder: ${named(users)}`;
  return new DatasetError("mount-busy", { path, users }, message);
}

/** The first few; all of them are in the failure's data. */
function named(users: readonly MountUser[]): string {
  if (users.length === 0) return "of a process that this user cannot see";
  const first = users.slice(0, NAMED_USERS).map(({ pid, command }) => `${command} (pid ${pid})`);
  const rest = users.length - first.length;
  return [...first, ...(rest > 0 ? [`and ${rest} more`] : [])].join(", ");
}
