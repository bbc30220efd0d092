/** What a crash may have left: mounts that nobody serves, and overlays whose changes were not committed. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

import { readMountState } from "../daemon/mount-state.js";
import { abandonedOverlays } from "../dataset/overlays.js";
import { MOUNT_TYPE, listMounts } from "../fs/transport/kernel/mounts.js";
import type { Home } from "../home.js";
import { type Finding, finding } from "./finding.js";

const run = promisify(execFile);

/** A mount that does not answer in this time is counted as hung. */
const ANSWER_DEADLINE_MS = 2_000;

export async function examineLeftovers(home: Home): Promise<Finding[]> {
  return [await mountsFinding(home), overlaysFinding(home)];
}

/** Mounts that are dead, whoever made them, and those of this home that do not answer in time. */
export async function mountsFinding(home: Home): Promise<Finding> {
  const isOurs = (path: string) => readMountState(home, path) !== undefined;
  const paths = listMounts().flatMap(({ type, path }) => (type === MOUNT_TYPE ? [path] : []));
  const states = await Promise.all(paths.map(stateOf));
  const dead = paths.filter(
    (path, index) => states[index] === "dead" || (states[index] === "hung" && isOurs(path)),
  );
  const found =
    dead.length > 0 ? `not answering: ${dead.join(", ")}` : `${paths.length} mounted, all answering`;
  const advice = `Take them away with: varve unmount --force ${dead.join(" ")}`;
  return finding("Mounts", dead.length === 0, found, { advice, needed: false });
}

export function overlaysFinding(home: Home): Finding {
  const overlays = abandonedOverlays(home);
  const found = overlays.map(({ id, dataset, version }) => `${id} (${dataset}@${version})`).join(", ");
  const advice = "List, resume or export them with: varve recover";
  return finding("Uncommitted changes", overlays.length === 0, found || "none", { advice, needed: false });
}

/**
 * Asks in a process of its own, which can be killed while it waits. `statfs(2)` always asks the mount's process;
 * attributes might come from the kernel's memory.
 */
async function stateOf(path: string): Promise<"live" | "dead" | "hung"> {
  const options = {
    timeout: ANSWER_DEADLINE_MS,
    killSignal: "SIGKILL",
    env: { ...process.env, LC_ALL: "C" },
  } as const;
  try {
    await run("stat", ["--file-system", "--", path], options);
    return "live";
  } catch (error) {
    const { killed, stderr } = error as { killed?: boolean; stderr?: string };
    if (killed) return "hung";
    return stderr?.includes("not connected") ? "dead" : "live";
  }
}
