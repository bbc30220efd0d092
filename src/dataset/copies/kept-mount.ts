/**
 * A version mounted for whoever asks for a local copy: one mount for each version and user, at a path that stays. Its
 * process ends it some minutes after the last of those it was made for has ended (`daemon/idle-end.ts`).
 */
import { join } from "node:path";
import type { MountOptions } from "../../daemon/config.js";
import { readMountState, removeMountState } from "../../daemon/mount-state.js";
import { type ProcessMark, isAlive } from "../../daemon/process.js";
import { MOUNT_TYPE, findMount } from "../../fs/transport/kernel/mounts.js";
import { unmountKernel } from "../../fs/transport/kernel/unmount.js";
import { type Home, ensureDir } from "../../home.js";
import { type FoundVersion, nameOfVersion } from "../history.js";
import { startMount } from "../mounting.js";
import { openVersionTree } from "../version-tree.js";
import type { Workspace } from "../workspace.js";
import { noteUser } from "./copy-users.js";
import { waitForLock } from "./wait-for-lock.js";

const DEFAULT_IDLE_MS = 600_000;

/** Gives the folder. @throws {DatasetError} `mount-refused`, `unsupported`, `version-unfinished`, what mounting throws */
export async function makeKeptMount(
  workspace: Workspace,
  found: FoundVersion,
  user: ProcessMark,
): Promise<string> {
  await openVersionTree(workspace, found.version); // A mount that is there already may be older than what is asked of it now.
  const { home } = workspace;
  const folder = ensureDir(join(home.stateDir, "copies"));
  const mountpoint = join(folder, found.version.id);
  const users = `${mountpoint}.users`;
  const lockPath = `${mountpoint}.lock`;
  const onWait = () => workspace.notice(`Waiting for another process that mounts ${nameOfVersion(found)}`);
  const lock = await waitForLock(lockPath, { onWait });
  try {
    noteUser(users, user); // First, so that the mount does not end meanwhile.
    if (isMounted(home, mountpoint)) return mountpoint;
    await clear(home, mountpoint);
    ensureDir(mountpoint);
    const endsWithout: MountOptions["endsWithout"] = { users, lock: lockPath, idleMs: idleMs() };
    await startMount(workspace, found, mountpoint, { endsWithout });
    return mountpoint;
  } finally {
    lock.release();
  }
}

function isMounted(home: Home, mountpoint: string): boolean {
  const state = readMountState(home, mountpoint);
  return state !== undefined && isAlive(state) && findMount(mountpoint)?.type === MOUNT_TYPE;
}

/** What a mount left whose process died. */
async function clear(home: Home, mountpoint: string): Promise<void> {
  const record = findMount(mountpoint);
  if (record?.type === MOUNT_TYPE) await unmountKernel(record, { lazy: true });
  const state = readMountState(home, mountpoint);
  if (state) removeMountState(home, state);
}

function idleMs(): number {
  const seconds = Number(process.env["VARVE_COPY_IDLE"] ?? NaN);
  return seconds >= 0 ? seconds * 1_000 : DEFAULT_IDLE_MS;
}
