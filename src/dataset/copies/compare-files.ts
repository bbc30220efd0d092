/** How files that are there compare with what they should be: by what the system says of them, or by reading them. For the threads of a copy. */
import { type Stats, lstatSync, readlinkSync } from "node:fs";
import { hashOfFile } from "../../content/read-content.js";
import { isDatasetError } from "../../errors.js";
import { bufferOf } from "../../paths.js";
import { FACTS, type Facts, Standing, type WantedEntry } from "./copy-jobs.js";
import { hasXattrs } from "./local-attributes.js";

const PERMISSION_BITS = 0o777;
const KIND = { file: "isFile", symlink: "isSymbolicLink", directory: "isDirectory" } as const;

/** Notes what the system says of the file of an index; undefined: nothing is there. */
export function noteFacts(facts: Facts, index: number, stat: Stats | undefined): void {
  facts.set(stat ? [stat.size, stat.mtimeMs, stat.ctimeMs, stat.ino] : [0, 0, 0, 0], index * FACTS);
}

/** What is at a path, if something is. */
export function statOf(path: string): Stats | undefined {
  return lstatSync(bufferOf(path), { throwIfNoEntry: false });
}

/** Whether what is at a path is as the facts of an index say. A ctime cannot be set back, which an mtime can. */
export function isAsNoted(path: string, facts: Facts, index: number): boolean {
  const at = index * FACTS;
  if (facts[at + 3] === 0) return false;
  const stat = statOf(path);
  return (
    stat !== undefined &&
    stat.ctimeMs === facts[at + 2] &&
    stat.mtimeMs === facts[at + 1] &&
    stat.size === facts[at] &&
    stat.ino === facts[at + 3]
  );
}

/** Compares what is at a path with an entry; costs reading a file of the same size. A link whose hash nobody knows is never the same. */
export function standingOf(path: string, entry: WantedEntry): Standing {
  const at = bufferOf(path);
  const stat = statOf(path);
  if (!stat) return Standing.missing;
  if (!stat[KIND[entry.kind]]()) return Standing.content;
  if (entry.kind === "file" && !sameContent(path, stat, entry)) return Standing.content;
  if (entry.kind === "symlink" && readlinkSync(at, "latin1") !== entry.target) return Standing.content;
  return sameAttributes(at, stat, entry) ? Standing.same : Standing.attributes;
}

/** A file that has names beyond those of the version is another's too: it must not be changed in place. */
function sameContent(path: string, stat: Stats, { sizeBytes, sha256, names }: WantedEntry): boolean {
  if (stat.size !== sizeBytes || stat.nlink > names || sha256 === undefined) return false;
  try {
    return hashOfFile(path).sha256 === sha256;
  } catch (error) {
    if (isDatasetError(error, "source-changed") || isDatasetError(error, "source-unreadable")) return false;
    throw error;
  }
}

function sameAttributes(at: Buffer, stat: Stats, { kind, mode, xattrs, ...mtime }: WantedEntry): boolean {
  if (kind !== "symlink" && (stat.mode & PERMISSION_BITS) !== mode) return false;
  return isSameTime(stat.mtimeMs, mtime) && (kind === "symlink" || hasXattrs(at, xattrs));
}

/** As exact as a number of milliseconds is: to a quarter of a microsecond. */
function isSameTime(
  mtimeMs: number,
  { mtimeSec, mtimeNsec }: { mtimeSec: number; mtimeNsec: number },
): boolean {
  return Math.abs(mtimeMs - (mtimeSec * 1_000 + mtimeNsec / 1e6)) < 0.001;
}
