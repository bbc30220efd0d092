/** The calls that Node does not offer, from the C library: two on local files, and the kernel's own clock. Loaded on first use; Linux only. */
import { createRequire } from "node:module";
import type koffi from "koffi";
import { Errno, type ErrnoName, FileSystemError } from "../errno.js";

/** Source: https://man7.org/linux/man-pages/man2/fallocate.2.html */
export const Fallocate = { keepSize: 1, punchHole: 2, zeroRange: 16 } as const;

/** Source: https://man7.org/linux/man-pages/man2/lseek.2.html */
export const Seek = { data: 3, hole: 4 } as const;

interface Calls {
  fallocate: (fd: number, mode: number, offset: number, length: number) => number;
  lseek: (fd: number, offset: number, whence: number) => number | bigint;
  clock_gettime: (clock: number, time: Buffer) => number;
  errno: () => number;
}

/** Unix time as of the last tick, to about 4 ms. Source: https://man7.org/linux/man-pages/man2/clock_gettime.2.html */
const CLOCK_REALTIME_COARSE = 5;
/** Where the call puts it: seconds, then nanoseconds. */
const timespec = Buffer.alloc(16);

let calls: Calls | undefined;

/** `fallocate(2)` on a local file. @throws {FileSystemError} `EOPNOTSUPP` also where there is no such call */
export function fallocateFile(fd: number, mode: number, offset: number, length: number): void {
  if (process.platform !== "linux") throw new FileSystemError("EOPNOTSUPP");
  const { fallocate, errno } = libc();
  let failure = 0;
  do failure = fallocate(fd, mode, offset, length) === 0 ? 0 : errno();
  while (failure === Errno.EINTR);
  if (failure !== 0) throw new FileSystemError(errnoName(failure));
}

/** Where the next data or hole of a local file begins, or undefined after the last. */
export function seekFile(fd: number, offset: number, whence: number): number | undefined {
  if (process.platform !== "linux") return whence === Seek.data ? offset : undefined;
  const found = Number(libc().lseek(fd, offset, whence));
  return found < 0 ? undefined : found;
}

/** The time by which the kernel dates files: that of its last tick. Elsewhere than on Linux, to the millisecond. */
export function kernelTime(): { sec: number; nsec: number } {
  if (process.platform !== "linux") {
    const ms = Date.now();
    return { sec: Math.floor(ms / 1000), nsec: (ms % 1000) * 1_000_000 };
  }
  libc().clock_gettime(CLOCK_REALTIME_COARSE, timespec);
  return { sec: Number(timespec.readBigInt64LE(0)), nsec: timespec.readUInt32LE(8) };
}

function libc(): Calls {
  return (calls ??= load());
}

/** Without waiting, since the worker of a mount is synchronous. */
function load(): Calls {
  const native = createRequire(import.meta.url)("koffi") as typeof koffi;
  const library = native.load(null);
  return {
    fallocate: library.func(
      "int fallocate(int fd, int mode, int64_t offset, int64_t length)",
    ) as Calls["fallocate"],
    lseek: library.func("int64_t lseek(int fd, int64_t offset, int whence)") as Calls["lseek"],
    clock_gettime: library.func("int clock_gettime(int clock, void *time)") as Calls["clock_gettime"],
    errno: () => native.errno(),
  };
}

function errnoName(number: number): ErrnoName {
  const found = Object.entries(Errno).find(([, value]) => value === number);
  return (found?.[0] ?? "EIO") as ErrnoName;
}
