/** `varve status --check`: whether mounts are served, for health checks of containers and service managers. */
import { askMount, realMountpoint } from "../../daemon/client.js";
import { liveMounts } from "../../daemon/mount-state.js";
import { DatasetError } from "../../errors.js";
import { MOUNT_TYPE, findMount } from "../../fs/transport/kernel/mounts.js";
import type { Home } from "../../home.js";

/** What a mount takes to answer, on a busy machine. */
const CHECK_WAIT_MS = 4_000;

/**
 * That a remote is out of reach is no fault of a mount: it goes on once that is back, and ending it would help nobody.
 *
 * @throws {DatasetError} `not-found` where nothing is mounted or its process has died; `deadline` where it does not answer
 */
export async function checkMounts(home: Home, directory: string | undefined): Promise<void> {
  const paths = directory === undefined ? liveMounts(home).map(({ mountpoint }) => mountpoint) : [directory];
  if (paths.length === 0) throw nothing("any folder");
  await Promise.all(paths.map((path) => checkMount(home, path)));
}

async function checkMount(home: Home, path: string): Promise<void> {
  const inTime = AbortSignal.timeout(CHECK_WAIT_MS);
  try {
    await askMount(home, path, { operation: "figures", arguments: {} }, undefined, inTime);
  } catch (error) {
    throw inTime.aborted ? silent(path) : error;
  }
  if (findMount(realMountpoint(path))?.type !== MOUNT_TYPE) throw nothing(path);
}

function nothing(path: string): DatasetError<"not-found"> {
  return new DatasetError("not-found", { what: path }, `Cannot find a mount of yours at ${path}`);
}

function silent(path: string): DatasetError<"deadline"> {
  const data = { waitedForMs: CHECK_WAIT_MS, what: path };
  return new DatasetError("deadline", data, `The mount at "${path}" does not answer`);
}
