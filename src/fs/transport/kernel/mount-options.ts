/** What a mount is made with, whichever way it is made. */
import { MAX_TRANSFER_BYTES } from "./protocol.js";

export interface MountOptions {
  /** What tools that list mounts show as the source: `vision/cifar10@1.2.0`. */
  source: string;
  writable: boolean;
  /** Let other users in, within the permissions of the files. Default: the mounting user alone. */
  allowOther?: boolean | undefined;
  /** Nothing in it can be run as a program. Default false. */
  noexec?: boolean | undefined;
}

/**
 * What every mount asks of the kernel: to check modes and owners itself, as for a local file system, and to read no
 * more at once than a reply holds, whatever its pages measure.
 */
export function connectionOptions({ allowOther = false }: MountOptions): string[] {
  return ["default_permissions", `max_read=${MAX_TRANSFER_BYTES}`, ...(allowOther ? ["allow_other"] : [])];
}

export function isRoot(): boolean {
  return process.getuid?.() === 0;
}
