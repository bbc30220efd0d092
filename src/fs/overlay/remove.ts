/** Taking names away, and dropping an inode once it has no name and nobody has it any more. */
import { FileSystemError } from "../errno.js";
import type { Ino } from "../filesystem.js";
import { type Core, inodeNow, saveDirectoryChanged } from "./core.js";
import { deleteName, isEmptyDirectory, takenPlace } from "./directories.js";
import { type Inode, type Time, changedAt, isDirectory } from "./inode.js";

/** @throws {FileSystemError} `ENOENT`, `EISDIR` */
export function removeFile(core: Core, parent: Ino, name: string): void {
  const place = takenPlace(core, parent, name);
  const inode = inodeNow(core, place.ino);
  if (isDirectory(inode)) throw new FileSystemError("EISDIR");
  const now = core.now();
  core.journal.transaction(() => {
    deleteName(core, place);
    saveUnlinked(core, inode, now);
    saveDirectoryChanged(core, parent, now);
  });
  noteOrphan(core, place.ino);
}

/** @throws {FileSystemError} `ENOENT`, `ENOTDIR`, `ENOTEMPTY` */
export function removeDirectory(core: Core, parent: Ino, name: string): void {
  const place = takenPlace(core, parent, name);
  const inode = inodeNow(core, place.ino);
  if (!isDirectory(inode)) throw new FileSystemError("ENOTDIR");
  if (!isEmptyDirectory(core, place.ino)) throw new FileSystemError("ENOTEMPTY");
  const now = core.now();
  core.journal.transaction(() => {
    deleteName(core, place);
    saveUnlinked(core, inode, now);
    saveDirectoryChanged(core, parent, now, -1);
  });
  noteOrphan(core, place.ino);
}

/** Takes one name off an inode; an empty directory has but one. Within a transaction. */
export function saveUnlinked({ journal }: Core, inode: Inode, now: Time): void {
  const nlink = isDirectory(inode) ? 0 : inode.nlink - 1;
  journal.inodes.save({ ...inode, nlink, ...changedAt(now) });
}

/** To be called after a name was taken off an inode. */
export function noteOrphan(core: Core, ino: Ino): void {
  if (core.journal.inodes.get(ino)?.nlink === 0) core.orphans.add(ino);
}

/** Drops an inode that has neither a name nor anybody who has it; all others are left alone. */
export function dropIfUnused(core: Core, ino: Ino): void {
  if (!core.orphans.has(ino) || core.handles.isOpen(ino)) return;
  dropInode(core, ino);
}

/** The rows, then the file: a crash between leaves bytes that no row names, removed when the overlay is opened. */
export function dropInode(core: Core, ino: Ino): void {
  const { journal } = core;
  core.clones.keepWhole(ino);
  journal.transaction(() => {
    journal.inodes.delete(ino);
    journal.extents.cut([ino], 0);
    journal.xattrs.deleteAll(ino);
    journal.names.deleteAll(ino);
  });
  journal.inodes.forget(ino);
  core.data.remove(ino);
  core.orphans.delete(ino);
  core.failedUnwritten.delete(ino);
}
