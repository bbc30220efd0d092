/** Does an operation below a root with plain system calls: the same code on the mount and on the folder beside it. */
import { constants, readdirSync } from "node:fs";
import { errnoOf } from "../../src/errors.js";
import { FileType, TYPE_MASK } from "../../src/fs/filesystem.js";
import { pattern } from "../overlay/support/memory-base.js";
import type { FileOperation, Steps } from "./operations.js";
import {
  AT_FDCWD,
  At,
  CallError,
  type Stat,
  type TimeToSet,
  c,
  call,
  filled,
  readAt,
  readMapped,
  stat,
  timespecs,
  writeMapped,
} from "./syscalls.js";

/** One of the two trees, and its open files by slot. Numbers of descriptors are each side's own. */
export interface Side {
  /** A byte string. */
  readonly root: string;
  readonly open: Map<number, number>;
  /** The folder beside the mount. */
  readonly isDisk: boolean;
  /** Times from here to now are not told apart: each side has its own clock. */
  readonly sinceNs: bigint;
}

/** What an operation gave: plain data, or the name of an error. */
export type Outcome = { value: unknown } | { error: string };

type Handlers = {
  readonly [Kind in keyof Steps<string>]: (side: Side, step: Steps<string>[Kind], seed: number) => unknown;
};

const { O_RDONLY, O_WRONLY, O_RDWR, O_CREAT, O_EXCL, O_TRUNC, O_APPEND, O_NONBLOCK, O_DIRECTORY } = constants;
const O_TMPFILE = 0o20000000 | O_DIRECTORY;
const POSIX_FADV_DONTNEED = 4;
const NEW_FILE_MODE = 0o666;

/** @param seed Tells what bytes are written. */
export function perform(side: Side, operation: FileOperation, seed: number): Outcome {
  const handler = HANDLERS[operation.do] as (side: Side, step: FileOperation, seed: number) => unknown;
  return outcomeOf(() => handler(side, operation, seed));
}

/** What `stat` shows, with times told as `now` where they were not set to another. */
export function shownAt(side: Side, path: string): Outcome {
  return outcomeOf(() => shown(side, stat(AT_FDCWD, at(side, path), At.symlinkNoFollow)));
}

export function shownOpen(side: Side, slot: number): Outcome {
  return outcomeOf(() => statOpen(side, slot));
}

export function closeAll(side: Side, before: (fd: number) => void = () => undefined): void {
  for (const fd of side.open.values()) {
    before(fd);
    call("close", fd);
  }
  side.open.clear();
}

/** Of directories, size and links are each file system's own; of a fifo, whether what passes through it dates it. */
export function shown({ sinceNs }: Pick<Side, "sinceNs">, found: Stat): unknown {
  const { mode, uid, gid, nlink, sizeBytes } = found;
  const type = mode & TYPE_MASK;
  const mtime = type === FileType.fifo || isRecent(found, sinceNs) ? "now" : String(found.mtimeNs);
  const common = { mode: mode.toString(8), uid, gid, mtime };
  return type === FileType.directory ? common : { ...common, nlink, sizeBytes };
}

const CLOCKS_DIFFER_NS = 5_000_000_000n;

function isRecent({ mtimeNs }: Stat, sinceNs: bigint): boolean {
  const nowNs = BigInt(Date.now()) * 1_000_000n;
  return mtimeNs >= sinceNs - CLOCKS_DIFFER_NS && mtimeNs <= nowNs + CLOCKS_DIFFER_NS;
}

function outcomeOf(make: () => unknown): Outcome {
  try {
    return { value: make() };
  } catch (error) {
    if (error instanceof CallError) return { error: error.code };
    const code = errnoOf(error);
    if (code !== undefined) return { error: code };
    throw error;
  }
}

