/** Taking away what lies in a folder: symbolic links themselves, never what they lead to, and nothing of another file system. */
import { chmodSync, lstatSync, readdirSync, rmdirSync, unlinkSync } from "node:fs";
import { DatasetError } from "../../errors.js";
import { bufferOf, textOf } from "../../paths.js";

const OWNER_ALL = 0o700;

/**
 * Removes what is at a path, with all below it; nothing where nothing is.
 *
 * @param path A byte string.
 * @param device Of the folder it lies in.
 * @returns How many files and links there were.
 * @throws {DatasetError} `conflict` at what another file system is mounted on; what the system throws
 */
export function takeAway(path: string, device: number): number {
  const at = bufferOf(path);
  const stat = lstatSync(at, { throwIfNoEntry: false });
  if (!stat) return 0;
  if (stat.dev !== device) throw foreign(path);
  if (!stat.isDirectory()) {
    unlinkSync(at);
    return 1;
  }
  if ((stat.mode & OWNER_ALL) !== OWNER_ALL) chmodSync(at, OWNER_ALL);
  let removed = 0;
  for (const name of readdirSync(at, "latin1")) removed += takeAway(`${path}/${name}`, device);
  rmdirSync(at);
  return removed;
}

function foreign(path: string): DatasetError<"conflict"> {
  const shown = textOf(path);
  const message = `Cannot remove "${shown}": something is mounted there; unmount it first`;
  return new DatasetError("conflict", { what: shown }, message);
}
