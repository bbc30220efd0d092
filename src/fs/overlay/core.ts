/**
 * What all operations of an overlay share: the parts it is made of, and inodes as they are now, from the journal
 * where they differ and from the base where they do not.
 */
import { FileSystemError } from "../errno.js";
import { type Attributes, type Ino, ROOT_INO } from "../filesystem.js";
import { parentOf } from "../../paths.js";
import { type BaseFiles, inoOf, ordinalOf } from "./base.js";
import type { Clones } from "./clones.js";
import type { DataFiles } from "./data-files.js";
import type { Handles } from "./handles.js";
import {
  type Inode,
  InodeFlag,
  type ModifiedTimes,
  type Time,
  attributesOf,
  inodeOfBase,
  isDirectory,
  isFile,
  isSymlink,
  modifiedAt,
} from "./inode.js";
import type { Journal } from "./journal.js";
import type { Space } from "./space.js";

const STAT_BLOCK_BYTES = 512n;

/** The parts of an overlay. */
export interface Core {
  readonly base: BaseFiles;
  readonly journal: Journal;
  readonly data: DataFiles;
  readonly clones: Clones;
  readonly space: Space;
  readonly handles: Handles;
  /** Inodes without a name that somebody still has. */
  readonly orphans: Set<Ino>;
  /** Files a write to which failed when not even the journal could be told. */
  readonly failedUnwritten: Set<Ino>;
  readonly now: () => Time;
  /** What a write to a file, or a change of its size, makes of its times. */
  readonly written: () => Partial<ModifiedTimes>;
}

/** An inode as it is now. @throws {FileSystemError} `ESTALE` for one that was dropped */
export function inodeNow({ base, journal }: Core, ino: Ino): Inode {
  const inode = journal.inodes.get(ino);
  if (inode) return inode;
  const ordinal = ordinalOf(ino);
  if (ordinal === undefined) throw new FileSystemError("ESTALE");
  return inodeOfBase(base, ordinal);
}

/** An inode that has to be a directory. @throws {FileSystemError} `ENOTDIR` */
export function directoryNow(core: Core, ino: Ino): Inode {
  const inode = inodeNow(core, ino);
  if (!isDirectory(inode)) throw new FileSystemError("ENOTDIR");
  return inode;
}

/** An inode that has to have bytes. @throws {FileSystemError} `EISDIR`, `EINVAL` */
export function fileNow(core: Core, ino: Ino): Inode {
  const inode = inodeNow(core, ino);
  if (isDirectory(inode)) throw new FileSystemError("EISDIR");
  if (!isFile(inode)) throw new FileSystemError("EINVAL");
  return inode;
}

export function targetNow(core: Core, ino: Ino): string {
  const inode = inodeNow(core, ino);
  if (!isSymlink(inode)) throw new FileSystemError("EINVAL");
  return inode.target ?? "";
}

/** What `stat` shows of an inode. An inode of the base that nobody has changed costs no query. */
export function attributesNow(core: Core, ino: Ino): Attributes {
  const inode = core.journal.inodes.get(ino);
  if (inode) return attributesOf(inode, allocatedBytes(core, inode));
  const ordinal = ordinalOf(ino);
  if (ordinal === undefined) throw new FileSystemError("ESTALE");
  return core.base.attributes(ordinal);
}

/** Where `..` of a directory leads. */
export function parentNow({ base, journal }: Core, ino: Ino): Ino {
  if (ino === ROOT_INO) return ROOT_INO;
  const moved = journal.inodes.get(ino)?.parent;
  if (moved !== undefined) return moved;
  const ordinal = ordinalOf(ino);
  const parent = ordinal === undefined ? undefined : base.tree.find(parentOf(base.tree.path(ordinal)));
  if (parent === undefined) throw new FileSystemError("ESTALE");
  return inoOf(parent);
}

/** Notes in a directory that its names changed; `links` is the change in how many directories it holds. */
export function saveDirectoryChanged(core: Core, ino: Ino, now: Time, links = 0): void {
  const inode = inodeNow(core, ino);
  const nlink = inode.nlink > 1 ? inode.nlink + links : inode.nlink; // 1: not counted
  core.journal.inodes.save({ ...inode, ...modifiedAt(now), nlink });
}

/** Only where there may be holes is the data file asked. */
function allocatedBytes({ data }: Core, inode: Inode): number {
  if (!isFile(inode)) return 0;
  if (inode.base !== undefined || (inode.flags & InodeFlag.sparse) === 0) return inode.sizeBytes;
  return Number((data.stat(inode.ino)?.blocks ?? 0n) * STAT_BLOCK_BYTES);
}
