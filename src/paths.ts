/**
 * Names and paths inside a version. A name is bytes, not text: it is held as a string of one character a byte
 * (latin1), so that it compares bytewise with `<`, is a key of a Map, and goes to the system and back unchanged.
 * Everything from outside passes `checkPath` or `checkName` once, here.
 */
import { DatasetError } from "./errors.js";

/** One component of a path, as a byte string: not empty, no `/`, no NUL, neither `.` nor `..`, at most 255 bytes. */
export type Name = string & { readonly brand: "Name" };

/** A path relative to a tree's root, names joined by `/`, as a byte string. The root is the empty string. */
export type TreePath = string & { readonly brand: "TreePath" };

export const ROOT = "" as TreePath;

/** POSIX NAME_MAX: what the kernel accepts for one component. */
export const NAME_MAX_BYTES = 255;
/** A tree may be deeper than PATH_MAX, since it is walked name by name; this bounds a key in a manifest. */
export const PATH_MAX_BYTES = 65_535;
/** Reserved at a tree's root: the mount shows its own facts there. */
export const RESERVED_NAME = ".varve";

/** Text of the user (UTF-8) as a byte string. */
export function bytesOfText(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

/** A byte string as text for people; bytes that are not UTF-8 become U+FFFD. */
export function textOf(bytes: string): string {
  return Buffer.from(bytes, "latin1").toString("utf8");
}

/** A byte string for JSON: text where it is UTF-8, else `{"bytes": base64}`. */
export function jsonOf(bytes: string): string | { bytes: string } {
  const raw = Buffer.from(bytes, "latin1");
  const text = raw.toString("utf8");
  return Buffer.from(text, "utf8").equals(raw) ? text : { bytes: raw.toString("base64") };
}

/** A byte string as the Buffer that `node:fs` takes for a path. */
export function bufferOf(bytes: string): Buffer {
  return Buffer.from(bytes, "latin1");
}

/** Checks one component. @throws {DatasetError} `bad-input` */
export function checkName(bytes: string): Name {
  const problem = problemOfName(bytes);
  if (problem) throw badPath(bytes, problem);
  return bytes as Name;
}

/** Checks a whole relative path; the empty string is the root. @throws {DatasetError} `bad-input` */
export function checkPath(bytes: string): TreePath {
  if (bytes === "") return ROOT;
  if (bytes.length > PATH_MAX_BYTES) throw badPath(bytes.slice(0, 64), `is over ${PATH_MAX_BYTES} bytes`);
  if (bytes.startsWith("/")) throw badPath(bytes, "is absolute");
  for (const name of bytes.split("/")) {
    const problem = problemOfName(name);
    if (problem) throw badPath(bytes, problem);
  }
  return bytes as TreePath;
}

/**
 * A path as people write it for a place inside a dataset: UTF-8, with a leading or trailing `/` or `./` forgiven.
 * @throws {DatasetError} `bad-input` for `..`, NUL and names too long
 */
export function pathOfText(text: string): TreePath {
  const parts = text.split("/").filter((part) => part !== "" && part !== ".");
  return checkPath(bytesOfText(parts.join("/")));
}

/** Path of `name` in the directory `parent`. */
export function joinPath(parent: TreePath, name: string): TreePath {
  return (parent === "" ? name : `${parent}/${name}`) as TreePath;
}

/** The directory a path lies in; the root's is the root. */
export function parentOf(path: TreePath): TreePath {
  return path.slice(0, Math.max(0, path.lastIndexOf("/"))) as TreePath;
}

/** The last component; empty for the root. */
export function nameOf(path: TreePath): Name {
  return path.slice(path.lastIndexOf("/") + 1) as Name;
}

/** Whether `path` is `directory` or lies below it. */
export function isWithin(path: TreePath, directory: TreePath): boolean {
  return directory === "" || path === directory || path.startsWith(`${directory}/`);
}

function problemOfName(name: string): string | undefined {
  if (name === "") return "has an empty component";
  if (name === "." || name === "..") return `has a component "${name}"`;
  if (name.length > NAME_MAX_BYTES) return `has a component of over ${NAME_MAX_BYTES} bytes`;
  if (name.includes("\0")) return "has a NUL byte";
  if (name.includes("/")) return "has a slash in a name";
  return undefined;
}

function badPath(bytes: string, problem: string): DatasetError<"bad-input"> {
  const shown = JSON.stringify(textOf(bytes.slice(0, 300)));
  return new DatasetError(
    "bad-input",
    { value: textOf(bytes) },
    `Cannot take the path ${shown}: it ${problem}`,
  );
}
