/** The operations that are tried on an overlay and on a folder alike, as plain data. */
import fc from "fast-check";
import { type Where, pathsWith } from "./where.js";

/** What is done at a path, and with what. */
export interface PathSteps<Path> {
  create: { path: Path; mode: number; bytes: number };
  write: { path: Path; offset: number; bytes: number };
  truncate: { path: Path; size: number };
  fallocate: { path: Path; mode: number; offset: number; length: number };
  read: { path: Path; offset: number; length: number };
  mkdir: { path: Path; mode: number };
  symlink: { path: Path; target: string };
  readlink: { path: Path };
  link: { path: Path; to: Path };
  rename: { path: Path; to: Path; flags: number };
  unlink: { path: Path };
  rmdir: { path: Path };
  list: { path: Path };
  stat: { path: Path };
  chmod: { path: Path; mode: number };
  utimes: { path: Path; sec: number };
  setxattr: { path: Path; name: string; value: string; flags: number };
  getxattr: { path: Path; name: string };
  removexattr: { path: Path; name: string };
  open: { path: Path };
}

/** What is done with one of the files that are open. */
interface OpenSteps {
  writeOpen: { which: number; offset: number; bytes: number };
  readOpen: { which: number; offset: number; length: number };
  close: { which: number };
}

type Tagged<Steps> = { [Kind in keyof Steps]: { do: Kind } & Steps[Kind] }[keyof Steps];

export type PathOperation<Path = string> = Tagged<PathSteps<Path>>;
export type OpenOperation = Tagged<OpenSteps>;
/** `forget`: all blocks of the base are away. `crash`: the process that serves the overlay is killed. */
export type Operation = PathOperation<Where> | OpenOperation | { do: "forget" } | { do: "crash" };

/** How one side does each step; `seed` tells which bytes to write. */
export type Handlers = {
  readonly [Kind in keyof PathSteps<string>]: (step: PathSteps<string>[Kind], seed: number) => unknown;
};

const { file, directory, fresh, path, either } = pathsWith(fc.constantFrom("a", "b", "c", "d"));
const offset = fc.nat(20_000);
const bytes = fc.nat(9_000);
const length = fc.integer({ min: 1, max: 12_000 });
const size = fc.oneof({ weight: 1, arbitrary: fc.constant(0) }, { weight: 3, arbitrary: fc.nat(20_000) });
const mode = fc.nat(0o77).map((rest) => 0o700 | rest);
const target = fc.constantFrom("nowhere", "gone/away");
const name = fc.constantFrom("user.one", "user.two");
const which = fc.nat(5);
/** FALLOC_FL_KEEP_SIZE 1, PUNCH_HOLE 2, ZERO_RANGE 16. */
const fallocateMode = fc.constantFrom(0, 1, 3, 16, 17);
/** RENAME_NOREPLACE 1, RENAME_EXCHANGE 2; not both. */
const renameFlags = fc.constantFrom(0, 0, 0, 1, 2, 2, 3);
const sec = fc.integer({ min: 1, max: 2 ** 31 });

export const operations: fc.Arbitrary<Operation> = fc.oneof(
  step(6, "create", { path: fresh, mode, bytes }),
  step(6, "write", { path: file, offset, bytes }),
  step(3, "truncate", { path: file, size }),
  step(3, "fallocate", { path: file, mode: fallocateMode, offset, length }),
  step(3, "read", { path: file, offset, length }),
  step(4, "mkdir", { path: fresh, mode }),
  step(2, "symlink", { path: fresh, target }),
  step(1, "readlink", { path }),
  step(3, "link", { path, to: fresh }),
  step(12, "rename", { path: either, to: either, flags: renameFlags }),
  step(4, "unlink", { path: file }),
  step(3, "rmdir", { path: directory }),
  step(2, "list", { path: directory }),
  step(2, "stat", { path }),
  step(2, "chmod", { path, mode }),
  step(2, "utimes", { path, sec }),
  step(2, "setxattr", { path, name, value: fc.string(), flags: fc.nat(2) }),
  step(1, "getxattr", { path, name }),
  step(1, "removexattr", { path, name }),
  step(3, "open", { path: file }),
  step(4, "writeOpen", { which, offset, bytes }),
  step(3, "readOpen", { which, offset, length }),
  step(2, "close", { which }),
  step(1, "forget", {}),
  step(1, "crash", {}),
);

function step(
  weight: number,
  kind: Operation["do"],
  fields: Record<string, fc.Arbitrary<unknown>>,
): fc.WeightedArbitrary<Operation> {
  return { weight, arbitrary: fc.record({ do: fc.constant(kind), ...fields }) as fc.Arbitrary<Operation> };
}
