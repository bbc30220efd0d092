/** What is mounted, as the kernel lists it, and taking mounts away. For tests only: the product has its own way. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** Paths of everything mounted at `path` or below it, the deepest first. */
export function mountsBelow(path: string): string[] {
  const all = readFileSync("/proc/self/mounts", "utf8").split("\n").flatMap(mountpointOf);
  return all.filter((at) => at === path || at.startsWith(`${path}/`)).reverse();
}

/** Detaches whatever is mounted at `path` or below it, even while it is in use or its server is dead. */
export function detachBelow(path: string): void {
  for (const at of mountsBelow(path)) {
    // As root; else with the helper, which alone may unmount for an ordinary user.
    if (spawnSync("umount", ["-l", at]).status !== 0) spawnSync("fusermount3", ["-uz", "--", at]);
  }
}

/** The second field, in which the kernel writes space, tab, line end and backslash as octal escapes. */
function mountpointOf(line: string): string[] {
  const field = line.split(" ")[1];
  if (field === undefined) return [];
  return [field.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)))];
}
