/**
 * System calls as they are, for operations that Node does not offer or dresses up: by paths of any bytes, and on
 * descriptors. A call that fails throws an error whose `code` is the errno's name. Linux.
 */
import koffi from "koffi";

export const AT_FDCWD = -100;
export const At = {
  symlinkNoFollow: 0x100,
  removeDirectory: 0x200,
  symlinkFollow: 0x400,
  emptyPath: 0x1000,
} as const;

/** A call that failed. Not an `Error`: a quarter of all calls fail, and none of them needs a stack. */
export class CallError {
  constructor(readonly code: string) {}
}

type Native = (...values: unknown[]) => number | bigint;

const libc = koffi.load(null);
const NAMES = new Map(Object.entries(koffi.os.errno).map(([name, number]) => [number, name]));

const calls = {
  openat: native("int openat(int dir, const void *path, int flags, unsigned int mode)"),
  close: native("int close(int fd)"),
  pread: native("int64_t pread(int fd, void *to, uint64_t size, int64_t offset)"),
  pwrite: native("int64_t pwrite(int fd, const void *from, uint64_t size, int64_t offset)"),
  write: native("int64_t write(int fd, const void *from, uint64_t size)"),
  lseek: native("int64_t lseek(int fd, int64_t offset, int whence)"),
  truncate: native("int truncate(const void *path, int64_t size)"),
  ftruncate: native("int ftruncate(int fd, int64_t size)"),
  fallocate: native("int fallocate(int fd, int mode, int64_t offset, int64_t size)"),
  fsync: native("int fsync(int fd)"),
  fdatasync: native("int fdatasync(int fd)"),
  fadvise: native("int posix_fadvise(int fd, int64_t offset, int64_t size, int advice)"),
  copy: native(
    "int64_t copy_file_range(int from, void *at, int to, void *toAt, uint64_t size, unsigned int flags)",
  ),
  // Addresses are numbers here.
  mmap: native("int64_t mmap(int64_t at, uint64_t size, int protection, int flags, int fd, int64_t offset)"),
  munmap: native("int munmap(int64_t at, uint64_t size)"),
  statx: native("int statx(int dir, const void *path, int flags, unsigned int mask, _Out_ void *to)"),
  mkdirat: native("int mkdirat(int dir, const void *path, unsigned int mode)"),
  mknodat: native("int mknodat(int dir, const void *path, unsigned int mode, uint64_t device)"),
  symlinkat: native("int symlinkat(const void *target, int dir, const void *path)"),
  readlinkat: native("int64_t readlinkat(int dir, const void *path, _Out_ void *to, uint64_t size)"),
  linkat: native("int linkat(int dir, const void *from, int toDir, const void *to, int flags)"),
  unlinkat: native("int unlinkat(int dir, const void *path, int flags)"),
  renameat2: native(
    "int renameat2(int dir, const void *from, int toDir, const void *to, unsigned int flags)",
  ),
  fchmodat: native("int fchmodat(int dir, const void *path, unsigned int mode, int flags)"),
  fchmod: native("int fchmod(int fd, unsigned int mode)"),
  fchownat: native("int fchownat(int dir, const void *path, unsigned int uid, unsigned int gid, int flags)"),
  utimensat: native("int utimensat(int dir, const void *path, const void *times, int flags)"),
  futimens: native("int futimens(int fd, const void *times)"),
  setxattr: native(
    "int lsetxattr(const void *path, const char *name, const void *value, uint64_t size, int flags)",
  ),
  getxattr: native("int64_t lgetxattr(const void *path, const char *name, _Out_ void *value, uint64_t size)"),
  listxattr: native("int64_t llistxattr(const void *path, _Out_ void *names, uint64_t size)"),
  removexattr: native("int lremovexattr(const void *path, const char *name)"),
};

const intoMemory = native("int64_t memcpy(int64_t to, const void *from, uint64_t size)");
const outOfMemory = native("int64_t memcpy(_Out_ void *to, int64_t from, uint64_t size)");

