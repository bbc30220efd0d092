/**
 * Finds what an overlay changed, from its journal and as little of the base as that takes. First, directory by
 * directory from the root down, the names that differ; then the inodes that differ under a name that does not.
 */
import { type Entry, EntryType, hardLinksOf } from "../../manifest/entry.js";
import { type TreePath, joinPath } from "../../paths.js";
import { FileType, type Ino, TYPE_MASK } from "../filesystem.js";
import { type BaseNames, ordinalOf } from "./base.js";
import type { ChangedContent, ChangedEntry, OverlayChange } from "./change.js";
import { showsBase } from "./file-spans.js";
import { type Inode, InodeFlag, isDirectory, isFile } from "./inode.js";
import type { Journal } from "./journal.js";
import type { Locator } from "./locate.js";
import { type Dentry, GONE } from "./name-table.js";

/** What the changes are read from: one state of an overlay. */
export interface ChangeSource {
  names: BaseNames;
  journal: Journal;
  locator: Locator;
}

/** Something that differs: a name of a directory that lies at `path`, or an inode under a name of the base. */
type Step = { parent: Ino; path: TreePath; dentry: Dentry } | { ino: Ino };

/** What a version can hold. */
const ENTRY_TYPES: ReadonlyMap<number, EntryType> = new Map([
  [FileType.directory, EntryType.directory],
  [FileType.file, EntryType.file],
  [FileType.symlink, EntryType.symlink],
]);
/** Rows read at a time. */
const PAGE_ROWS = 1_000;
const PERMISSION_BITS = 0o7777;

/** The changes one by one. When `next` throws `Missing`, calling it again once the range is here goes on. */
export class ChangeIterator {
  #steps: Iterator<Step> | undefined;
  #step: Step | undefined;
  #found: OverlayChange[] = [];

  constructor(private readonly source: ChangeSource) {}

  next(): OverlayChange | undefined {
    this.#steps ??= stepsOf(this.source, locatedParents(this.source));
    while (this.#found.length === 0) {
      this.#step ??= this.#take();
      if (!this.#step) return undefined;
      this.#found = changesOf(this.source, this.#step).reverse();
      this.#step = undefined;
    }
    return this.#found.pop();
  }

  #take(): Step | undefined {
    const result = this.#steps!.next();
    return result.done ? undefined : result.value;
  }
}

/** What an inode of a type that a version can hold is in it, and where its bytes are. */
function changedEntry(
  { names, journal }: ChangeSource,
  inode: Inode,
): {
  entry: ChangedEntry;
  content: ChangedContent;
} {
  const { ino, nlink, mode, mtimeSec, mtimeNsec, uid, gid, sizeBytes, target } = inode;
  const content = contentOf(names, journal, inode);
  const type =
    content.kind === "base" ? names.entry(content.ordinal).type : ENTRY_TYPES.get(mode & TYPE_MASK)!;
  const owner = { uid, gid, xattrs: xattrsOf(names, journal, inode) };
  const times = { mtimeSec, mtimeNsec };
  return {
    entry: { type, mode: mode & PERMISSION_BITS, ...times, ...owner, target, sizeBytes, ino, nlink },
    content,
  };
}

