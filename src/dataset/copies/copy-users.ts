/** Who uses a copy: an empty file for each process, named by its id and when it started. Those of ended ones go by themselves. */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ProcessMark, isAlive } from "../../daemon/process.js";
import { namesIn } from "../../daemon/state-file.js";
import { ensureDir } from "../../home.js";

export function noteUser(folder: string, { pid, startTicks }: ProcessMark): void {
  writeFileSync(join(ensureDir(folder), `${pid}-${startTicks}`), "", { mode: 0o600 });
}

/** Ids of the processes that still live. */
export function liveUsers(folder: string): number[] {
  return namesIn(folder).flatMap((name) => {
    const [pid, startTicks] = name.split("-").map(Number);
    if (isAlive({ pid: pid || 0, startTicks: startTicks || 0 })) return [pid!];
    rmSync(join(folder, name), { force: true });
    return [];
  });
}