function native(signature: string): Native {
  return libc.func(signature);
}

/** Makes a call that returns -1 when it fails. @throws {CallError} */
export function call(name: keyof typeof calls, ...values: unknown[]): number {
  const result = Number(calls[name](...values));
  if (result < 0) throw new CallError(NAMES.get(koffi.errno()) ?? `errno ${koffi.errno()}`);
  return result;
}

/** A byte string (one character a byte) as the kernel takes it. */
export function c(bytes: string): Buffer {
  return Buffer.from(`${bytes}\0`, "latin1");
}

const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_SHARED = 1;

/** Writes `bytes` through a shared mapping of a file; the file must be as long as that. @throws {CallError} */
export function writeMapped(fd: number, offset: number, bytes: Uint8Array): void {
  const use = (at: number): unknown => intoMemory(at + offset, bytes, bytes.length);
  withMapping(fd, offset + bytes.length, PROT_READ | PROT_WRITE, use);
}

/** Reads through a shared mapping; the file must be as long as that. @throws {CallError} */
export function readMapped(fd: number, offset: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  withMapping(fd, offset + length, PROT_READ, (at) => outOfMemory(bytes, at + offset, length));
  return bytes;
}

function withMapping(fd: number, size: number, protection: number, use: (at: number) => unknown): void {
  const at = call("mmap", 0, size, protection, MAP_SHARED, fd, 0);
  use(at);
  call("munmap", at, size);
}

/** What `statx(2)` says. */
export interface Stat {
  ino: number;
  mode: number;
  nlink: number;
  uid: number;
  gid: number;
  sizeBytes: number;
  mtimeNs: bigint;
}

const STATX_BASIC_STATS = 0x7ff;
const statxBuffer = Buffer.alloc(256);

/** As `stat`, or as `lstat` with `At.symlinkNoFollow`, or of a descriptor with an empty path. @throws {CallError} */
export function stat(dir: number, path: string, flags: number): Stat {
  call("statx", dir, c(path), flags, STATX_BASIC_STATS, statxBuffer);
  const at = statxBuffer;
  return {
    nlink: at.readUInt32LE(16),
    uid: at.readUInt32LE(20),
    gid: at.readUInt32LE(24),
    mode: at.readUInt16LE(28),
    ino: Number(at.readBigUInt64LE(32)),
    sizeBytes: Number(at.readBigUInt64LE(40)),
    mtimeNs: at.readBigInt64LE(112) * 1_000_000_000n + BigInt(at.readUInt32LE(120)),
  };
}

export function lstat(path: string): Stat {
  return stat(AT_FDCWD, path, At.symlinkNoFollow);
}

/** `"now"`, `"omit"`, or nanoseconds since 1970. */
export type TimeToSet = "now" | "omit" | bigint;

const UTIME_NOW = 0x3fffffffn;
const UTIME_OMIT = 0x3ffffffen;
const NS = 1_000_000_000n;

/** Two `struct timespec`: access, then modification. */
export function timespecs(...times: TimeToSet[]): Buffer {
  const bytes = Buffer.alloc(32);
  times.forEach((time, index) => {
    const nsec = time === "now" ? UTIME_NOW : time === "omit" ? UTIME_OMIT : ((time % NS) + NS) % NS;
    const sec = typeof time === "bigint" ? (time - nsec) / NS : 0n;
    bytes.writeBigInt64LE(sec, index * 16);
    bytes.writeBigInt64LE(nsec, index * 16 + 8);
  });
  return bytes;
}

const scratch = Buffer.alloc(65_536);

/** The bytes a call puts into a buffer. */
export function filled(fill: (to: Buffer) => number): Buffer {
  return Buffer.from(scratch.subarray(0, fill(scratch)));
}

export function readAt(fd: number, offset: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  return bytes.subarray(0, call("pread", fd, bytes, length, offset));
}
