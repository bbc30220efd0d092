/**
 * Writes files, symbolic links and folders of a copy, for its threads. A file that is not in anybody's way is written
 * under its name; one that takes another's place is written beside it and renamed, so that its path is never without a
 * file. Folders are made and looked at before what lies in them, so no symbolic link is ever followed.
 */
import {
  type Stats,
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  fchmodSync,
  fstatSync,
  ftruncateSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  symlinkSync,
  writeSync,
} from "node:fs";
import { randomUUID } from "node:crypto";
import type { Holes } from "../../content/source.js";
import { DatasetError, errnoOf } from "../../errors.js";
import { type Span, without } from "../../fs/overlay/spans.js";
import { type TreePath, bufferOf, textOf } from "../../paths.js";
import type { EndedFolder, Place, WantedEntry } from "./copy-jobs.js";
import { setTimes, setTimesAt, setXattrs } from "./local-attributes.js";
import { takeAway } from "./take-away.js";

const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
const OWNER_ALL = 0o700;
const PERMISSION_BITS = 0o777;
const OWNER_WRITES = 0o600;

/** Makes a folder, or sees that there is one, and that we may write to it. @throws {DatasetError} `conflict` */
export function makeFolder(place: Place, path: TreePath): void {
  const full = fullPath(place, path);
  const at = bufferOf(full);
  const stat = lstatSync(at, { throwIfNoEntry: false });
  if (stat?.isDirectory()) {
    if ((stat.mode & OWNER_ALL) !== OWNER_ALL) chmodSync(at, (stat.mode & 0o777) | OWNER_ALL);
    return;
  }
  if (stat) makeWay(place, path);
  mkdirSync(at, { mode: OWNER_ALL });
}

/** Writes a small file, or makes a symbolic link; gives what the system says of it. */
export function writeEntry(place: Place, entry: WantedEntry, bytes: Uint8Array): Stats {
  const full = fullPath(place, entry.path);
  if (entry.kind === "symlink") return makeSymlink(place, entry);
  const mode = entry.xattrs ? OWNER_WRITES : entry.mode;
  const { fd, path } = createFile(place, entry.path, mode);
  try {
    if (entry.holes) ftruncateSync(fd, entry.sizeBytes);
    writeRuns(fd, bytes, 0, entry.holes);
    return settle(fd, path, full, entry);
  } finally {
    closeSync(fd);
  }
}

/** Makes a file of the full size, to be filled. Gives its path. */
export function beginFile(place: Place, entry: WantedEntry): string {
  const { fd, path } = createFile(place, entry.path, OWNER_WRITES);
  try {
    ftruncateSync(fd, entry.sizeBytes);
    return path;
  } finally {
    closeSync(fd);
  }
}

export function fillFile(path: string, at: number, bytes: Uint8Array, holes: Holes | undefined): void {
  const fd = openSync(bufferOf(path), constants.O_WRONLY | constants.O_NOFOLLOW);
  try {
    writeRuns(fd, bytes, at, holes);
  } finally {
    closeSync(fd);
  }
}

export function finishFile(place: Place, path: string, entry: WantedEntry): Stats {
  const full = fullPath(place, entry.path);
  const fd = openSync(bufferOf(path), constants.O_WRONLY | constants.O_NOFOLLOW);
  try {
    return settle(fd, path, full, entry);
  } finally {
    closeSync(fd);
  }
}

