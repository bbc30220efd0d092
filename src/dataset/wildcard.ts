/**
 * One meaning of a wildcard everywhere: in `add`, `sync`, `remove`, `list` and what else takes one. `docs/wildcards.md`
 * has the table. Paths are byte strings relative to where the patterns start: the folder walked, or a dataset's root.
 */
import { homedir } from "node:os";
import picomatch from "picomatch";
import { DatasetError } from "../errors.js";
import { textOf } from "../paths.js";

/** A pattern, or several of which one has to match. */
export type Patterns = string | readonly string[];

export interface WildcardOptions {
  /** Default true. Else `**` is `*`, a bare name is looked for at the top alone, and no folder is taken whole. */
  recursive?: boolean | undefined;
  /** Of a local folder: its absolute path, as text. Patterns may then be absolute or begin with `~`. */
  under?: string | undefined;
}

export interface Wildcards {
  /** Whether the user named none. */
  readonly areNone: boolean;
  /** Whether a pattern matches this path itself. A folder that one matches is taken with all that lies below it. */
  names(path: string, kind: "file" | "folder"): boolean;
  /** Whether a pattern may match something below this folder. */
  mayNameBelow(folder: string): boolean;
  /** Whether a file is taken: a pattern matches it, or a folder that it lies in. */
  takes(path: string): boolean;
}

interface Pattern {
  names(text: string, kind: "file" | "folder"): boolean;
  mayNameBelow(text: string): boolean;
}

/** What a list of wildcards asks for; no wildcard asks for everything. @throws {DatasetError} `bad-input` */
export function wildcardsOf(patterns: Patterns | undefined, options: WildcardOptions = {}): Wildcards {
  const list = listOfPatterns(patterns);
  const { recursive = true } = options;
  const compiled = list.length > 0 ? list.map((text) => compile(text, options)) : [everything(recursive)];
  const names: Wildcards["names"] = (path, kind) => {
    const text = textOf(path);
    return compiled.some((pattern) => pattern.names(text, kind));
  };
  return {
    areNone: list.length === 0,
    names,
    mayNameBelow: (folder) => compiled.some((pattern) => pattern.mayNameBelow(textOf(folder))),
    takes: (path) => names(path, "file") || foldersAbove(path).some((folder) => names(folder, "folder")),
  };
}

/** Whether a text can match anything but itself. */
export function isWildcard(text: string): boolean {
  return /[*?[{\\]/.test(text);
}

/** The names on a path without the empty ones and `.`. @throws {DatasetError} `bad-input` for `..` */
export function partsOfPattern(text: string): string[] {
  const parts = text.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes("..")) throw badPattern(text, 'it has a part ".."');
  return parts;
}

/** A pattern as the folder that its fixed part names (`.` for none), and a pattern for what lies below that. */
export function splitPattern(text: string): { folder: string; pattern: string } {
  const { base, glob } = picomatch.scan(portable(text));
  return base === ""
    ? { folder: text.startsWith("/") ? "/" : ".", pattern: text.replace(/^\/+/, "./") }
    : { folder: textOfLiteral(base), pattern: `./${glob}` };
}

/** A pattern that matches this text alone. */
export function literalPattern(text: string): string {
  return text.replace(/[\\*?[\]{}]/g, "\\$&");
}

/** The text a pattern without wildcards stands for. */
export function textOfLiteral(pattern: string): string {
  return pattern.replace(/\\(.)/gs, "$1");
}

/** A leading `~` or `~/` is the user's home folder. */
export function withoutTilde(text: string): string {
  return text === "~" || text.startsWith("~/") ? literalPattern(homedir()) + text.slice(1) : text;
}

function listOfPatterns(patterns: unknown): readonly string[] {
  if (patterns === undefined) return [];
  const list: unknown[] = Array.isArray(patterns) ? patterns : [patterns];
  if (list.every((pattern) => typeof pattern === "string")) return list;
  const message = "Cannot take the wildcards: they are one text or a list of texts";
  throw new DatasetError("bad-input", { value: typeof patterns }, message);
}

function everything(recursive: boolean): Pattern {
  return {
    names: (text, kind) => recursive || (kind === "file" && !text.includes("/")),
    mayNameBelow: () => recursive,
  };
}

function compile(text: string, { recursive = true, under }: WildcardOptions): Pattern {
  const whole = under === undefined ? text : withoutTilde(text);
  const parts = partsOfPattern(whole).map((part) => (part === "**" && !recursive ? "*" : part));
  if (parts.length === 0) throw badPattern(text, 'it names nothing; "*" names everything');
  const above = under !== undefined && whole.startsWith("/") ? partsOfPattern(under).join("/") : "";
  const matches = picomatch(portable(parts.join("/")), { dot: true, nonegate: true, noextglob: true });
  const isFor = (kind: "file" | "folder") => (kind === "file" ? !whole.endsWith("/") : recursive);
  if (!/^\.?\/|\/[^/]/.test(whole)) return bareName(matches, isFor, recursive);
  const base = textOfLiteral(picomatch.scan(portable(parts.join("/"))).base);
  const from = (path: string) => [above, path].filter((part) => part !== "").join("/");
  const isAbove = foldersAbove(above)
    .concat(above)
    .some((folder) => folder !== "" && matches(folder));
  return {
    names: (path, kind) => (recursive && isAbove) || (isFor(kind) && matches(from(path))),
    mayNameBelow: (path) => (recursive && isAbove) || areInLine(from(path), base),
  };
}

/** Held against the name alone, at any depth. */
function bareName(
  matches: (name: string) => boolean,
  isFor: (kind: "file" | "folder") => boolean,
  recursive: boolean,
): Pattern {
  return {
    names: (path, kind) =>
      isFor(kind) && (recursive || !path.includes("/")) && matches(path.slice(path.lastIndexOf("/") + 1)),
    mayNameBelow: () => recursive,
  };
}

/** Parentheses, `|` and `!` are part of names; what picomatch makes of them is a language of its own. */
function portable(pattern: string): string {
  return pattern.replace(/\\.|\[!|[()|]/gs, (found) => {
    if (found === "[!") return "[^";
    return found.length === 1 ? `\\${found}` : found;
  });
}

/** Whether one of two paths is the other or lies below it. */
function areInLine(a: string, b: string): boolean {
  const [short, long] = a.length < b.length ? [a, b] : [b, a];
  return short === "" || long === short || long.startsWith(`${short}/`);
}

function foldersAbove(path: string): string[] {
  const folders: string[] = [];
  for (let at = path.indexOf("/"); at >= 0; at = path.indexOf("/", at + 1)) folders.push(path.slice(0, at));
  return folders;
}

function badPattern(text: string, problem: string): DatasetError<"bad-input"> {
  return new DatasetError("bad-input", { value: text }, `Cannot take the pattern "${text}": ${problem}`);
}