const HANDLERS: Handlers = {
  create: (side, { path, mode, bytes }, seed) =>
    withFile(side, path, O_WRONLY | O_CREAT | O_EXCL, (fd) => writeAll(fd, pattern(bytes, seed)), mode),
  replace: (side, { path, bytes }, seed) =>
    withFile(side, path, O_WRONLY | O_CREAT | O_TRUNC, (fd) => writeAll(fd, pattern(bytes, seed))),
  append: (side, { path, bytes }, seed) =>
    withFile(side, path, O_WRONLY | O_APPEND, (fd) => writeAll(fd, pattern(bytes, seed))),
  write: (side, { path, offset, bytes }, seed) =>
    withFile(side, path, O_RDWR, (fd) => call("pwrite", fd, pattern(bytes, seed), bytes, offset)),
  read: (side, { path, offset, length }) =>
    withFile(side, path, O_RDONLY, (fd) => readAt(fd, offset, length)),
  truncate: (side, { path, size }) => truncate(side, at(side, path), size),
  mkdir: (side, { path, mode }) => call("mkdirat", AT_FDCWD, c(at(side, path)), mode),
  mknod: (side, { path, mode }) => call("mknodat", AT_FDCWD, c(at(side, path)), mode, 0),
  symlink: (side, { path, target }) => call("symlinkat", c(target), AT_FDCWD, c(at(side, path))),
  readlink: (side, { path }) =>
    filled((to) => call("readlinkat", AT_FDCWD, c(at(side, path)), to, to.length)).toString("latin1"),
  link: (side, { path, to, flags }) =>
    call("linkat", AT_FDCWD, c(at(side, path)), AT_FDCWD, c(at(side, to)), flags),
  rename: (side, { path, to, flags }) =>
    call("renameat2", AT_FDCWD, c(at(side, path)), AT_FDCWD, c(at(side, to)), flags),
  unlink: (side, { path }) => call("unlinkat", AT_FDCWD, c(at(side, path)), 0),
  rmdir: (side, { path }) => call("unlinkat", AT_FDCWD, c(at(side, path)), At.removeDirectory),
  list: (side, { path }) => namesIn(at(side, path)),
  stat: (side, { path, follow }) =>
    shown(side, stat(AT_FDCWD, at(side, path), follow ? 0 : At.symlinkNoFollow)),
  chmod: (side, { path, mode }) => call("fchmodat", AT_FDCWD, c(at(side, path)), mode, 0),
  chown: (side, { path, uid, gid, follow }) =>
    call("fchownat", AT_FDCWD, c(at(side, path)), uid, gid, follow ? 0 : At.symlinkNoFollow),
  utimens: (side, { path, mtime, follow }) => {
    const times = timespecs("omit", timeOf(mtime));
    return call("utimensat", AT_FDCWD, c(at(side, path)), times, follow ? 0 : At.symlinkNoFollow);
  },
  setxattr: (side, { path, name, value, flags }) => {
    const bytes = Buffer.from(value);
    return call("setxattr", c(at(side, path)), c(name), bytes, bytes.length, flags);
  },
  getxattr: (side, { path, name }) =>
    filled((to) => call("getxattr", c(at(side, path)), c(name), to, to.length)).toString("latin1"),
  listxattr: (side, { path }) => xattrNames(at(side, path)),
  removexattr: (side, { path, name }) => call("removexattr", c(at(side, path)), c(name)),
  evict: (side, { path }) =>
    withFile(side, path, O_RDONLY, (fd) => {
      call("fsync", fd);
      return call("fadvise", fd, 0, 0, POSIX_FADV_DONTNEED);
    }),
  open: (side, { path, flags, slot }) => openInto(side, slot, path, flags, NEW_FILE_MODE),
  tmpfile: (side, { path, slot }) => openInto(side, slot, path, O_TMPFILE | O_RDWR, NEW_FILE_MODE),
  linkOpen: (side, { path, slot }) =>
    withSlot(side, slot, (fd) => call("linkat", fd, c(""), AT_FDCWD, c(at(side, path)), At.emptyPath)),
  readOpen: (side, { slot, offset, length }) => withSlot(side, slot, (fd) => readAt(fd, offset, length)),
  writeOpen: (side, { slot, offset, bytes }, seed) =>
    withSlot(side, slot, (fd) => call("pwrite", fd, pattern(bytes, seed), bytes, offset)),
  appendOpen: (side, { slot, bytes }, seed) =>
    withSlot(side, slot, (fd) => writeAll(fd, pattern(bytes, seed))),
  truncateOpen: (side, { slot, size }) =>
    withSlot(side, slot, (fd) => call("ftruncate", fd, size < 0 ? sizeOf(fd) : size)),
  allocate: (side, { slot, mode, offset, length }) =>
    withSlot(side, slot, (fd) => call("fallocate", fd, mode, offset, length)),
  seek: (side, { slot, offset, whence }) => withSlot(side, slot, (fd) => checkedSeek(fd, offset, whence)),
  copyRange: (side, { slot, other, offset, at: to, length }) =>
    withSlot(side, slot, (from) =>
      withSlot(side, other, (into) => call("copy", from, offsetOf(offset), into, offsetOf(to), length, 0)),
    ),
  mapWrite: (side, { slot, offset, bytes }, seed) =>
    withMappable(side, slot, offset, bytes, (fd, length) => writeMapped(fd, offset, pattern(length, seed))),
  mapRead: (side, { slot, offset, length }) =>
    withMappable(side, slot, offset, length, (fd, there) => readMapped(fd, offset, there)),
  statOpen: (side, { slot }) => statOpen(side, slot),
  chmodOpen: (side, { slot, mode }) => withSlot(side, slot, (fd) => call("fchmod", fd, mode)),
  utimensOpen: (side, { slot, mtime }) =>
    withSlot(side, slot, (fd) => call("futimens", fd, timespecs("omit", timeOf(mtime)))),
  fsync: (side, { slot }) => withSlot(side, slot, (fd) => call("fsync", fd)),
  fdatasync: (side, { slot }) => withSlot(side, slot, (fd) => call("fdatasync", fd)),
  close: (side, { slot }) =>
    withSlot(side, slot, (fd) => {
      side.open.delete(slot);
      return call("close", fd);
    }),
};