/** A file that shares the blocks of another, or where the file system cannot, a copy of it. */
export function cloneFile(place: Place, entry: WantedEntry, from: string): Stats {
  const full = fullPath(place, entry.path);
  const aside = asideOf(full);
  copyFileSync(from, bufferOf(aside), constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
  chmodSync(bufferOf(aside), OWNER_WRITES);
  if (lstatSync(bufferOf(full), { throwIfNoEntry: false })) makeWay(place, entry.path, "folder");
  return finishFile(place, aside, entry);
}

/** Gives what is there its attributes. */
export function adjust(place: Place, entry: WantedEntry): Stats {
  const at = bufferOf(fullPath(place, entry.path));
  if (entry.kind !== "symlink") {
    chmodSync(at, entry.mode | OWNER_WRITES);
    setXattrs(at, entry.xattrs ?? new Map());
    chmodSync(at, entry.mode);
  }
  setTimesAt(at, entry);
  return lstatSync(at);
}

/** Gives a file a further name. */
export function linkFile(place: Place, from: TreePath, to: TreePath): boolean {
  const [source, target] = [bufferOf(fullPath(place, from)), bufferOf(fullPath(place, to))];
  const there = lstatSync(target, { throwIfNoEntry: false });
  if (there && there.ino === lstatSync(source).ino) return false;
  if (there) makeWay(place, to);
  linkSync(source, target);
  return true;
}

/** Takes out of a folder what is not to be kept, and gives it its attributes. */
export function endFolder(place: Place, { entry, keep }: EndedFolder): { stat: Stats; removed: number } {
  const full = fullPath(place, entry.path);
  const at = bufferOf(full);
  let removed = 0;
  if (keep) {
    const names = new Set(keep);
    for (const name of readdirSync(at, "latin1"))
      if (!names.has(name)) removed += takeAway(`${full}/${name}`, place.device);
  }
  if (entry.xattrs) setXattrs(at, entry.xattrs);
  chmodSync(at, entry.mode);
  setTimesAt(at, entry);
  return { stat: lstatSync(at), removed };
}

export function fullPath({ root }: Pick<Place, "root">, path: TreePath): string {
  return path === "" ? root : `${root}/${path}`;
}

function makeSymlink(place: Place, entry: WantedEntry): Stats {
  const full = fullPath(place, entry.path);
  if (lstatSync(bufferOf(full), { throwIfNoEntry: false })) makeWay(place, entry.path);
  symlinkSync(bufferOf(entry.target!), bufferOf(full));
  setTimesAt(bufferOf(full), entry);
  return lstatSync(bufferOf(full));
}

/** A new file at its path; where something is in the way, one beside it that is to take its place. */
function createFile(place: Place, path: TreePath, mode: number): { fd: number; path: string } {
  const full = fullPath(place, path);
  try {
    return { fd: openSync(bufferOf(full), NEW_FILE, mode), path: full };
  } catch (error) {
    if (errnoOf(error) !== "EEXIST") throw error;
  }
  makeWay(place, path, "folder");
  const aside = asideOf(full);
  return { fd: openSync(bufferOf(aside), NEW_FILE, mode), path: aside };
}

/** No name of the version: those that are left when we are killed are taken out of their folder with all that does not belong there. */
function asideOf(full: string): string {
  return `${full.slice(0, full.lastIndexOf("/"))}/.varve-${randomUUID()}`;
}

/** @param only What a rename does not replace. @throws {DatasetError} `conflict` unless it may be replaced */
function makeWay(place: Place, path: TreePath, only?: "folder"): void {
  const full = fullPath(place, path);
  if (!place.replace) throw inTheWay(full);
  if (only && !lstatSync(bufferOf(full)).isDirectory()) return;
  takeAway(full, place.device);
}

/** Gives a file its attributes and its name; what the system then says of it comes last, since all of that changes its ctime. */
function settle(fd: number, path: string, full: string, entry: WantedEntry): Stats {
  if (entry.xattrs) setXattrs(bufferOf(path), entry.xattrs);
  setTimes(fd, entry);
  if (path !== full) renameSync(bufferOf(path), bufferOf(full));
  const stat = fstatSync(fd);
  if ((stat.mode & PERMISSION_BITS) === entry.mode) return stat;
  fchmodSync(fd, entry.mode);
  return fstatSync(fd);
}

function writeRuns(fd: number, bytes: Uint8Array, offset: number, holes: Holes = []): void {
  const spans = holes.map(([start, end]) => ({ start, end }));
  for (const { start, end } of dataIn({ start: offset, end: offset + bytes.length }, spans))
    writeFully(fd, bytes.subarray(start - offset, end - offset), start);
}

function dataIn(span: Span, holes: Span[]): Span[] {
  return holes.length === 0 ? [span] : without(holes, span);
}

/** A disk that fills up takes a part first, and fails at the next attempt. */
function writeFully(fd: number, bytes: Uint8Array, offset: number): void {
  for (let done = 0; done < bytes.length;)
    done += writeSync(fd, bytes, done, bytes.length - done, offset + done);
}

function inTheWay(full: string): DatasetError<"conflict"> {
  const shown = textOf(full);
  const message = `Cannot write "${shown}": something is there already; on a file system that takes names of other case for the same, two entries of the version may be one`;
  return new DatasetError("conflict", { what: shown }, message);
}
