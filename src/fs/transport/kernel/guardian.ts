/**
 * A small process that outlives this one and clears the mount if this one is killed: a dead mount answers every access
 * with "Transport endpoint is not connected". It sleeps on a pipe whose other end closes with this process.
 */
import { spawn } from "node:child_process";

import type { MountRecord } from "./mounts.js";
import { keepDescriptorsFromChildren } from "./syscalls.js";

export interface Guardian {
  readonly pid: number | undefined;
  /** Sends it away: the mount is gone already. Twice is the same as once. */
  dismiss(): void;
}

/**
 * A line on the pipe says that all is well. Otherwise it takes away the mount on top of the folder, if that is still
 * the one it was told of: number and device together name a mount, and a dead one keeps both until it is unmounted.
 */
const SCRIPT = `
trap "" INT TERM HUP
read -r line && exit 0
top=
while read -r id parent device root path rest; do
  [ "$path" = "$2" ] && top="$id $device"
done </proc/self/mountinfo
[ "$top" = "$1" ] || exit 0
umount -l "$3" 2>/dev/null || fusermount3 -uz -- "$3"
`;

/** Starts the guardian of a mount. It stands in `/`, in a session of its own, and holds nothing but the pipe. */
export function startGuardian(mount: MountRecord): Guardian {
  keepDescriptorsFromChildren();
  const args = ["-c", SCRIPT, "varve-guardian", `${mount.id} ${mount.device}`, mount.writtenPath, mount.path];
  const env = { PATH: process.env["PATH"] };
  const child = spawn("sh", args, { cwd: "/", env, detached: true, stdio: ["pipe", "ignore", "ignore"] });
  child.on("error", () => {}); // Without it the mount works; only a kill leaves it behind.
  child.stdin.on("error", () => {});
  child.unref();
  (child.stdin as unknown as { unref(): void }).unref();
  return { pid: child.pid, dismiss: () => child.stdin.end("done\n") };
}
