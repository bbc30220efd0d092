/** The folder a copy of the user's own goes to: where it really is, and whether it may be filled. */
import { existsSync, lstatSync, mkdirSync, readdirSync, realpathSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { DatasetError } from "../../errors.js";
import { type Home, foldersOf } from "../../home.js";

/**
 * The real path of a folder that is there or could be made; nothing is made.
 *
 * @throws {DatasetError} `bad-input` for one whose contents are not to be replaced: the root, a home folder, what holds
 *   it, varve's own folders and what holds or lies in them; `conflict` for a file
 */
export function findTarget(home: Home, path: string): string {
  const real = realPathOf(resolve(path));
  const problem = problemOf(home, real);
  if (problem) throw unfit(path, problem);
  if (existsSync(real) && !statSync(real).isDirectory()) throw notEmpty(path, "it is no folder");
  return real;
}

/** Makes the folder where there is none; gives its device and whether something is in it. */
export function openTarget(real: string): { device: number; isEmpty: boolean } {
  mkdirSync(real, { recursive: true });
  return { device: statSync(real).dev, isEmpty: readdirSync(real).length === 0 };
}

export function notEmpty(path: string, problem: string): DatasetError<"conflict"> {
  const message = `Cannot copy to "${path}": ${problem}`;
  return new DatasetError("conflict", { what: path }, message);
}

function problemOf(home: Home, real: string): string | undefined {
  if (real === "/") return "it is the root of the file system";
  const userDir = realPathOf(process.env["HOME"] || homedir());
  if (isWithin(userDir, real)) return real === userDir ? "it is a home folder" : "a home folder lies in it";
  const own = foldersOf(home).find((folder) => isWithin(folder, real) || isWithin(real, folder));
  if (own === undefined) return undefined;
  return isWithin(own, real)
    ? `varve's own data lies in it (${own})`
    : `it lies among varve's own data (${own})`;
}

/** Without symbolic links, as far as it exists. */
function realPathOf(path: string): string {
  // A symbolic link that leads nowhere has no real path, and must not be written through.
  if (lstatSync(path, { throwIfNoEntry: false })) return realpathSync(path);
  return join(realPathOf(dirname(path)), basename(path));
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === "/" ? "/" : `${folder}/`);
}

function unfit(path: string, problem: string): DatasetError<"bad-input"> {
  const message = `Cannot copy to "${path}": ${problem}; give a folder of its own`;
  return new DatasetError("bad-input", { value: path }, message);
}
