/** The npm package `fuse-native` 2.2.6: what of it is used, in types, and loading it. */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

import { DatasetError, messageOf } from "../../../errors.js";

/** Answers a request: 0 or a count, or an errno below zero; then what was asked for. */
export type Answer<Value = never> = (code: number, value?: Value) => void;

/** Times are milliseconds since 1970. */
export interface Stat {
  mode: number;
  uid: number;
  gid: number;
  size: number;
  nlink: number;
  ino: number;
  rdev: number;
  blksize: number;
  blocks: number;
  atime: number;
  mtime: number;
  ctime: number;
}

/** Every field is cut to 32 bits. */
export interface Statvfs {
  bsize: number;
  frsize: number;
  blocks: number;
  bfree: number;
  bavail: number;
  files: number;
  ffree: number;
  favail: number;
  namemax: number;
}

/** Paths begin with `/`. `file` is the number that `open` or `create` answered, of which 32 bits are kept. */
export interface FuseOperations {
  getattr(path: string, answer: Answer<Stat>): void;
  readdir(path: string, answer: (code: number, names?: string[], stats?: Stat[]) => void): void;
  readlink(path: string, answer: Answer<string>): void;
  statfs(path: string, answer: Answer<Statvfs>): void;
  open(path: string, flags: number, answer: Answer<number>): void;
  create(path: string, mode: number, answer: Answer<number>): void;
  read(path: string, file: number, target: Buffer, length: number, offset: number, answer: Answer): void;
  write(path: string, file: number, bytes: Buffer, length: number, offset: number, answer: Answer): void;
  flush(path: string, file: number, answer: Answer): void;
  fsync(path: string, dataOnly: number, file: number, answer: Answer): void;
  release(path: string, file: number, answer: Answer): void;
  truncate(path: string, sizeBytes: number, answer: Answer): void;
  ftruncate(path: string, file: number, sizeBytes: number, answer: Answer): void;
  /** A defect of the package: both times are the time of access. */
  utimens(path: string, atimeMs: number, mtimeMs: number, answer: Answer): void;
  chmod(path: string, mode: number, answer: Answer): void;
  chown(path: string, uid: number, gid: number, answer: Answer): void;
  mknod(path: string, mode: number, rdev: number, answer: Answer): void;
  mkdir(path: string, mode: number, answer: Answer): void;
  symlink(target: string, path: string, answer: Answer): void;
  link(path: string, newPath: string, answer: Answer): void;
  unlink(path: string, answer: Answer): void;
  rmdir(path: string, answer: Answer): void;
  rename(path: string, newPath: string, answer: Answer): void;
  getxattr(path: string, name: string, position: number, answer: Answer<Buffer>): void;
  listxattr(path: string, answer: Answer<string[]>): void;
  setxattr(path: string, name: string, value: Buffer, position: number, flags: number, answer: Answer): void;
  removexattr(path: string, name: string, answer: Answer): void;
}

export interface FuseOptions {
  /** Fail an operation that is not answered in time; false waits. The default of the package is 15 s. */
  timeout: false;
  fsname: string;
  subtype: string;
  allowOther: boolean;
  defaultPermissions: boolean;
  /** Keep pages across opens. */
  kernelCache: boolean;
  /** How long the kernel may remember, in seconds; 0 would count as unset. */
  attrTimeout: number;
  entryTimeout: number;
}

type Done = (error: Error | null) => void;

/** One mount. */
export interface Fuse {
  mount(done: Done): void;
  /** Calls the class's `unmount`, then lets go of the event loop. */
  unmount(done: Done): void;
}

export interface FuseClass {
  new (mountpoint: string, operations: FuseOperations, options: FuseOptions): Fuse;
  /** How a mount of this class is taken away. */
  unmount: (mountpoint: string, done: Done) => void;
}

const require = createRequire(import.meta.url);

/** @throws {DatasetError} `unsupported` where it has no build for this machine */
export function loadFuseNative(): FuseClass {
  try {
    if (process.platform === "linux") loadLibfuse();
    return require("fuse-native") as FuseClass;
  } catch (cause) {
    const message = `Cannot load the transport fuse-native: ${messageOf(cause)}`;
    throw new DatasetError("unsupported", { what: "fuse-native" }, message, { cause });
  }
}

/**
 * The package links to libfuse 2, which Linux distributions no longer install, and brings one along without telling the
 * linker where. Once a library of that name is loaded, the linker takes it.
 */
function loadLibfuse(): void {
  const packageDir = dirname(require.resolve("fuse-native/package.json"));
  const koffi = require("koffi") as { load(path: string, options: { global: boolean }): unknown };
  koffi.load(join(packageDir, "prebuilds", `linux-${process.arch}`, "libfuse.so"), { global: true });
}
