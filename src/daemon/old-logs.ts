/** Takes away logs of mounts that ended, so that a machine that mounts for years does not fill its disk with them. */
import { rmSync } from "node:fs";
import { basename, join } from "node:path";
import type { Home } from "../home.js";
import { earlierLog } from "../log-format.js";
import { writtenMounts } from "./mount-state.js";
import { namesIn } from "./state-file.js";

/** Kept of one folder, and of all: with 16 MiB at most for each, they never take more than 2 GiB. */
const KEPT_OF_FOLDER = 5;
const KEPT = 128;

/** Removes logs of mounts that ended, but the last few of each folder. */
export function removeOldLogs(home: Home): void {
  const live = new Set(writtenMounts(home).flatMap(({ logFile }) => (logFile ? [basename(logFile)] : [])));
  const newest = namesIn(home.logsDir)
    .filter((name) => name.endsWith(".log"))
    .sort((a, b) => timeOf(b) - timeOf(a));
  const seen = new Map<string, number>();
  newest.forEach((name, at) => {
    const folder = name.replace(/-\d+-\d+\.log$/, "");
    const rank = (seen.get(folder) ?? 0) + 1;
    seen.set(folder, rank);
    if (live.has(name) || (at < KEPT && rank <= KEPT_OF_FOLDER)) return;
    const path = join(home.logsDir, name);
    for (const each of [earlierLog(path), path]) rmSync(each, { force: true });
  });
}

function timeOf(name: string): number {
  return Number(/-(\d+)-\d+\.log$/.exec(name)?.[1] ?? 0);
}