/** Directories whose names differ, and where they are: those that were removed are left out, parents come first. */
function locatedParents({ journal, locator }: ChangeSource): { parent: Ino; path: TreePath }[] {
  const located = journal.names.parents().flatMap((parent) => {
    const path = locator.directory(parent);
    return path === undefined ? [] : { parent, path };
  });
  return located.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Reads the journal alone, so it is never interrupted by `Missing`. */
function* stepsOf(
  { journal }: ChangeSource,
  directories: { parent: Ino; path: TreePath }[],
): Generator<Step> {
  for (const directory of directories)
    for (const dentry of dentriesOf(journal, directory.parent)) yield { ...directory, dentry };
  for (const ino of journal.inodes.ofBase()) yield { ino };
}

function* dentriesOf(journal: Journal, parent: Ino): Generator<Dentry> {
  for (let after = ""; ;) {
    const page = journal.names.page(parent, after, PAGE_ROWS);
    yield* page;
    const last = page.at(-1);
    if (!last || page.length < PAGE_ROWS) return;
    after = last.name;
  }
}

function changesOf(source: ChangeSource, step: Step): OverlayChange[] {
  if ("ino" in step) return changesUnderBaseNames(source, step.ino);
  const { parent, path: directory, dentry } = step;
  const path = joinPath(directory, dentry.name);
  if (dentry.ino === GONE) return [{ kind: "remove", path }];
  const hidesBase =
    hidesDirectory(source, parent, dentry) || (dentry.cookie === null && isSpecial(source, dentry));
  const removed: OverlayChange[] = hidesBase ? [{ kind: "remove", path }] : [];
  return [...removed, ...changesAt(source, path, dentry.ino)];
}

/** What appeared at a path that the base does not have, or has otherwise. */
function changesAt(source: ChangeSource, path: TreePath, ino: Ino): OverlayChange[] {
  const inode = source.journal.inodes.get(ino);
  if (!inode) return []; // INVARIANT: what has a name here has a row
  const ordinal = ordinalOf(ino);
  if (isDirectory(inode) && ordinal !== undefined) {
    const graft: OverlayChange = { kind: "graft", path, from: ordinal };
    return differs(source, inode, ordinal) ? [graft, putOf(source, path, inode)] : [graft];
  }
  if (!ENTRY_TYPES.has(inode.mode & TYPE_MASK))
    return [{ kind: "skipped", path, type: inode.mode & TYPE_MASK }];
  return [putOf(source, path, inode)];
}

/** An inode of the base under the names that the base gives it. */
function changesUnderBaseNames(source: ChangeSource, ino: Ino): OverlayChange[] {
  const inode = source.journal.inodes.get(ino);
  const ordinal = ordinalOf(ino);
  if (!inode || ordinal === undefined || !differs(source, inode, ordinal)) return [];
  return source.locator.throughBase(ordinal).map((path) => putOf(source, path, inode));
}

function putOf(source: ChangeSource, path: TreePath, inode: Inode): OverlayChange {
  return { kind: "put", path, ...changedEntry(source, inode) };
}

/** Nothing of it is put, so what the base has there would stay. */
function isSpecial({ journal }: ChangeSource, { ino }: Dentry): boolean {
  const inode = journal.inodes.get(ino);
  return inode !== undefined && !ENTRY_TYPES.has(inode.mode & TYPE_MASK);
}

function hidesDirectory({ names }: ChangeSource, parent: Ino, { name, cookie }: Dentry): boolean {
  const directory = ordinalOf(parent);
  if (cookie !== null || directory === undefined) return false;
  const ordinal = names.findChild(names.path(directory), name);
  return ordinal !== undefined && names.entry(ordinal).type === EntryType.directory;
}

/** Whether an inode of the base is other than its entry. Of hard links it is not known whether all are where they were. */
function differs({ names, journal }: ChangeSource, inode: Inode, ordinal: number): boolean {
  const entry = names.entry(ordinal);
  const links = 1 + (hardLinksOf(entry)?.length ?? 0);
  if (links > 1) return true;
  if (!isDirectory(inode) && inode.nlink !== links) return true;
  if (!hasAttributesOf(entry, inode) || !showsBase(names, journal, inode)) return true;
  return (inode.flags & InodeFlag.ownXattrs) !== 0 && !sameXattrs(journal.xattrs.of(inode.ino), entry.xattrs);
}

function hasAttributesOf(entry: Entry, { mode, uid, gid, mtimeSec, mtimeNsec }: Inode): boolean {
  const sameTime = entry.mtimeSec === mtimeSec && entry.mtimeNsec === mtimeNsec;
  return sameTime && entry.mode === (mode & PERMISSION_BITS) && entry.uid === uid && entry.gid === gid;
}

function sameXattrs(a: ReadonlyMap<string, Uint8Array>, b: Entry["xattrs"]): boolean {
  if (a.size !== (b?.size ?? 0)) return false;
  return [...a].every(([name, value]) => {
    const other = b?.get(name);
    return other !== undefined && Buffer.compare(value, other) === 0;
  });
}

function contentOf(names: BaseNames, journal: Journal, inode: Inode): ChangedContent {
  if (!isFile(inode)) return { kind: "none" };
  const ordinal = ordinalOf(inode.ino);
  if (ordinal !== undefined && showsBase(names, journal, inode)) return { kind: "base", ordinal };
  return { kind: "overlaid", ino: inode.ino, ...(inode.base === undefined ? {} : { base: inode.base }) };
}

function xattrsOf(
  names: BaseNames,
  journal: Journal,
  inode: Inode,
): ReadonlyMap<string, Uint8Array> | undefined {
  const ordinal = ordinalOf(inode.ino);
  const isOwn = (inode.flags & InodeFlag.ownXattrs) !== 0;
  const xattrs = isOwn
    ? journal.xattrs.of(inode.ino)
    : ordinal === undefined
      ? undefined
      : names.entry(ordinal).xattrs;
  return xattrs?.size ? xattrs : undefined;
}