function at({ root }: Side, path: string): string {
  return path === "" ? root : `${root}/${path}`;
}

function timeOf(mtime: string): TimeToSet {
  return mtime === "now" || mtime === "omit" ? mtime : BigInt(mtime);
}

/** Without waiting for the other end of a fifo. */
function openAt(side: Side, path: string, flags: number, mode: number): number {
  return call("openat", AT_FDCWD, c(at(side, path)), flags | O_NONBLOCK, mode);
}

/**
 * `truncate(2)` to the size a file has is a change of its time to ext4 and none to xfs, tmpfs and a mount, so the folder
 * gets its time back.
 */
function truncate(side: Side, path: string, size: number): number {
  const before = stat(AT_FDCWD, path, 0);
  const result = call("truncate", c(path), size < 0 ? before.sizeBytes : size);
  if (side.isDisk && before.sizeBytes === stat(AT_FDCWD, path, 0).sizeBytes)
    call("utimensat", AT_FDCWD, c(path), timespecs("omit", before.mtimeNs), 0);
  return result;
}

function withFile<T>(
  side: Side,
  path: string,
  flags: number,
  use: (fd: number) => T,
  mode = NEW_FILE_MODE,
): T {
  const fd = openAt(side, path, flags, mode);
  try {
    return use(fd);
  } finally {
    call("close", fd);
  }
}

/** What was in the slot is closed first. */
function openInto(side: Side, slot: number, path: string, flags: number, mode: number): string {
  const fd = openAt(side, path, flags, mode);
  const before = side.open.get(slot);
  side.open.set(slot, fd);
  if (before !== undefined) call("close", before);
  return "open";
}

function withSlot<T>(side: Side, slot: number, use: (fd: number) => T): T {
  const fd = side.open.get(slot);
  if (fd === undefined) throw new CallError("EBADF");
  return use(fd);
}

/** Touching a mapping beyond the end of its file ends the process, so only bytes that are there are used. */
function withMappable<T>(
  side: Side,
  slot: number,
  offset: number,
  length: number,
  use: (fd: number, length: number) => T,
): T | string {
  return withSlot(side, slot, (fd) => {
    const there = Math.min(length, sizeOf(fd) - offset);
    return there > 0 ? use(fd, there) : "beyond the end";
  });
}

function statOpen(side: Side, slot: number): unknown {
  return withSlot(side, slot, (fd) => shown(side, stat(fd, "", At.emptyPath)));
}

function sizeOf(fd: number): number {
  return stat(fd, "", At.emptyPath).sizeBytes;
}

function writeAll(fd: number, bytes: Uint8Array): number {
  return call("write", fd, bytes, bytes.length);
}

function offsetOf(offset: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(BigInt(offset));
  return bytes;
}

function namesIn(path: string): string[] {
  const found = readdirSync(Buffer.from(path, "latin1"), { withFileTypes: true, encoding: "buffer" });
  return found
    .map((node) => `${node.name.toString("latin1")} ${node.isDirectory() ? "d" : node.isFile() ? "f" : "-"}`)
    .sort();
}

function xattrNames(path: string): string[] {
  const names = filled((to) => call("listxattr", c(path), to, to.length)).toString("latin1");
  return names.split("\0").slice(0, -1).sort();
}

const SEEK_DATA = 3;

/** Holes may be told more coarsely than another file system would; told where there is data they may not be. */
function checkedSeek(fd: number, offset: number, whence: number): unknown {
  const { mode, sizeBytes: size } = stat(fd, "", At.emptyPath);
  if ((mode & TYPE_MASK) !== FileType.file) return "no file";
  const [found, error] = seekOf(fd, offset, whence);
  if (error !== "" && !(error === "ENXIO" && whence === SEEK_DATA && offset < size))
    throw new CallError(error);
  const bytes = wholeOf(fd);
  const end = error === "" ? found : size;
  const isRight =
    whence === SEEK_DATA
      ? bytes.subarray(offset, end).every((byte) => byte === 0)
      : found >= offset && found <= size && (found === size || bytes[found] === 0);
  return isRight ? "as it may be" : `wrong: ${error || found} of ${size} bytes`;
}

function seekOf(fd: number, offset: number, whence: number): [found: number, error: string] {
  try {
    const found = call("lseek", fd, offset, whence);
    call("lseek", fd, 0, 0);
    return [found, ""];
  } catch (error) {
    if (error instanceof CallError) return [-1, error.code];
    throw error;
  }
}

/** Also of a file opened to be written only. */
function wholeOf(fd: number): Buffer {
  const again = call("openat", AT_FDCWD, c(`/proc/self/fd/${fd}`), O_RDONLY | O_NONBLOCK, 0);
  try {
    return readAt(again, 0, sizeOf(fd));
  } finally {
    call("close", again);
  }
}
