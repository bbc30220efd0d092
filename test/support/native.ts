/** System calls that Node does not offer: exact times and extended attributes of files. Linux. */
import koffi from "koffi";

const libc = koffi.load(null);
const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const NS_PER_SECOND = 1_000_000_000n;

type Call = (...values: unknown[]) => number;
const utimensat = libc.func(
  "int utimensat(int dir, const void *path, const void *times, int flags)",
) as unknown as Call;
const lsetxattr = libc.func(
  "int lsetxattr(const char *path, const char *name, const void *value, uint64_t size, int flags)",
) as unknown as Call;

/** Sets when a file, folder or symbolic link was modified (and read), in ns since 1970; may be negative. */
export function setTime(path: string, mtimeNs: bigint): void {
  const nsec = ((mtimeNs % NS_PER_SECOND) + NS_PER_SECOND) % NS_PER_SECOND;
  const times = Buffer.alloc(32);
  for (const at of [0, 16]) {
    times.writeBigInt64LE((mtimeNs - nsec) / NS_PER_SECOND, at);
    times.writeBigInt64LE(nsec, at + 8);
  }
  check(utimensat(AT_FDCWD, Buffer.from(`${path}\0`), times, AT_SYMLINK_NOFOLLOW), `utimensat ${path}`);
}

export function setXattr(path: string, name: string, value: Uint8Array): void {
  check(lsetxattr(path, name, Buffer.from(value), value.length, 0), `lsetxattr ${path}`);
}

function check(result: number, what: string): void {
  if (result < 0) throw new Error(`${what} failed with errno ${koffi.errno()}`);
}
