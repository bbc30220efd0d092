/** Making things: files, directories, symbolic links, special files, and further names for what there is. */
import { FileSystemError } from "../errno.js";
import { type Attributes, type Caller, FileType, type Ino, TYPE_MASK } from "../filesystem.js";
import { type Core, attributesNow, directoryNow, inodeNow, saveDirectoryChanged } from "./core.js";
import { cookieFor, freePlace, saveName } from "./directories.js";
import { type Inode, InodeFlag, bornAt, changedAt, isDirectory } from "./inode.js";

const S_ISGID = 0o2000;
/** What most file systems show for a small directory. */
const DIRECTORY_BYTES = 4096;
/** Linux PATH_MAX, less the NUL that ends it. */
const TARGET_MAX_BYTES = 4095;
const MAKEABLE: readonly number[] = [
  FileType.file,
  FileType.fifo,
  FileType.socket,
  FileType.character,
  FileType.block,
];

/** What a new inode is, besides its owner and times. */
interface NewInode {
  /** Type and permission bits; the kernel has applied the umask. */
  mode: number;
  rdev?: number;
  target?: string;
}

/** A new file. One opened to be written counts as written, and not closed since, from the first. */
export function makeFile(
  core: Core,
  parent: Ino,
  name: string,
  mode: number,
  caller: Caller,
  opened: boolean,
): Ino {
  const wanted = { mode: FileType.file | (mode & ~TYPE_MASK) };
  return makeNamed(core, { parent, name }, wanted, caller, opened).ino;
}

/** A new file without a name (`O_TMPFILE`), which goes with its last handle unless `link` gives it one. */
export function makeNameless(core: Core, parent: Ino, mode: number, caller: Caller): Ino {
  core.space.require();
  const wanted = { mode: FileType.file | (mode & ~TYPE_MASK) };
  const inode = {
    ...newInode(core, directoryNow(core, parent), wanted, caller),
    nlink: 0,
    flags: InodeFlag.nameless,
  };
  core.journal.transaction(() => core.journal.inodes.save(inode));
  core.orphans.add(inode.ino);
  return inode.ino;
}

export function makeDirectory(
  core: Core,
  parent: Ino,
  name: string,
  mode: number,
  caller: Caller,
): Attributes {
  const inherited = directoryNow(core, parent).mode & S_ISGID;
  const wanted = { mode: FileType.directory | (mode & ~TYPE_MASK) | inherited };
  return attributesNow(core, makeNamed(core, { parent, name }, wanted, caller, false).ino);
}

/** @throws {FileSystemError} `EINVAL` for a type that has its own call */
export function makeNode(
  core: Core,
  parent: Ino,
  name: string,
  { mode, rdev }: { mode: number; rdev: number },
  caller: Caller,
): Attributes {
  const type = mode & TYPE_MASK || FileType.file;
  if (!MAKEABLE.includes(type)) throw new FileSystemError("EINVAL");
  const wanted = { mode: type | (mode & ~TYPE_MASK), rdev };
  return attributesNow(core, makeNamed(core, { parent, name }, wanted, caller, false).ino);
}

export function makeSymlink(
  core: Core,
  parent: Ino,
  name: string,
  target: string,
  caller: Caller,
): Attributes {
  if (target === "") throw new FileSystemError("ENOENT");
  if (target.length > TARGET_MAX_BYTES) throw new FileSystemError("ENAMETOOLONG");
  const wanted = { mode: FileType.symlink | 0o777, target };
  return attributesNow(core, makeNamed(core, { parent, name }, wanted, caller, false).ino);
}

/** Gives a file a further name. @throws {FileSystemError} `EPERM` for a directory, `EEXIST`, `ENOENT`, `ENOSPC` */
export function makeLink(core: Core, ino: Ino, parent: Ino, name: string): Attributes {
  core.space.require();
  const place = freePlace(core, parent, name);
  const inode = inodeNow(core, ino);
  if (isDirectory(inode)) throw new FileSystemError("EPERM");
  const isNameless = (inode.flags & InodeFlag.nameless) !== 0;
  if (inode.nlink === 0 && !isNameless) throw new FileSystemError("ENOENT");
  const [cookie, now] = [cookieFor(core, place), core.now()];
  const flags = inode.flags & ~InodeFlag.nameless;
  core.journal.transaction(() => {
    core.journal.inodes.save({ ...inode, nlink: inode.nlink + 1, flags, ...changedAt(now) });
    saveName(core, place, ino, cookie);
    saveDirectoryChanged(core, parent, now);
  });
  core.orphans.delete(ino);
  return attributesNow(core, ino);
}

function makeNamed(
  core: Core,
  { parent, name }: { parent: Ino; name: string },
  wanted: NewInode,
  caller: Caller,
  isOpened: boolean,
): Inode {
  core.space.require();
  const place = freePlace(core, parent, name);
  const directory = directoryNow(core, parent);
  const flags = isOpened ? InodeFlag.unflushed : 0;
  const inode = { ...newInode(core, directory, wanted, caller), flags };
  const cookie = cookieFor(core, place);
  const now = { sec: inode.mtimeSec, nsec: inode.mtimeNsec };
  core.journal.transaction(() => {
    if (isOpened) core.journal.inodes.saveLagging(inode);
    else core.journal.inodes.save(inode);
    saveName(core, place, inode.ino, cookie);
    saveDirectoryChanged(core, parent, now, isDirectory(inode) ? 1 : 0);
  });
  if (isOpened) core.journal.inodes.advance(inode);
  return inode;
}

/** Takes a serial, so not within a transaction. */
function newInode(core: Core, directory: Inode, wanted: NewInode, caller: Caller): Inode {
  const ino = core.journal.nextSerial();
  const { mode, rdev = 0, target } = wanted;
  const gid = directory.mode & S_ISGID ? directory.gid : caller.gid;
  const isFolder = isDirectory({ mode });
  const sizeBytes = isFolder ? DIRECTORY_BYTES : (target?.length ?? 0);
  const links = { nlink: isFolder ? 2 : 1, parent: isFolder ? directory.ino : undefined };
  const content = { sizeBytes, baseSizeBytes: 0, target };
  return { ino, mode, uid: caller.uid, gid, rdev, flags: 0, ...links, ...content, ...bornAt(core.now()) };
}
