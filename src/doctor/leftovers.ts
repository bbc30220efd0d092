/** What a crash may have left: mounts that nobody serves, and overlays whose changes were not committed. */
import { statfs } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

import { abandonedOverlays } from "../dataset/overlays.js";
import { errnoOf } from "../errors.js";
import { MOUNT_TYPE, listMounts } from "../fs/transport/kernel/mounts.js";
import type { Home } from "../home.js";
import { type Finding, finding } from "./finding.js";

/** A mount that does not answer in this time is counted as hung. */
const ANSWER_DEADLINE_MS = 2_000;

export async function examineLeftovers(home: Home): Promise<Finding[]> {
  return [await mountsFinding(), overlaysFinding(home)];
}

export async function mountsFinding(): Promise<Finding> {
  const paths = listMounts().flatMap(({ type, path }) => (type === MOUNT_TYPE ? [path] : []));
  const states = await Promise.all(paths.map(stateOf));
  const dead = paths.filter((_, index) => states[index] !== "live");
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

/** `statfs(2)` always asks the mount's process; attributes might come from the kernel's memory. */
async function stateOf(path: string): Promise<"live" | "dead" | "hung"> {
  const asked = statfs(path).then(
    () => "live" as const,
    (error: unknown) => (errnoOf(error) === "ENOTCONN" ? ("dead" as const) : ("live" as const)),
  );
  return Promise.race([asked, sleep(ANSWER_DEADLINE_MS, "hung" as const, { ref: false })]);
}
