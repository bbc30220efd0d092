/**
 * `rename(2)` and `renameat2(2)`. Moving a directory is one name here and one there, whatever lies below it.
 * Source: https://man7.org/linux/man-pages/man2/rename.2.html
 */
import { FileSystemError } from "../errno.js";
import { type Ino, RenameFlag } from "../filesystem.js";
import { type Core, directoryNow, inodeNow, saveDirectoryChanged } from "./core.js";
import {
  type Place,
  cookieFor,
  deleteName,
  isBelow,
  isEmptyDirectory,
  placeOf,
  refuseReserved,
  saveName,
  takenPlace,
} from "./directories.js";
import { type Inode, type Time, changedAt, isDirectory } from "./inode.js";
import { noteOrphan, saveUnlinked } from "./remove.js";

/** A name with its inode, as the two ends of a rename. */
interface End {
  place: Place;
  inode: Inode;
}

/** @throws {FileSystemError} `ENOENT`, `EEXIST`, `EINVAL`, `ENOTEMPTY`, `ENOTDIR`, `EISDIR` */
export function rename(
  core: Core,
  from: { parent: Ino; name: string },
  to: typeof from,
  flags: number,
): void {
  const exchange = checkFlags(flags);
  const source = endOf(core, takenPlace(core, from.parent, from.name))!;
  const targetPlace = placeOf(core, to.parent, to.name);
  const target = endOf(core, targetPlace);
  refuseReserved(to.parent, to.name);
  if (target && (flags & RenameFlag.noReplace) !== 0) throw new FileSystemError("EEXIST");
  if (exchange && !target) throw new FileSystemError("ENOENT");
  refuseLoop(core, source, targetPlace, target, exchange);
  if (source.inode.ino === target?.inode.ino) return;
  if (directoryNow(core, to.parent).nlink === 0) throw new FileSystemError("ENOENT");
  if (exchange) swap(core, source, target!);
  else move(core, source, targetPlace, target);
}

function checkFlags(flags: number): boolean {
  const known = RenameFlag.noReplace | RenameFlag.exchange;
  if ((flags & ~known) !== 0 || flags === known) throw new FileSystemError("EINVAL");
  return flags === RenameFlag.exchange;
}

function endOf(core: Core, place: Place): End | undefined {
  return place.ino === undefined ? undefined : { place, inode: inodeNow(core, place.ino) };
}

/** A directory never comes to lie within itself. */
function refuseLoop(core: Core, source: End, to: Place, target: End | undefined, exchange: boolean): void {
  if (isDirectory(source.inode) && isBelow(core, to.parent, source.inode.ino))
    throw new FileSystemError("EINVAL");
  if (target && isDirectory(target.inode) && isBelow(core, source.place.parent, target.inode.ino))
    throw new FileSystemError(exchange ? "EINVAL" : "ENOTEMPTY");
}

function move(core: Core, { place: from, inode }: End, to: Place, target: End | undefined): void {
  if (target) refuseReplacing(core, inode, target.inode);
  const [cookie, now] = [cookieFor(core, to), core.now()];
  core.journal.transaction(() => {
    deleteName(core, from);
    saveName(core, to, inode.ino, cookie);
    if (target) saveUnlinked(core, target.inode, now);
    saveMoved(core, inode, to.parent, now);
    const moved = Number(isDirectory(inode));
    saveDirectoryChanged(core, from.parent, now, -moved);
    saveDirectoryChanged(core, to.parent, now, target ? 0 : moved);
  });
  if (target) noteOrphan(core, target.inode.ino);
}

function refuseReplacing(core: Core, inode: Inode, target: Inode): void {
  if (isDirectory(inode) && !isDirectory(target)) throw new FileSystemError("ENOTDIR");
  if (!isDirectory(inode) && isDirectory(target)) throw new FileSystemError("EISDIR");
  if (isDirectory(target) && !isEmptyDirectory(core, target.ino)) throw new FileSystemError("ENOTEMPTY");
}

function swap(core: Core, a: End, b: End): void {
  const [cookieA, cookieB, now] = [cookieFor(core, a.place), cookieFor(core, b.place), core.now()];
  const links = Number(isDirectory(b.inode)) - Number(isDirectory(a.inode));
  core.journal.transaction(() => {
    saveName(core, a.place, b.inode.ino, cookieA);
    saveName(core, b.place, a.inode.ino, cookieB);
    saveMoved(core, a.inode, b.place.parent, now);
    saveMoved(core, b.inode, a.place.parent, now);
    saveDirectoryChanged(core, a.place.parent, now, links);
    saveDirectoryChanged(core, b.place.parent, now, -links);
  });
}

function saveMoved({ journal }: Core, inode: Inode, parent: Ino, now: Time): void {
  const parentOfDirectory = isDirectory(inode) ? parent : undefined;
  journal.inodes.save({ ...inode, parent: parentOfDirectory, ...changedAt(now) });
}
