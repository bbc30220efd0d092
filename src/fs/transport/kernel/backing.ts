/**
 * Backings: local files that the kernel reads in place of files of a mount. Only root may name them.
 * Source: include/uapi/linux/fuse.h of Linux 6.18 (`struct fuse_backing_map`)
 */
import { ioctl } from "./syscalls.js";

const BACKING_OPEN = 0x4010e501;
const BACKING_CLOSE = 0x4004e502;
const BACKING_MAP_BYTES = 16;

/** Names an open file for OPEN replies of a mount; undefined where the kernel refuses. It keeps the file for itself. */
export function openBacking(device: number, fd: number): number | undefined {
  const map = Buffer.alloc(BACKING_MAP_BYTES);
  map.writeInt32LE(fd);
  const id = ioctl(device, BACKING_OPEN, map);
  return id > 0 ? id : undefined;
}

/** Lets go of a file; inodes that are open with it keep it. One that went with its connection is no failure. */
export function closeBacking(device: number, id: number): void {
  const number = Buffer.alloc(4);
  number.writeInt32LE(id);
  ioctl(device, BACKING_CLOSE, number);
}
