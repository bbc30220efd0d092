/** An inode of the overlay as plain data. Its row is `inode-table.ts`; its bytes are `contents.ts`. */
import { EntryType } from "../../manifest/entry.js";
import { type Attributes, FileType, type Ino, TYPE_MASK } from "../filesystem.js";
import type { BaseFiles } from "./base.js";

/** Numbers are part of the journal's format. */
export const InodeFlag = {
  /** A write to it failed after the program that wrote had gone on: it must not be committed as it is. */
  failed: 1,
  /** Its data file may have holes. */
  sparse: 2,
  /** Its extended attributes stand in the journal; without this they are those of the base. */
  ownXattrs: 4,
  /** Written, and not closed since; after a crash whoever wrote it is gone. */
  unflushed: 16,
  /** Its row is older than its data file, as to size and times (`settle.ts`). Only in the row, never in memory. */
  lagging: 32,
  /** Made without a name (`O_TMPFILE`): one may be given to it although it has none. */
  nameless: 8,
} as const;

export interface Inode extends Omit<Attributes, "allocatedBytes"> {
  /** Of a symbolic link. */
  readonly target?: string | undefined;
  /** Of a directory: where `..` leads; undefined where the base tells. */
  readonly parent?: Ino | undefined;
  /** Of a file: the base entry whose bytes show where no extent covers them; undefined when all bytes are local. */
  readonly base?: number | undefined;
  /** Of those bytes only `[0, baseSizeBytes)` show; what lies beyond was cut off once and reads as zeros. */
  readonly baseSizeBytes: number;
  readonly flags: number;
}

export type ModifiedTimes = Pick<Inode, "mtimeSec" | "mtimeNsec" | "ctimeSec" | "ctimeNsec">;

export interface Time {
  sec: number;
  nsec: number;
}

export function isDirectory({ mode }: { mode: number }): boolean {
  return (mode & TYPE_MASK) === FileType.directory;
}

export function isFile({ mode }: { mode: number }): boolean {
  return (mode & TYPE_MASK) === FileType.file;
}

export function isSymlink({ mode }: { mode: number }): boolean {
  return (mode & TYPE_MASK) === FileType.symlink;
}

/** An inode of the base before anything has changed it. */
export function inodeOfBase(base: BaseFiles, ordinal: number): Inode {
  const attributes = base.attributes(ordinal);
  const { ino, mode, nlink, uid, gid, rdev, sizeBytes } = attributes;
  const content = isFile(attributes) ? contentOf(ordinal, sizeBytes) : { baseSizeBytes: 0 };
  const target = targetOf(base, ordinal, attributes);
  const rest = { ...timesOf(attributes), ...content, target, flags: 0 };
  return { ino, mode, nlink, uid, gid, rdev, sizeBytes, ...rest };
}

/** `inode` as `stat` shows it. */
export function attributesOf(inode: Inode, allocatedBytes: number): Attributes {
  const { ino, mode, nlink, uid, gid, rdev, sizeBytes } = inode;
  return { ino, mode, nlink, uid, gid, rdev, sizeBytes, allocatedBytes, ...timesOf(inode) };
}

/** The fields that say: attributes changed at `now`. */
export function changedAt(now: Time): Pick<Inode, "ctimeSec" | "ctimeNsec"> {
  return { ctimeSec: now.sec, ctimeNsec: now.nsec };
}

/** The fields of what was made at `now`. */
export function bornAt(now: Time): Times {
  return { atimeSec: now.sec, atimeNsec: now.nsec, ...modifiedAt(now) };
}

/** The fields that say: content (and so attributes) changed at `now`. */
export function modifiedAt(now: Time): ModifiedTimes {
  return { mtimeSec: now.sec, mtimeNsec: now.nsec, ...changedAt(now) };
}

type Times = Pick<Attributes, "atimeSec" | "atimeNsec" | "mtimeSec" | "mtimeNsec" | "ctimeSec" | "ctimeNsec">;

function timesOf({ atimeSec, atimeNsec, mtimeSec, mtimeNsec, ctimeSec, ctimeNsec }: Times): Times {
  return { atimeSec, atimeNsec, mtimeSec, mtimeNsec, ctimeSec, ctimeNsec };
}

/** An empty file of the base has no bytes to show: all its bytes are local from the first. */
function contentOf(ordinal: number, sizeBytes: number): Pick<Inode, "base" | "baseSizeBytes"> {
  return { base: sizeBytes > 0 ? ordinal : undefined, baseSizeBytes: sizeBytes };
}

function targetOf(base: BaseFiles, ordinal: number, attributes: Attributes): string | undefined {
  const entry = isSymlink(attributes) ? base.entry(ordinal) : undefined;
  return entry?.type === EntryType.symlink ? entry.target : undefined;
}
