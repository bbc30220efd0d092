/**
 * The uncommitted changes of a writable mount, laid over a version: a file system. Names, attributes and byte ranges
 * stand in a journal (`schema.ts`), bytes in sparse files. Each operation is one transaction, made before it returns,
 * so that all that was answered survives the end of the process. Reading the changes to commit them is `snapshot.ts`.
 */
import { constants } from "node:fs";
import type { TreePath } from "../../paths.js";
import { syncAll } from "./sync.js";
import type {
  AttributeChanges,
  Attributes,
  Caller,
  EmitEntry,
  FileSystem,
  FileSystemStats,
  Ino,
} from "../filesystem.js";
import { allocate } from "./allocate.js";
import { changeAttributes, emptyFile } from "./attributes.js";
import type { BaseFiles } from "./base.js";
import { readBytes, seekBytes, settle, settleClosed, writeBytes } from "./contents.js";
import { type Core, attributesNow, directoryNow, fileNow, targetNow } from "./core.js";
import { dataFolder } from "./data-files.js";
import { findName, listDirectory } from "./directories.js";
import { opensToWrite } from "./handles.js";
import { InodeFlag } from "./inode.js";
import { Locator } from "./locate.js";
import { makeDirectory, makeFile, makeLink, makeNameless, makeNode, makeSymlink } from "./make.js";
import { type CoreOptions, openCore } from "./open.js";
import { dropIfUnused, removeDirectory, removeFile } from "./remove.js";
import { rename } from "./rename.js";
import { journalPath } from "./schema.js";
import { type EntryFacts, listXattrs, readXattr, removeXattr, writeXattr } from "./xattrs.js";

export interface OverlayOptions extends CoreOptions {
  /** What `user.varve.*` says of a base entry. Default: nothing. */
  facts?: EntryFacts | undefined;
  /** Makes files and folders durable, one after another. Default: by this thread's own pool. */
  syncFiles?: ((paths: readonly string[]) => Promise<void>) | undefined;
}

/** A file, and all its paths; none when it has no name any more. */
export interface NamedFile {
  ino: Ino;
  paths: TreePath[];
}

/** A file that a program has open to write. */
export interface FileBeingWritten extends NamedFile {
  /** Whether it was written and not closed since. */
  unflushed: boolean;
}

/**
 * Opens an overlay, and makes one where the folder is missing or empty. One process at a time may have it open.
 *
 * @param options.reserveBytes New files are refused when the disk has less free. Default 256 MiB, at most 1/8 of it.
 * @throws {DatasetError} `format-newer`, `format-damaged`
 */
export function openOverlay(directory: string, base: BaseFiles, options: OverlayOptions = {}): Overlay {
  return new Overlay(directory, openCore(directory, base, options), options);
}

export class Overlay implements FileSystem {
  readonly writable = true;
  readonly #core: Core;
  readonly #options: OverlayOptions;
  #closed = false;

  constructor(
    readonly directory: string,
    core: Core,
    options: OverlayOptions,
  ) {
    this.#core = core;
    this.#options = options;
  }

