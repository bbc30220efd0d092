/** Whether a folder can be mounted on. */
import { readdir, realpath } from "node:fs/promises";

import { DatasetError, errnoOf } from "../../../errors.js";
import { findMount } from "./mounts.js";

const PROBLEMS = new Map([
  ["ENOENT", "there is no such folder"],
  ["ENOTDIR", "it is not a folder"],
  ["EACCES", "it may not be read by this user"],
  // What the kernel answers once the process behind a mount has died.
  ["ENOTCONN", "a mount whose process has died is still there; take it away with `varve unmount --force`"],
]);

/**
 * The absolute path, without links, of an empty folder nothing is mounted on.
 *
 * @throws {DatasetError} `mountpoint-unfit`
 */
export async function checkMountpoint(path: string): Promise<string> {
  const resolved = await realpath(path).catch((cause: unknown) => refuse(path, problemOf(cause), cause));
  if (findMount(resolved)) refuse(path, "something is mounted there already");
  const names = await readdir(resolved).catch((cause: unknown) => refuse(path, problemOf(cause), cause));
  if (names.length > 0) refuse(path, "the folder is not empty");
  return resolved;
}

function problemOf(error: unknown): string {
  const errno = errnoOf(error);
  return PROBLEMS.get(errno ?? "") ?? `looking at it failed (${errno ?? String(error)})`;
}

function refuse(path: string, problem: string, cause?: unknown): never {
  throw new DatasetError("mountpoint-unfit", { path }, `Cannot mount on "${path}": ${problem}`, { cause });
}
