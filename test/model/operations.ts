/** The operations that are tried on a mount and on a folder alike, as plain data, and how often each is drawn. */
import fc from "fast-check";
import { type Where, pathsWith } from "../overlay/support/where.js";

/** As `TimeToSet`, but as text of a whole number of nanoseconds: operations are written down as JSON. */
export type PlannedTime = string;

/** What is done at a path, and with what. */
interface PathSteps<Path> {
  create: { path: Path; mode: number; bytes: number };
  replace: { path: Path; bytes: number };
  append: { path: Path; bytes: number };
  write: { path: Path; offset: number; bytes: number };
  read: { path: Path; offset: number; length: number };
  /** `size` -1: the size the file has. */
  truncate: { path: Path; size: number };
  mkdir: { path: Path; mode: number };
  mknod: { path: Path; mode: number };
  symlink: { path: Path; target: string };
  readlink: { path: Path };
  link: { path: Path; to: Path; flags: number };
  rename: { path: Path; to: Path; flags: number };
  unlink: { path: Path };
  rmdir: { path: Path };
  list: { path: Path };
  stat: { path: Path; follow: boolean };
  chmod: { path: Path; mode: number };
  chown: { path: Path; uid: number; gid: number; follow: boolean };
  utimens: { path: Path; mtime: PlannedTime; follow: boolean };
  setxattr: { path: Path; name: string; value: string; flags: number };
  getxattr: { path: Path; name: string };
  listxattr: { path: Path };
  removexattr: { path: Path; name: string };
  /** Writes back and drops the kernel's pages of a file, so that the next read asks the mount. */
  evict: { path: Path };
  open: { path: Path; flags: number; slot: number };
  tmpfile: { path: Path; slot: number };
  linkOpen: { slot: number; path: Path };
}

/** What is done with a file that is open: the one in a slot, of which there are a few. */
interface OpenSteps {
  readOpen: { slot: number; offset: number; length: number };
  writeOpen: { slot: number; offset: number; bytes: number };
  /** By `write(2)`, where the descriptor stands: at the end with `O_APPEND`. */
  appendOpen: { slot: number; bytes: number };
  truncateOpen: { slot: number; size: number };
  allocate: { slot: number; mode: number; offset: number; length: number };
  seek: { slot: number; offset: number; whence: number };
  copyRange: { slot: number; other: number; offset: number; at: number; length: number };
  mapWrite: { slot: number; offset: number; bytes: number };
  mapRead: { slot: number; offset: number; length: number };
  statOpen: { slot: number };
  chmodOpen: { slot: number; mode: number };
  utimensOpen: { slot: number; mtime: PlannedTime };
  fsync: { slot: number };
  fdatasync: { slot: number };
  close: { slot: number };
}

/** What happens to the mount as a whole: `crash` is `kill -9` of its process, then `recover --mount`. */
interface MountSteps {
  commit: object;
  remount: object;
  crash: object;
}

export type Steps<Path> = PathSteps<Path> & OpenSteps;
type Tagged<All> = { [Kind in keyof All]: { do: Kind } & All[Kind] }[keyof All];

export type FileOperation<Path = string> = Tagged<Steps<Path>>;
export type MountOperation = Tagged<MountSteps>;
/** A path is a byte string, relative to the root of either side. */
export type Operation<Path = string> = FileOperation<Path> | MountOperation;
export type Kind = Operation["do"];

export function isOfMount(operation: Operation<unknown>): operation is MountOperation {
  return MOUNT_KINDS.has(operation.do);
}

const MOUNT_KINDS = new Set<string>(["commit", "remount", "crash"] satisfies MountOperation["do"][]);

const longName = "n".repeat(255);
const usualNames = fc.constantFrom("a", "b", "c", "d");
const oddNames = fc.constantFrom("\xff\xfe", longName, `${longName}n`, ".", "a/", "b/.", "e f\n");
const names = fc.oneof({ weight: 24, arbitrary: usualNames }, { weight: 1, arbitrary: oddNames });
const { file, directory, fresh, path, either } = pathsWith(names);

