/** Entries of a version as `ls` shows them, to people and to programs. */
import { type Entry, EntryType } from "../manifest/entry.js";
import { jsonOf } from "../paths.js";
import { formatBytes, formatPath, printable } from "./format.js";

export const TYPE_NAME = {
  [EntryType.directory]: "directory",
  [EntryType.file]: "file",
  [EntryType.symlink]: "symlink",
  [EntryType.link]: "link",
} as const;

const TYPE_LETTER = {
  [EntryType.directory]: "d",
  [EntryType.file]: "-",
  [EntryType.symlink]: "l",
  [EntryType.link]: "-",
} as const;

/** `mode` in octal as chmod takes it; `mtime` in ISO 8601 to the nanosecond. */
export function entryJson(entry: Entry): Record<string, unknown> {
  return {
    path: jsonOf(entry.path),
    type: TYPE_NAME[entry.type],
    size: sizeOf(entry),
    mode: entry.mode.toString(8).padStart(4, "0"),
    mtime: mtimeText(entry),
    sha256: "sha256" in entry ? (entry.sha256 ?? null) : null,
    ...(entry.type === EntryType.symlink && { target: jsonOf(entry.target) }),
    ...(entry.type === EntryType.link && { url: entry.url, pin: entry.pin || null }),
  };
}

/** The cells of `ls -l`: mode, size, time, name. */
export function entryCells(entry: Entry, name: string): string[] {
  const size = entry.type === EntryType.directory ? "-" : formatBytes(sizeOf(entry));
  const time = mtimeText(entry).slice(0, 19).replace("T", " ");
  return [TYPE_LETTER[entry.type] + permissions(entry.mode), size, time, formatPath(name) + targetOf(entry)];
}

function targetOf(entry: Entry): string {
  if (entry.type === EntryType.symlink) return ` -> ${formatPath(entry.target)}`;
  if (entry.type !== EntryType.link) return "";
  return ` -> ${printable(entry.url)}${entry.pin === "" ? " (unpinned)" : ""}`;
}

function sizeOf(entry: Entry): number {
  if (entry.type === EntryType.symlink) return entry.target.length;
  return entry.type === EntryType.directory ? 0 : entry.sizeBytes;
}

function mtimeText({ mtimeSec, mtimeNsec }: Entry): string {
  const seconds = new Date(mtimeSec * 1000).toISOString().slice(0, -5);
  return `${seconds}.${String(mtimeNsec).padStart(9, "0")}Z`;
}

function permissions(mode: number): string {
  const letters = Array.from("rwxrwxrwx", (letter, bit) => (mode & (0o400 >> bit) ? letter : "-"));
  const special = (bit: number, index: number, letter: string) => {
    if (mode & bit) letters[index] = letters[index] === "x" ? letter : letter.toUpperCase();
  };
  special(0o4000, 2, "s");
  special(0o2000, 5, "s");
  special(0o1000, 8, "t");
  return letters.join("");
}
