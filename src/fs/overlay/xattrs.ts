/** Extended attributes: `user.*` of files and directories, kept; `user.varve.*`, which explain a file, shown. */
import { FileSystemError } from "../errno.js";
import type { Ino } from "../filesystem.js";
import { KiB } from "../../units.js";
import { ordinalOf } from "./base.js";
import { type Core, inodeNow } from "./core.js";
import { showsBase } from "./file-spans.js";
import { type Inode, InodeFlag, changedAt, isDirectory, isFile } from "./inode.js";

/** Tells what `user.varve.*` attribute `name` of a base entry says. */
export type EntryFacts = (ordinal: number, name: string) => Uint8Array | undefined;

/** Source: https://man7.org/linux/man-pages/man7/xattr.7.html */
const NAME_MAX_BYTES = 255;
const VALUE_MAX_BYTES = 64 * KiB;
const LIST_MAX_BYTES = 64 * KiB;
const XATTR_CREATE = 1;
const XATTR_REPLACE = 2;

const KEPT = "user.";
const FACTS = "user.varve.";

/** @throws {FileSystemError} `ENODATA`, `EOPNOTSUPP` */
export function readXattr(core: Core, ino: Ino, name: string, facts: EntryFacts | undefined): Uint8Array {
  checkName(name);
  const inode = inodeNow(core, ino);
  const value = name.startsWith(FACTS) ? factOf(core, inode, name, facts) : xattrsNow(core, inode).get(name);
  if (!value) throw new FileSystemError("ENODATA");
  return value;
}

/** Facts are left out, so that copying a file does not try to copy them. */
export function listXattrs(core: Core, ino: Ino): string[] {
  return [...xattrsNow(core, inodeNow(core, ino)).keys()];
}

/** @throws {FileSystemError} `EEXIST` and `ENODATA` by the flags, `E2BIG`, `ENOSPC`, `EPERM`, `EOPNOTSUPP` */
export function writeXattr(core: Core, ino: Ino, name: string, value: Uint8Array, flags: number): void {
  const { inode, xattrs } = changeable(core, ino, name);
  if (value.length > VALUE_MAX_BYTES) throw new FileSystemError("E2BIG");
  if (xattrs.has(name) && (flags & XATTR_CREATE) !== 0) throw new FileSystemError("EEXIST");
  if (!xattrs.has(name) && (flags & XATTR_REPLACE) !== 0) throw new FileSystemError("ENODATA");
  const listBytes = [...xattrs.keys()].reduce((sum, other) => sum + other.length + 1, name.length + 1);
  if (!xattrs.has(name) && listBytes > LIST_MAX_BYTES) throw new FileSystemError("ENOSPC");
  core.space.require();
  save(core, inode, xattrs, () => core.journal.xattrs.put(ino, name, value));
}

/** @throws {FileSystemError} `ENODATA`, `EPERM`, `EOPNOTSUPP` */
export function removeXattr(core: Core, ino: Ino, name: string): void {
  const { inode, xattrs } = changeable(core, ino, name);
  if (!xattrs.has(name)) throw new FileSystemError("ENODATA");
  save(core, inode, xattrs, () => core.journal.xattrs.delete(ino, name));
}

/** The kept attributes of an inode as they are now. */
export function xattrsNow({ base, journal }: Core, inode: Inode): ReadonlyMap<string, Uint8Array> {
  if ((inode.flags & InodeFlag.ownXattrs) !== 0) return journal.xattrs.of(inode.ino);
  const ordinal = ordinalOf(inode.ino);
  return (ordinal === undefined ? undefined : base.entry(ordinal).xattrs) ?? new Map<string, Uint8Array>();
}

function checkName(name: string): void {
  if (!name.startsWith(KEPT)) throw new FileSystemError("EOPNOTSUPP");
  if (name === KEPT) throw new FileSystemError("EINVAL");
  if (name.length > NAME_MAX_BYTES) throw new FileSystemError("ERANGE");
}

function changeable(
  core: Core,
  ino: Ino,
  name: string,
): { inode: Inode; xattrs: ReadonlyMap<string, Uint8Array> } {
  checkName(name);
  if (name.startsWith(FACTS)) throw new FileSystemError("EPERM");
  const inode = inodeNow(core, ino);
  if (!isFile(inode) && !isDirectory(inode)) throw new FileSystemError("EPERM");
  return { inode, xattrs: xattrsNow(core, inode) };
}

/** The first change takes all attributes over from the base. */
function save(
  { journal, now }: Core,
  inode: Inode,
  xattrs: ReadonlyMap<string, Uint8Array>,
  change: () => void,
): void {
  const isOwn = (inode.flags & InodeFlag.ownXattrs) !== 0;
  journal.transaction(() => {
    if (!isOwn) for (const [name, value] of xattrs) journal.xattrs.put(inode.ino, name, value);
    change();
    journal.inodes.save({ ...inode, flags: inode.flags | InodeFlag.ownXattrs, ...changedAt(now()) });
  });
}

/** A file that was written is no longer what the base's facts are about. */
function factOf(
  core: Core,
  inode: Inode,
  name: string,
  facts: EntryFacts | undefined,
): Uint8Array | undefined {
  const ordinal = ordinalOf(inode.ino);
  if (ordinal === undefined || !showsBase(core.base.tree, core.journal, inode)) return undefined;
  return facts?.(ordinal, name);
}
