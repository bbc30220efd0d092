/** The tree both sides begin with: some of everything a version keeps. */
import { pattern } from "../overlay/support/memory-base.js";
import { MiB } from "../../src/units.js";
import { AT_FDCWD, At, c, call, timespecs } from "./syscalls.js";

const MTIME_NS = 1_234_567_890_123_456_789n;

export function layOut(root: string): void {
  const at = (path: string): Buffer => c(path === "" ? root : `${root}/${path}`);
  const directory = (path: string, mode = 0o755): number => call("mkdirat", AT_FDCWD, at(path), mode);
  const symlink = (path: string, target: string): number => call("symlinkat", c(target), AT_FDCWD, at(path));
  const link = (path: string, to: string): number => call("linkat", AT_FDCWD, at(path), AT_FDCWD, at(to), 0);
  const paths: string[] = [];
  const file = (path: string, ...parts: [offset: number, bytes: number][]): void => {
    const fd = call("openat", AT_FDCWD, at(path), 0o102, 0o640);
    for (const [offset, bytes] of parts) call("pwrite", fd, pattern(bytes, offset + 1), bytes, offset);
    call("close", fd);
    paths.push(path);
  };
  for (const path of ["", "a", "a/b", "a/b/d", "b", "d", "d/a"]) directory(path);
  directory("d/b", 0o2775);
  file("a/a", [0, 10_000]);
  file("a/b/a", [0, 700]);
  link("a/b/a", "a/b/c");
  file("a/c", [0, 3_000]);
  link("a/c", "c");
  file("b/a");
  file("b/c", [0, 5_000], [60_000, 3_000]);
  file("d/a/b", [0, 9_000]);
  file("d/c", [0, 2.5 * MiB]);
  symlink("b/b", "nowhere");
  symlink("d/d", "a");
  link("b/b", "a/d");
  const value = Buffer.from("1");
  for (const path of ["d/a/b", "b", ""]) call("setxattr", at(path), c("user.one"), value, 1, 0);
  call("fchownat", AT_FDCWD, at("a/a"), 1, 12_345, At.symlinkNoFollow);
  const directories = ["d/b", "d/a", "a/b/d", "a/b", "d", "b", "a", ""];
  for (const path of [...paths, "b/b", "d/d", ...directories])
    call("utimensat", AT_FDCWD, at(path), timespecs("omit", MTIME_NS), At.symlinkNoFollow);
}
