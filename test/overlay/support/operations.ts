/** The operations that are tried on an overlay and on a folder alike, as plain data. */
import fc from "fast-check";

export type Operation =
  | { do: "create"; path: string; mode: number; bytes: number }
  | { do: "write"; path: string; offset: number; bytes: number }
  | { do: "truncate"; path: string; size: number }
  | { do: "fallocate"; path: string; mode: number; offset: number; length: number }
  | { do: "read"; path: string; offset: number; length: number }
  | { do: "mkdir"; path: string; mode: number }
  | { do: "symlink"; path: string; target: string }
  | { do: "readlink"; path: string }
  | { do: "link" | "rename"; path: string; to: string; flags: number }
  | { do: "unlink" | "rmdir" | "list" | "stat"; path: string }
  | { do: "chmod"; path: string; mode: number }
  | { do: "utimes"; path: string; sec: number }
  | { do: "setxattr"; path: string; name: string; value: string; flags: number }
  | { do: "getxattr" | "removexattr"; path: string; name: string }
  | { do: "open"; path: string }
  | { do: "writeOpen"; which: number; offset: number; bytes: number }
  | { do: "readOpen"; which: number; offset: number; length: number }
  | { do: "close"; which: number }
  | { do: "forget" | "crash" };

const names = fc.constantFrom("a", "b", "c", "d", "e");
const path = fc.array(names, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));
const offset = fc.nat(20_000);
const bytes = fc.nat(9_000);
const length = fc.integer({ min: 1, max: 12_000 });
const size = fc.oneof({ weight: 1, arbitrary: fc.constant(0) }, { weight: 3, arbitrary: fc.nat(20_000) });
const mode = fc.nat(0o77).map((rest) => 0o700 | rest);
const xattr = fc.constantFrom("user.one", "user.two");
const which = fc.nat(5);
/** FALLOC_FL_KEEP_SIZE 1, PUNCH_HOLE 2, COLLAPSE_RANGE 8 (refused), ZERO_RANGE 16. */
const fallocateMode = fc.constantFrom(0, 1, 3, 16, 17);

const weighted: [number, fc.Arbitrary<Operation>][] = [
  [6, fc.record({ do: fc.constant("create" as const), path, mode, bytes })],
  [6, fc.record({ do: fc.constant("write" as const), path, offset, bytes })],
  [3, fc.record({ do: fc.constant("truncate" as const), path, size })],
  [3, fc.record({ do: fc.constant("fallocate" as const), path, mode: fallocateMode, offset, length })],
  [3, fc.record({ do: fc.constant("read" as const), path, offset, length })],
  [4, fc.record({ do: fc.constant("mkdir" as const), path, mode })],
  [
    2,
    fc.record({ do: fc.constant("symlink" as const), path, target: fc.constantFrom("nowhere", "gone/away") }),
  ],
  [1, fc.record({ do: fc.constant("readlink" as const), path })],
  [3, fc.record({ do: fc.constant("link" as const), path, to: path, flags: fc.constant(0) })],
  [
    12,
    fc.record({
      do: fc.constant("rename" as const),
      path,
      to: path,
      flags: fc.constantFrom(0, 0, 0, 1, 2, 2, 3),
    }),
  ],
  [5, fc.record({ do: fc.constantFrom("unlink" as const, "rmdir" as const), path })],
  [3, fc.record({ do: fc.constantFrom("list" as const, "stat" as const), path })],
  [2, fc.record({ do: fc.constant("chmod" as const), path, mode })],
  [2, fc.record({ do: fc.constant("utimes" as const), path, sec: fc.integer({ min: 1, max: 2 ** 31 }) })],
  [
    2,
    fc.record({
      do: fc.constant("setxattr" as const),
      path,
      name: xattr,
      value: fc.string(),
      flags: fc.nat(2),
    }),
  ],
  [2, fc.record({ do: fc.constantFrom("getxattr" as const, "removexattr" as const), path, name: xattr })],
  [3, fc.record({ do: fc.constant("open" as const), path })],
  [4, fc.record({ do: fc.constant("writeOpen" as const), which, offset, bytes })],
  [3, fc.record({ do: fc.constant("readOpen" as const), which, offset, length })],
  [2, fc.record({ do: fc.constant("close" as const), which })],
  [2, fc.record({ do: fc.constantFrom("forget" as const, "crash" as const) })],
];

export const operations: fc.Arbitrary<Operation> = fc.oneof(
  ...weighted.map(([weight, arbitrary]) => ({ weight, arbitrary })),
);
