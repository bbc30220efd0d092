/** What every file system that is only read answers to whoever would change it, and to what needs no answer. */
import { FileSystemError } from "./errno.js";
import type { FileSystem } from "./filesystem.js";

type Changing =
  | "setattr"
  | "write"
  | "fallocate"
  | "create"
  | "mkdir"
  | "mknod"
  | "symlink"
  | "link"
  | "unlink"
  | "rmdir"
  | "rename"
  | "setxattr"
  | "removexattr";

export abstract class Unwritable implements Pick<FileSystem, Changing | "writable"> {
  readonly writable = false;

  readonly setattr = refuse;
  readonly write = refuse;
  readonly fallocate = refuse;
  readonly create = refuse;
  readonly mkdir = refuse;
  readonly mknod = refuse;
  readonly symlink = refuse;
  readonly link = refuse;
  readonly unlink = refuse;
  readonly rmdir = refuse;
  readonly rename = refuse;
  readonly setxattr = refuse;
  readonly removexattr = refuse;

  flush(): void {}
  release(): void {}

  fsync(): undefined {
    return undefined; // Nothing here was ever written.
  }

  /** For `open(2)`: gives a handle that means nothing. @throws {FileSystemError} `EROFS` */
  protected openToRead(flags: number): number {
    return flags & O_ACCMODE ? refuse() : 0;
  }
}

const O_ACCMODE = 0o3;

function refuse(): never {
  throw new FileSystemError("EROFS");
}
