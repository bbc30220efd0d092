/** System calls on real paths that Node does not offer, for the folder an overlay is compared with. Linux. */
import koffi from "koffi";

const libc = koffi.load(null);
const AT_FDCWD = -100;

type Call = (...values: unknown[]) => number | bigint;
const call = (signature: string): Call => libc.func(signature);

const calls = {
  renameat2: call("int renameat2(int a, const char *from, int b, const char *to, unsigned int flags)"),
  setxattr: call(
    "int lsetxattr(const char *path, const char *name, const void *value, uint64_t size, int flags)",
  ),
  getxattr: call("int64_t lgetxattr(const char *path, const char *name, _Out_ void *value, uint64_t size)"),
  removexattr: call("int lremovexattr(const char *path, const char *name)"),
  fallocate: call("int fallocate(int fd, int mode, int64_t offset, int64_t length)"),
};

const NAMES = new Map(Object.entries(koffi.os.errno).map(([name, number]) => [number, name]));

/** A failed call, as Node's own errors: with a `code`. */
class CallError extends Error {
  constructor(readonly code: string) {
    super(code);
  }
}

function checked(result: number | bigint): number {
  if (Number(result) < 0) throw new CallError(NAMES.get(koffi.errno()) ?? `errno ${koffi.errno()}`);
  return Number(result);
}

export function renameWithFlags(from: string, to: string, flags: number): void {
  checked(calls.renameat2(AT_FDCWD, from, AT_FDCWD, to, flags));
}

export function setXattr(path: string, name: string, value: Uint8Array, flags: number): void {
  checked(calls.setxattr(path, name, Buffer.from(value), value.length, flags));
}

export function getXattr(path: string, name: string): Uint8Array {
  const value = Buffer.alloc(65_536);
  return value.subarray(0, checked(calls.getxattr(path, name, value, value.length)));
}

export function removeXattr(path: string, name: string): void {
  checked(calls.removexattr(path, name));
}

export function fallocate(fd: number, mode: number, offset: number, length: number): void {
  checked(calls.fallocate(fd, mode, offset, length));
}