  lookup(parent: Ino, name: string): Attributes | undefined {
    directoryNow(this.#core, parent);
    const ino = findName(this.#core, parent, name);
    return ino === undefined ? undefined : attributesNow(this.#core, ino);
  }

  getattr(ino: Ino): Attributes {
    return attributesNow(this.#core, ino);
  }

  setattr(ino: Ino, changes: AttributeChanges): Attributes {
    return changeAttributes(this.#core, ino, changes);
  }

  readlink(ino: Ino): string {
    return targetNow(this.#core, ino);
  }

  readdir(ino: Ino, cookie: number, emit: EmitEntry): void {
    listDirectory(this.#core, ino, cookie, emit);
  }

  open(ino: Ino, flags: number): number {
    if (opensToWrite(flags)) fileNow(this.#core, ino);
    const handle = this.#core.handles.open(ino, flags);
    if ((flags & constants.O_TRUNC) !== 0) emptyFile(this.#core, ino);
    return handle;
  }

  read(ino: Ino, offset: number, length: number, target: Uint8Array, at: number): number {
    return readBytes(this.#core, ino, offset, length, target, at);
  }

  write(ino: Ino, _handle: number, offset: number, bytes: Uint8Array): number {
    return writeBytes(this.#core, ino, offset, bytes);
  }

  flush(ino: Ino, handle: number): void {
    const { handles } = this.#core;
    if (!handles.writes(handle)) return;
    if (handles.writersOf(ino) === 1) settleClosed(this.#core, ino);
    else settle(this.#core, ino);
  }

  fsync(ino: Ino): Promise<void> {
    settle(this.#core, ino);
    const journal = journalPath(this.directory);
    const paths = [this.#core.data.path(ino), dataFolder(this.directory), `${journal}-wal`, this.directory];
    return (this.#options.syncFiles ?? syncAll)(paths);
  }

  release(ino: Ino, handle: number): void {
    const { handles } = this.#core;
    const couldWrite = handles.writes(handle);
    handles.close(handle);
    if (couldWrite && handles.writersOf(ino) === 0) settleClosed(this.#core, ino);
  }

  fallocate(ino: Ino, mode: number, offset: number, length: number): void {
    allocate(this.#core, ino, mode, offset, length);
  }

  lseek(ino: Ino, offset: number, whence: number): number {
    return seekBytes(this.#core, ino, offset, whence);
  }

  create(
    parent: Ino,
    name: string,
    mode: number,
    flags: number,
    caller: Caller,
  ): { attributes: Attributes; handle: number } {
    const ino = makeFile(this.#core, parent, name, mode, caller, opensToWrite(flags));
    return this.#opened(ino, flags);
  }

  /** `O_TMPFILE`: a file without a name, gone with its last handle unless `link` gives it one. */
  tmpfile(
    parent: Ino,
    mode: number,
    flags: number,
    caller: Caller,
  ): { attributes: Attributes; handle: number } {
    return this.#opened(makeNameless(this.#core, parent, mode, caller), flags);
  }

  mkdir(parent: Ino, name: string, mode: number, caller: Caller): Attributes {
    return makeDirectory(this.#core, parent, name, mode, caller);
  }

  mknod(parent: Ino, name: string, mode: number, rdev: number, caller: Caller): Attributes {
    return makeNode(this.#core, parent, name, { mode, rdev }, caller);
  }

  symlink(parent: Ino, name: string, target: string, caller: Caller): Attributes {
    return makeSymlink(this.#core, parent, name, target, caller);
  }

  link(ino: Ino, parent: Ino, name: string): Attributes {
    return makeLink(this.#core, ino, parent, name);
  }

  unlink(parent: Ino, name: string): void {
    removeFile(this.#core, parent, name);
  }

  rmdir(parent: Ino, name: string): void {
    removeDirectory(this.#core, parent, name);
  }

  rename(parent: Ino, name: string, newParent: Ino, newName: string, flags: number): void {
    rename(this.#core, { parent, name }, { parent: newParent, name: newName }, flags);
  }

  getxattr(ino: Ino, name: string): Uint8Array {
    return readXattr(this.#core, ino, name, this.#options.facts);
  }

  listxattr(ino: Ino): string[] {
    return listXattrs(this.#core, ino);
  }

  setxattr(ino: Ino, name: string, value: Uint8Array, flags: number): void {
    writeXattr(this.#core, ino, name, value, flags);
  }

  removexattr(ino: Ino, name: string): void {
    removeXattr(this.#core, ino, name);
  }

  statfs(): FileSystemStats {
    return this.#core.space.stats();
  }

  /** The kernel lets go of an inode only when nobody has it any more, so how often it was given does not matter. */
  forget(ino: Ino): void {
    dropIfUnused(this.#core, ino);
  }

  /** A fact about the overlay, such as the version it lies over; kept in its journal. */
  fact(key: string): string | undefined {
    return this.#core.journal.fact(key);
  }

  setFact(key: string, value: string): void {
    this.#core.journal.setFact(key, value);
  }

  /** The files that programs have open to write, or wrote and did not close when the overlay was last open. */
  openForWriting(): FileBeingWritten[] {
    const { handles, journal } = this.#core;
    const unflushed = new Set(journal.inodes.withFlag(InodeFlag.unflushed));
    const all = new Set([...handles.openToWrite(), ...unflushed]);
    return this.#named(all).map((file) => ({ ...file, unflushed: unflushed.has(file.ino) }));
  }

  /** The files a write to which failed, and that were neither rewritten nor removed since. */
  failedWrites(): NamedFile[] {
    const { journal, failedUnwritten } = this.#core;
    const files = this.#named(new Set([...journal.inodes.withFlag(InodeFlag.failed), ...failedUnwritten]));
    return files.filter(({ paths }) => paths.length > 0);
  }

  /** Keeps the state as it is now for `openSnapshot(directory, base, { snapshot: id })`, until `endSnapshot`. */
  beginSnapshot(id: string): void {
    for (const { ino } of this.#core.journal.inodes.allLagging()) settle(this.#core, ino);
    this.#core.clones.begin(id);
  }

  /** Twice is the same as once. */
  endSnapshot(id: string): void {
    this.#core.clones.end(id);
  }

  /** Writes down what lags behind. Twice is the same as once. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const { ino } of this.#core.journal.inodes.allLagging()) settle(this.#core, ino);
    this.#core.data.close();
    this.#core.space.makeRoom(); // Who commits or recovers has things to write down too.
    this.#core.journal.close();
  }

  #opened(ino: Ino, flags: number): { attributes: Attributes; handle: number } {
    return { attributes: attributesNow(this.#core, ino), handle: this.#core.handles.open(ino, flags) };
  }

  #named(inos: ReadonlySet<Ino>): NamedFile[] {
    const locator = new Locator(this.#core.base.tree, this.#core.journal);
    return [...inos].map((ino) => ({ ino, paths: locator.all(ino) }));
  }
}