/** Also far beyond the end, and around the border of the first chunk of a large file. */
const offset = fc.oneof(
  { weight: 12, arbitrary: fc.nat(20_000) },
  { weight: 2, arbitrary: fc.constantFrom(0, 4_095, 4_096, 8_192) },
  { weight: 1, arbitrary: fc.integer({ min: 1_000_000, max: 1_200_000 }) },
  { weight: 1, arbitrary: fc.constantFrom(-1, 2_600_000) },
);
const bytes = fc.oneof({ weight: 15, arbitrary: fc.nat(9_000) }, { weight: 1, arbitrary: fc.constant(0) });
const length = fc.integer({ min: 1, max: 12_000 });
const size = fc.oneof(
  { weight: 2, arbitrary: fc.constant(0) },
  { weight: 3, arbitrary: fc.constant(-1) },
  { weight: 6, arbitrary: fc.nat(20_000) },
  { weight: 1, arbitrary: fc.integer({ min: 1_000_000, max: 1_500_000 }) },
);
const mode = fc.nat(0o7777);
const target = fc.constantFrom("a", "b", "c", "d", "a/b", "b/c/d", ".", "nowhere", longName, "\xff", "a/./b");
const name = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom("user.one", "user.two", "user.\xfe") },
  { weight: 1, arbitrary: fc.constantFrom("user.", "other.name", `user.${longName}`) },
);
const value = fc.string({ maxLength: 40 });
const follow = fc.boolean();
const id = fc.constantFrom(0, 1, 12_345, 0xffff_ffff);
const slot = fc.nat(2);
/** FALLOC_FL_KEEP_SIZE 1, PUNCH_HOLE 2, ZERO_RANGE 16; 2 alone is refused. */
const allocateMode = fc.constantFrom(0, 0, 1, 3, 3, 16, 16, 17, 2);
const allocateLength = fc.oneof({ weight: 12, arbitrary: length }, { weight: 1, arbitrary: fc.constant(0) });
/** RENAME_NOREPLACE 1, RENAME_EXCHANGE 2; not both. */
const renameFlags = fc.constantFrom(0, 0, 0, 1, 2, 2, 3);
/** AT_SYMLINK_FOLLOW 0x400. */
const linkFlags = fc.constantFrom(0, 0, 0x400);
const type = fc.constantFrom(0o010000, 0o010000, 0o140000, 0o100000, 0o040000);
/** O_WRONLY 1, O_RDWR 2, O_CREAT 0o100, O_EXCL 0o200, O_TRUNC 0o1000, O_APPEND 0o2000, O_DIRECTORY 0o200000, O_NOFOLLOW 0o400000. */
const flags = fc
  .tuple(
    fc.constantFrom(0, 1, 2, 2, 2, 2),
    fc.constantFrom(0, 0, 0o100, 0o100, 0o300),
    fc.constantFrom(0, 0, 0, 0o1000, 0o2000, 0o2000),
    fc.constantFrom(0, 0, 0, 0, 0, 0, 0o200000, 0o400000),
  )
  .map((parts) => parts.reduce<number>((all, part) => all | part, 0));
/** Long ago or far from now, so that a time that was set is told from one that was not. */
const exactTime = fc
  .tuple(
    fc.oneof(
      fc.integer({ min: -2_000_000_000, max: 1_500_000_000 }),
      fc.integer({ min: 4_000_000_000, max: 9_000_000_000 }),
    ),
    fc.oneof(fc.nat(999_999_999), fc.constantFrom(0, 1, 999_999_999)),
  )
  .map(([sec, nsec]) => String(BigInt(sec) * 1_000_000_000n + BigInt(nsec)));
const mtime = fc.oneof(
  { weight: 4, arbitrary: exactTime },
  { weight: 1, arbitrary: fc.constantFrom("now", "omit") },
);

/** Weights: a thing of the mount as a whole costs a second, so it comes once in 800 operations. */
export const operations: fc.Arbitrary<Operation<Where>> = fc.oneof(
  step(40, "create", { path: fresh, mode, bytes }),
  step(10, "replace", { path: fc.oneof(file, fresh), bytes }),
  step(12, "append", { path: file, bytes }),
  step(25, "write", { path: file, offset, bytes }),
  step(20, "read", { path: file, offset, length }),
  step(20, "truncate", { path: file, size }),
  step(25, "mkdir", { path: fresh, mode }),
  step(6, "mknod", { path: fresh, mode: fc.tuple(type, mode).map(([of, bits]) => of | bits) }),
  step(12, "symlink", { path: fresh, target }),
  step(6, "readlink", { path }),
  step(20, "link", { path, to: fresh, flags: linkFlags }),
  step(60, "rename", { path: either, to: either, flags: renameFlags }),
  step(40, "unlink", { path: fc.oneof(file, path) }),
  step(25, "rmdir", { path: directory }),
  step(8, "list", { path: directory }),
  step(10, "stat", { path, follow }),
  step(12, "chmod", { path, mode }),
  step(10, "chown", { path, uid: id, gid: id, follow }),
  step(12, "utimens", { path, mtime, follow }),
  step(12, "setxattr", { path, name, value, flags: fc.nat(2) }),
  step(6, "getxattr", { path, name }),
  step(6, "listxattr", { path }),
  step(8, "removexattr", { path, name }),
  step(8, "evict", { path: file }),
  step(35, "open", { path: fc.oneof(file, fresh), flags, slot }),
  step(6, "tmpfile", { path: directory, slot }),
  step(8, "linkOpen", { path: fresh, slot }),
  step(12, "readOpen", { slot, offset, length }),
  step(20, "writeOpen", { slot, offset, bytes }),
  step(10, "appendOpen", { slot, bytes }),
  step(12, "truncateOpen", { slot, size }),
  step(20, "allocate", { slot, mode: allocateMode, offset, length: allocateLength }),
  step(12, "seek", { slot, offset, whence: fc.constantFrom(3, 4) }),
  step(10, "copyRange", { slot, other: slot, offset, at: offset, length }),
  step(10, "mapWrite", { slot, offset: fc.nat(20_000), bytes: fc.integer({ min: 1, max: 9_000 }) }),
  step(8, "mapRead", { slot, offset: fc.nat(20_000), length }),
  step(8, "statOpen", { slot }),
  step(6, "chmodOpen", { slot, mode }),
  step(8, "utimensOpen", { slot, mtime }),
  step(4, "fsync", { slot }),
  step(4, "fdatasync", { slot }),
  step(12, "close", { slot }),
  step(0.9, "commit", {}),
  step(0.9, "remount", {}),
  step(0.9, "crash", {}),
);

function step(weight: number, kind: Kind, fields: Record<string, fc.Arbitrary<unknown>>) {
  const arbitrary = fc.record({ do: fc.constant(kind), ...fields }) as fc.Arbitrary<Operation<Where>>;
  return { weight: weight * 10, arbitrary };
}
