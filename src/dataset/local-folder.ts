/** A folder of the user's disk as entries: what `add` and `sync` read. Names are byte strings, times exact. */
import { type BigIntStats, constants, lstatSync, readdirSync, readlinkSync, realpathSync } from "node:fs";
import { DatasetError, errnoOf } from "../errors.js";
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
  xattrs?: ReadonlyMap<string, Uint8Array> | undefined;
}

export type LocalEntry =
  | (LocalCommon & { type: typeof EntryType.directory })
  | (LocalCommon & { type: typeof EntryType.symlink; target: string })
  | (LocalCommon & {
      type: typeof EntryType.file;
      sizeBytes: number;
      /** Device, inode, size, mtime and ctime: while these stay, so does the content. */
      stamp: string;
      /** `device:inode` of a file with several names. */
      hardLink: string | undefined;
    });

/** A fifo, socket or device: left out, and named to the user. */
export interface SpecialFile {
  type: "special";
  name: Name;
  path: string;
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

/** One file, or undefined when it has vanished since its folder was listed. */
function readLocalEntry(path: string, name: Name): LocalEntry | SpecialFile | undefined {
  const stats = lstatSync(bufferOf(path), { bigint: true, throwIfNoEntry: false });
  return stats && entryOf(path, name, stats);
}

function entryOf(path: string, name: Name, stats: BigIntStats): LocalEntry | SpecialFile {
  const mode = Number(stats.mode);
  const common = {
    name,
    path,
    mode: mode & 0o7777,
    ...timeOf(stats.mtimeNs),
    uid: Number(stats.uid),
    gid: Number(stats.gid),
  };
  switch (mode & constants.S_IFMT) {
    case constants.S_IFDIR:
      return { ...common, type: EntryType.directory, ...xattrsOf(path) };
    case constants.S_IFLNK:
      return { ...common, type: EntryType.symlink, target: readlinkSync(bufferOf(path), "latin1") };
    case constants.S_IFREG:
      return {
        ...common,
        type: EntryType.file,
        sizeBytes: Number(stats.size),
        stamp: stampOf(stats),
        hardLink: stats.nlink > 1n ? `${stats.dev}:${stats.ino}` : undefined,
        ...xattrsOf(path),
      };
    default:
      return { type: "special", name, path };
  }
}

/** What an entry keeps of a local file, folder or link beside its content. */
export function attributesOf({
  mode,
  mtimeSec,
  mtimeNsec,
  uid,
  gid,
  xattrs,
}: Omit<LocalCommon, "name" | "path">) {
  return { mode, mtimeSec, mtimeNsec, uid, gid, xattrs };
}

function xattrsOf(path: string): { xattrs?: ReadonlyMap<string, Uint8Array> } {
  const xattrs = readXattrs(path);
  return xattrs.size > 0 ? { xattrs } : {};
}

function stampOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`;
}

const NS_PER_SECOND = 1_000_000_000n;

function timeOf(ns: bigint): { mtimeSec: number; mtimeNsec: number } {
  const rest = ((ns % NS_PER_SECOND) + NS_PER_SECOND) % NS_PER_SECOND;
  return { mtimeSec: Number((ns - rest) / NS_PER_SECOND), mtimeNsec: Number(rest) };
}

function compareBytes(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function unreadable(path: string, cause: unknown): DatasetError {
  const shown = JSON.stringify(textOf(path));
  if (errnoOf(cause) === "ENOENT")
    return new DatasetError(
      "not-found",
      { what: textOf(path) },
      `Cannot read ${shown}: there is no such file or folder`,
    );
  const message = `Cannot read ${shown}: ${cause instanceof Error ? cause.message : String(cause)}`;
  return new DatasetError("source-unreadable", { path: textOf(path) }, message, { cause });
}
