/** What is mounted on this machine, as the kernel lists it. Source: man page proc_pid_mountinfo(5) */
import { readFileSync } from "node:fs";

export interface MountRecord {
  /** The kernel's number for this mount, free again once it is unmounted. */
  id: number;
  /** Device number of what is mounted, as `major:minor`. */
  device: string;
  /** The folder it is mounted on. */
  path: string;
  /** The same as the kernel writes it, with spaces and the like as `\040`. */
  writtenPath: string;
  type: string;
  source: string;
}

/** The file system type of our mounts. */
export const MOUNT_TYPE = "fuse.varve";

/** What is mounted on a folder, on top when several are. The path must be absolute, without links. */
export function findMount(path: string): MountRecord | undefined {
  return listMounts().findLast((mount) => mount.path === path);
}

/** All of this process's mount namespace, in the order they were mounted. */
export function listMounts(): MountRecord[] {
  return readFileSync("/proc/self/mountinfo", "utf8").split("\n").flatMap(parseLine);
}

/** Whether this very mount is still on its folder, and on top. */
export function isOnTop(mount: MountRecord): boolean {
  const top = findMount(mount.path);
  return top?.id === mount.id && top.device === mount.device;
}

/** Fields 1 to 6, optional fields, a dash, then type, source and options. */
function parseLine(line: string): MountRecord[] {
  const [left, right] = line.split(" - ");
  const [id, , device, , writtenPath] = left!.split(" ");
  if (right === undefined || device === undefined || writtenPath === undefined) return [];
  const [type = "", source = ""] = right.split(" ");
  return [
    { id: Number(id), device, path: unescape(writtenPath), writtenPath, type, source: unescape(source) },
  ];
}

function unescape(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
}
