/** The operations that are tried on an overlay and on a folder alike, as plain data. */
import fc from "fast-check";

/**
 * A path, or how to choose one when its step comes: the nth file, directory or anything that is there by then, or a
 * name in the nth directory.
 */
export type Where =
  string | { file: number } | { directory: number } | { any: number } | { in: number; name: string };

export type Operation<Path = Where> =
  | { do: "create"; path: Path; mode: number; bytes: number }
  | { do: "write"; path: Path; offset: number; bytes: number }
  | { do: "truncate"; path: Path; size: number }
  | { do: "fallocate"; path: Path; mode: number; offset: number; length: number }
  | { do: "read"; path: Path; offset: number; length: number }
  | { do: "mkdir"; path: Path; mode: number }
  | { do: "symlink"; path: Path; target: string }
  | { do: "readlink"; path: Path }
  | { do: "link" | "rename"; path: Path; to: Path; flags: number }
  | { do: "unlink" | "rmdir" | "list" | "stat"; path: Path }
  | { do: "chmod"; path: Path; mode: number }
  | { do: "utimes"; path: Path; sec: number }
  | { do: "setxattr"; path: Path; name: string; value: string; flags: number }
  | { do: "getxattr" | "removexattr"; path: Path; name: string }
  | { do: "open"; path: Path }
  | { do: "writeOpen"; which: number; offset: number; bytes: number }
  | { do: "readOpen"; which: number; offset: number; length: number }
  | { do: "close"; which: number }
  | { do: "forget" | "crash" };

const names = fc.constantFrom("a", "b", "c", "d");
const nth = fc.nat(30);
const stray = fc.array(names, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/"));
const any = fc.record({ any: nth });
const inside = fc.record({ in: nth, name: names });
const file = mostly(fc.record({ file: nth }), any);
const directory = mostly(fc.record({ directory: nth }), any);
const fresh = mostly(inside, any);
const path = mostly(any, inside);
const either = mostly(fc.oneof(inside, any, fc.record({ directory: nth })), any);

function mostly(usual: fc.Arbitrary<Where>, rare: fc.Arbitrary<Where>): fc.Arbitrary<Where> {
  return fc.oneof(
    { weight: 8, arbitrary: usual },
    { weight: 1, arbitrary: rare },
    { weight: 1, arbitrary: stray },
  );
}

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
  [6, fc.record({ do: fc.constant("create" as const), path: fresh, mode, bytes })],
  [6, fc.record({ do: fc.constant("write" as const), path: file, offset, bytes })],
  [3, fc.record({ do: fc.constant("truncate" as const), path: file, size })],
  [3, fc.record({ do: fc.constant("fallocate" as const), path: file, mode: fallocateMode, offset, length })],
  [3, fc.record({ do: fc.constant("read" as const), path: file, offset, length })],
  [4, fc.record({ do: fc.constant("mkdir" as const), path: fresh, mode })],
  [
    2,
    fc.record({
      do: fc.constant("symlink" as const),
      path: fresh,
      target: fc.constantFrom("nowhere", "gone/away"),
    }),
  ],
  [1, fc.record({ do: fc.constant("readlink" as const), path })],
  [3, fc.record({ do: fc.constant("link" as const), path, to: fresh, flags: fc.constant(0) })],
  [
    12,
    fc.record({
      do: fc.constant("rename" as const),
      path: either,
      to: either,
      flags: fc.constantFrom(0, 0, 0, 1, 2, 2, 3),
    }),
  ],
  [4, fc.record({ do: fc.constant("unlink" as const), path: file })],
  [3, fc.record({ do: fc.constant("rmdir" as const), path: directory })],
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
  [3, fc.record({ do: fc.constant("open" as const), path: file })],
  [4, fc.record({ do: fc.constant("writeOpen" as const), which, offset, bytes })],
  [3, fc.record({ do: fc.constant("readOpen" as const), which, offset, length })],
  [2, fc.record({ do: fc.constant("close" as const), which })],
  [2, fc.record({ do: fc.constantFrom("forget" as const, "crash" as const) })],
];

export const operations: fc.Arbitrary<Operation> = fc.oneof(
  ...weighted.map(([weight, arbitrary]) => ({ weight, arbitrary })),
);
