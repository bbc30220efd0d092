/** A folder of the user's disk as entries: what `add` and `sync` read. Names are byte strings, times exact. */
import { type BigIntStats, constants, lstatSync, readdirSync, readlinkSync, realpathSync } from "node:fs";
import { DatasetError, errnoOf, messageOf } from "../errors.js";
import { EntryType } from "../manifest/entry.js";
import { type Name, bufferOf, textOf } from "../paths.js";
import { readXattrs } from "./local-xattrs.js";

interface LocalCommon {
  name: Name;
  /** Absolute, a byte string. */
  path: string;
  mode: number;
  mtimeSec: number;
  mtimeNsec: number;
  uid: number;
  gid: number;
}

export type LocalEntry =
  | (LocalCommon & { type: typeof EntryType.directory })
  | (LocalCommon & { type: typeof EntryType.symlink; target: string; hardLink: string | undefined })
  | (LocalCommon & {
      type: typeof EntryType.file;
      sizeBytes: number;
      /** Device, inode, size, mtime and ctime: while these stay, so does the content. */
      stamp: string;
      /** `device:inode` of what has several names. */
      hardLink: string | undefined;
    });

/** What a version cannot hold: left out, and named to the user. */
export interface SpecialFile {
  type: "special";
  name: Name;
  path: string;
  /** To be read after `it is `. */
  reason: string;
  /** Whether it may be a file like others, which the system cannot get at. */
  isOutOfReach: boolean;
}

/** The children of a local directory in bytewise order of names. @throws {DatasetError} `source-unreadable` */
export function readLocalDirectory(path: string): (LocalEntry | SpecialFile)[] {
  try {
    const names = readdirSync(bufferOf(path), "latin1").sort(compareBytes) as Name[];
    return names
      .map((name) => readLocalEntry(`${path}/${name}`, name))
      .filter((entry) => entry !== undefined);
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** The folder or file the user names on the command line, at its real path: a symbolic link is followed. */
export function readLocalRoot(path: string): LocalEntry | SpecialFile {
  try {
    const real = realpathSync(bufferOf(path), "latin1");
    return entryOf(real, "" as Name, lstatSync(bufferOf(real), { bigint: true }));
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** What a symbolic link leads to, under the link's name and at its real path; anything else as it is. */
export function followLink(entry: LocalEntry | SpecialFile): LocalEntry | SpecialFile {
  if (entry.type !== EntryType.symlink) return entry;
  const { name, path } = entry;
  try {
    const real = realpathSync(bufferOf(path), "latin1");
    const target = entryOf(real, name, lstatSync(bufferOf(real), { bigint: true }));
    return target.type === EntryType.file ? { ...target, hardLink: undefined } : target;
  } catch {
    return { type: "special", name, path, reason: "a link to nothing that can be read", isOutOfReach: false };
  }
}

/** One file, or undefined when it has vanished since its folder was listed. */
function readLocalEntry(path: string, name: Name): LocalEntry | SpecialFile | undefined {
  try {
    const stats = lstatSync(bufferOf(path), { bigint: true, throwIfNoEntry: false });
    return stats && entryOf(path, name, stats);
  } catch (error) {
    if (errnoOf(error) !== "ENAMETOOLONG") throw error;
    const reason = "at a path of over 4,095 bytes, the most the system takes (a writable mount can hold it)";
    return { type: "special", name, path, reason, isOutOfReach: true };
  }
}

function entryOf(path: string, name: Name, stats: BigIntStats): LocalEntry | SpecialFile {
  switch (Number(stats.mode) & constants.S_IFMT) {
    case constants.S_IFREG:
      return fileOf(path, name, stats);
    case constants.S_IFDIR:
      return { type: EntryType.directory, ...commonOf(path, name, stats) };
    case constants.S_IFLNK: {
      const target = readlinkSync(bufferOf(path), "latin1");
      return { type: EntryType.symlink, target, hardLink: hardLinkOf(stats), ...commonOf(path, name, stats) };
    }
    default:
      return { type: "special", name, path, reason: "a fifo, socket or device", isOutOfReach: false };
  }
}

/** Field by field: a hundred thousand are made in one sync, and spreading objects would double the cost of each. */
function fileOf(path: string, name: Name, stats: BigIntStats): LocalEntry {
  const mtimeSec = secondsOf(stats.mtimeNs);
  return {
    type: EntryType.file,
    name,
    path,
    mode: Number(stats.mode) & 0o7777,
    mtimeSec,
    mtimeNsec: nanosecondsOf(stats.mtimeNs, mtimeSec),
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    sizeBytes: Number(stats.size),
    stamp: stampOf(stats),
    hardLink: hardLinkOf(stats),
  };
}

function hardLinkOf({ nlink, dev, ino }: BigIntStats): string | undefined {
  return nlink > 1n ? `${dev}:${ino}` : undefined;
}

function commonOf(path: string, name: Name, stats: BigIntStats): LocalCommon {
  const mtimeSec = secondsOf(stats.mtimeNs);
  const mtimeNsec = nanosecondsOf(stats.mtimeNs, mtimeSec);
  const mode = Number(stats.mode) & 0o7777;
  return { name, path, mode, mtimeSec, mtimeNsec, uid: Number(stats.uid), gid: Number(stats.gid) };
}

/** What an entry keeps of a local file, folder or link beside its content. */
export function attributesOf({ path, mode, mtimeSec, mtimeNsec, uid, gid }: LocalCommon) {
  const xattrs = readXattrs(path);
  return { mode, mtimeSec, mtimeNsec, uid, gid, xattrs: xattrs.size > 0 ? xattrs : undefined };
}

function stampOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`;
}

const NS_PER_SECOND = 1_000_000_000n;

/** Rounded down, so that the nanoseconds beside it are never negative. */
function secondsOf(ns: bigint): number {
  const seconds = Number(ns / NS_PER_SECOND);
  return ns < 0n && BigInt(seconds) * NS_PER_SECOND !== ns ? seconds - 1 : seconds;
}

function nanosecondsOf(ns: bigint, seconds: number): number {
  return Number(ns - BigInt(seconds) * NS_PER_SECOND);
}

function compareBytes(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** What the user named, or lies in it, cannot be read. */
export function unreadable(path: string, cause: unknown): DatasetError {
  const shown = JSON.stringify(textOf(path));
  if (errnoOf(cause) === "ENOENT")
    return new DatasetError(
      "not-found",
      { what: textOf(path) },
      `Cannot read ${shown}: there is no such file or folder`,
    );
  const isDenied = errnoOf(cause) === "EACCES" || errnoOf(cause) === "EPERM";
  const message = `Cannot read ${shown}: ${isDenied ? "permission denied" : messageOf(cause)}`;
  return new DatasetError("source-unreadable", { path: textOf(path) }, message, { cause });
}
