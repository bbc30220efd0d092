/** Does each step in a real folder. */
import * as fs from "node:fs";
import { join } from "node:path";
import { FileType } from "../../../src/fs/filesystem.js";
import { isType } from "./client.js";
import { pattern } from "./memory-base.js";
import * as native from "./native.js";
import type { Handlers } from "./operations.js";

/** `open` gives the descriptor, not to be compared. */
export function folderSide(root: string): Handlers {
  const at = (path: string): string => join(root, path);
  const withFile = <T>(path: string, flags: string, use: (fd: number) => T, mode?: number): T => {
    const fd = fs.openSync(at(path), flags, mode);
    try {
      return use(fd);
    } finally {
      fs.closeSync(fd);
    }
  };
  return {
    create: ({ path, mode, bytes }, seed) =>
      withFile(path, "wx+", (fd) => writeAt(fd, 0, pattern(bytes, seed)), mode),
    write: ({ path, offset, bytes }, seed) =>
      withFile(path, "r+", (fd) => writeAt(fd, offset, pattern(bytes, seed))),
    truncate: ({ path, size }) => fs.truncateSync(at(path), size),
    fallocate: ({ path, mode, offset, length }) =>
      withFile(path, "r+", (fd) => native.fallocate(fd, mode, offset, length)),
    read: ({ path, offset, length }) => withFile(path, "r+", (fd) => readAt(fd, offset, length)),
    mkdir: ({ path, mode }) => fs.mkdirSync(at(path), { mode }),
    symlink: ({ path, target }) => fs.symlinkSync(target, at(path)),
    readlink: ({ path }) => fs.readlinkSync(at(path)),
    link: ({ path, to }) => fs.linkSync(at(path), at(to)),
    rename: ({ path, to, flags }) => native.renameWithFlags(at(path), at(to), flags),
    unlink: ({ path }) => fs.unlinkSync(at(path)),
    rmdir: ({ path }) => fs.rmdirSync(at(path)),
    list: ({ path }) => fs.readdirSync(at(path)).sort(),
    stat: ({ path }) => shown(fs.lstatSync(at(path))),
    chmod: ({ path, mode }) => fs.chmodSync(at(path), mode),
    utimes: ({ path, sec }) => fs.utimesSync(at(path), sec, sec),
    setxattr: ({ path, name, value, flags }) => native.setXattr(at(path), name, Buffer.from(value), flags),
    getxattr: ({ path, name }) => Buffer.from(native.getXattr(at(path), name)),
    removexattr: ({ path, name }) => native.removeXattr(at(path), name),
    open: ({ path }) => fs.openSync(at(path), "r+"),
  };
}

export function readAt(fd: number, offset: number, length: number): Buffer {
  const target = Buffer.alloc(length);
  return target.subarray(0, fs.readSync(fd, target, 0, length, offset));
}

export function writeAt(fd: number, offset: number, bytes: Uint8Array): void {
  fs.writeSync(fd, bytes, 0, bytes.length, offset);
}

/** Of directories, size and links are each file system's own. */
export function shown(stats: Pick<fs.Stats, "mode" | "nlink" | "size" | "uid" | "gid">): unknown {
  const { mode, nlink, size, uid, gid } = stats;
  return isType(stats, FileType.directory) ? { mode, uid, gid } : { mode, nlink, size, uid, gid };
}
