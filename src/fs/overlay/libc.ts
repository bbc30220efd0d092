/** The two calls on local files that Node does not offer, from the C library. Loaded on first use; Linux only. */
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
  errno: () => number;
}

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
    errno: () => native.errno(),
  };
}

function errnoName(number: number): ErrnoName {
  const found = Object.entries(Errno).find(([, value]) => value === number);
  return (found?.[0] ?? "EIO") as ErrnoName;
}
