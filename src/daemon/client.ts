/** Asks the process of a mount: found by its folder, spoken to over its socket. */
import { existsSync, realpathSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { abandonedOverlays, overlayDirectory } from "../dataset/overlays.js";
import { DatasetError, isDatasetError } from "../errors.js";
import { MOUNT_TYPE, findMount } from "../fs/transport/kernel/mounts.js";
import type { Home } from "../home.js";
import { type ControlRequest, type Report, askControl } from "./control.js";
import { type MountState, readMountState, refuseNewerMount } from "./mount-state.js";
import { isAlive } from "./process.js";

/**
 * What is written of the mount at a folder.
 *
 * @throws {DatasetError} `not-found` when nothing of ours is mounted there; `uncommitted` when what was left changes
 */
export function mountAt(home: Home, path: string): MountState {
  const mountpoint = realMountpoint(path);
  const state = readMountState(home, mountpoint);
  if (state) return state;
  refuseNewerMount(home, mountpoint);
  const left = abandonedOverlays(home).find((overlay) => overlay.mountpoint === mountpoint);
  if (left) throw noLongerMounted(mountpoint, left.id);
  throw new DatasetError(
    "not-found",
    { what: path },
    `Cannot find a mount at "${path}": varve status lists those there are`,
  );
}

/**
 * Sends one request to the process of the mount at a folder and gives its answer.
 *
 * @throws {DatasetError} what it answers; `uncommitted` when it died and left an overlay; `not-found`
 */
export async function askMount(
  home: Home,
  path: string,
  request: ControlRequest,
  report?: Report,
  signal?: AbortSignal,
): Promise<unknown> {
  const state = mountAt(home, path);
  if (!isAlive(state)) throw hasDied(home, state);
  try {
    return await askControl(state.socket, request, report, signal);
  } catch (error) {
    const isSilent = isDatasetError(error, "not-found") && error.data.what === state.socket;
    throw isSilent ? hasDied(home, state) : error;
  }
}

function noLongerMounted(mountpoint: string, overlay: string): DatasetError<"uncommitted"> {
  const message = `Cannot find a mount at "${mountpoint}": the one that was there left uncommitted changes; varve recover ${overlay} shows them`;
  return new DatasetError("uncommitted", { overlay }, message);
}

function hasDied(home: Home, { mountpoint, overlay }: MountState): DatasetError<"not-found" | "uncommitted"> {
  const died = `Cannot reach the mount at "${mountpoint}": its process has died; varve unmount clears the folder`;
  const isLeft = overlay !== undefined && existsSync(overlayDirectory(home, overlay));
  if (!isLeft) return new DatasetError("not-found", { what: mountpoint }, died);
  const message = `${died}, varve recover ${overlay} goes on with its changes`;
  return new DatasetError("uncommitted", { overlay }, message);
}

/** The folder's path without links; a mount whose process is dead cannot be looked into, so its path is taken as it is. */
export function realMountpoint(path: string): string {
  const absolute = resolve(path);
  try {
    // The folder above first: to look at the mount itself waits for a process that may not answer.
    const below = join(realpathSync(dirname(absolute)), basename(absolute));
    if (findMount(below)?.type === MOUNT_TYPE) return below;
    return realpathSync(absolute);
  } catch {
    return absolute;
  }
}
