/** Times to the nanosecond and `user.*` extended attributes of local files, through libc where Node has no call for them. */
import { futimesSync, lutimesSync } from "node:fs";
import { openLibc, readXattrs } from "../local-xattrs.js";

/** `struct timespec[2]`: atime, then mtime. */
type Times = BigInt64Array;

interface Calls {
  futimens: (fd: number, times: Times) => number;
  utimensat: (directory: number, path: Buffer, times: Times, flags: number) => number;
  lsetxattr: (path: Buffer, name: Buffer, value: Uint8Array, size: number, flags: number) => number;
  lremovexattr: (path: Buffer, name: Buffer) => number;
}

export interface Mtime {
  mtimeSec: number;
  mtimeNsec: number;
}

/** Source: https://man7.org/linux/man-pages/man2/utimensat.2.html */
const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;

let calls: Calls | undefined;
const times = new BigInt64Array(4);

/** Sets mtime, and atime to the same, of an open file. Gives whether that was done. */
export function setTimes(fd: number, mtime: Mtime): boolean {
  const libc = libcCalls();
  if (libc) return libc.futimens(fd, timesOf(mtime)) === 0;
  futimesSync(fd, secondsOf(mtime), secondsOf(mtime));
  return true;
}

/** The same for what a path names, which may be a symbolic link. */
export function setTimesAt(path: Buffer, mtime: Mtime): boolean {
  const libc = libcCalls();
  if (libc) return libc.utimensat(AT_FDCWD, terminated(path), timesOf(mtime), AT_SYMLINK_NOFOLLOW) === 0;
  lutimesSync(path, secondsOf(mtime), secondsOf(mtime));
  return true;
}

/**
 * Makes the `user.*` attributes of a file or folder these. Whoever asks must be able to write to it. Gives whether all
 * could be set: not every file system keeps them.
 */
export function setXattrs(path: Buffer, wanted: ReadonlyMap<string, Uint8Array>): boolean {
  const libc = libcCalls();
  if (!libc) return wanted.size === 0;
  const at = terminated(path);
  for (const name of readXattrs(path.toString("latin1")).keys())
    if (!wanted.has(name)) libc.lremovexattr(at, terminated(Buffer.from(name, "latin1")));
  const set = [...wanted].map(
    ([name, value]) =>
      libc.lsetxattr(at, terminated(Buffer.from(name, "latin1")), value, value.length, 0) === 0,
  );
  return set.every(Boolean);
}

/** Whether the `user.*` attributes of a file are these. */
export function hasXattrs(path: Buffer, wanted: ReadonlyMap<string, Uint8Array> | undefined): boolean {
  const found = readXattrs(path.toString("latin1"));
  if (found.size !== (wanted?.size ?? 0)) return false;
  return [...found].every(
    ([name, value]) => wanted?.has(name) && Buffer.from(value).equals(wanted.get(name)!),
  );
}

function timesOf({ mtimeSec, mtimeNsec }: Mtime): Times {
  times[0] = times[2] = BigInt(mtimeSec);
  times[1] = times[3] = BigInt(mtimeNsec);
  return times;
}

function secondsOf({ mtimeSec, mtimeNsec }: Mtime): number {
  return mtimeSec + mtimeNsec / 1e9;
}

function terminated(path: Buffer): Buffer {
  return Buffer.concat([path, Buffer.of(0)]);
}

function libcCalls(): Calls | undefined {
  if (process.platform !== "linux") return undefined;
  return (calls ??= load());
}

function load(): Calls {
  const libc = openLibc();
  return {
    futimens: libc.func("int futimens(int fd, const void *times)") as Calls["futimens"],
    utimensat: libc.func(
      "int utimensat(int directory, const void *path, const void *times, int flags)",
    ) as Calls["utimensat"],
    lsetxattr: libc.func(
      "int lsetxattr(const void *path, const void *name, const void *value, size_t size, int flags)",
    ) as Calls["lsetxattr"],
    lremovexattr: libc.func("int lremovexattr(const void *path, const void *name)") as Calls["lremovexattr"],
  };
}
