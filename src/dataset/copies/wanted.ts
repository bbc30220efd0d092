/** How an entry of a version is to stand in a folder: as it is kept, or so that nobody changes it by mistake. */
import { type Entry, EntryType } from "../../manifest/entry.js";
import type { WantedEntry } from "./copy-jobs.js";

/** `kept`: with its mode. `read-only`: nobody may write; a program stays one. */
export type Style = "kept" | "read-only";

/** Set-uid and set-gid are not given to a file that belongs to another than in the version; sticky has no meaning for most. */
const PERMISSION_BITS = 0o777;
const EXECUTABLE_BITS = 0o111;
const READ_ONLY = 0o444;
const READ_ONLY_PROGRAM = 0o555;

/** Pure. */
export function wantedOf(entry: Entry, style: Style): WantedEntry {
  const { path, mtimeSec, mtimeNsec, xattrs } = entry;
  const common = { path, mode: modeOf(entry, style), mtimeSec, mtimeNsec, xattrs, names: 1 };
  if (entry.type === EntryType.directory) return { ...common, kind: "directory", sizeBytes: 0 };
  if (entry.type === EntryType.symlink)
    return { ...common, kind: "symlink", sizeBytes: 0, target: entry.target, xattrs: undefined };
  const { sizeBytes, sha256 } = entry;
  if (entry.type === EntryType.link) return { ...common, kind: "file", sizeBytes, sha256 };
  const names = style === "kept" ? 1 + (entry.hardLinks?.length ?? 0) : 1;
  return { ...common, kind: "file", sizeBytes, sha256, holes: entry.holes, names };
}

function modeOf({ type, mode }: Entry, style: Style): number {
  if (style === "kept") return mode & PERMISSION_BITS;
  const isProgram = type === EntryType.directory || (mode & EXECUTABLE_BITS) !== 0;
  return isProgram ? READ_ONLY_PROGRAM : READ_ONLY;
}
