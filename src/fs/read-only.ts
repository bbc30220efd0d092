/**
 * A version mounted to be read. An inode number is an ordinal + 1, so there is no table of inodes and nothing to
 * forget. Every change is refused; attributes and bytes come from `VersionFiles`.
 */
import { parentOf } from "../paths.js";
import { type Entry, EntryType } from "../manifest/entry.js";
import { FileSystemError } from "./errno.js";
import type { Attributes, EmitEntry, FileSystem, FileSystemStats, Ino } from "./filesystem.js";
import { seek } from "./holes.js";
import type { Subset } from "./subset.js";
import { Unwritable } from "./unwritable.js";
import type { VersionFiles } from "./version-files.js";
import type { WholeFiles } from "./whole-files.js";

/** Cookies of a listing: 1 after `.`, 2 after `..`, then 3 and up after each child. */
const DOTS = 2;

/** The file system of one version. Every operation may throw `Missing`. */
export function readOnlyFileSystem(files: VersionFiles, backings?: WholeFiles, subset?: Subset): FileSystem {
  return new ReadOnlyFileSystem(files, backings, subset);
}

class ReadOnlyFileSystem extends Unwritable implements FileSystem {
  constructor(
    private readonly files: VersionFiles,
    readonly backings: WholeFiles | undefined,
    /** What is shown; undefined: all. */
    private readonly subset: Subset | undefined,
  ) {
    super();
  }

  lookup(parent: Ino, name: string): Attributes | undefined {
    const child = this.files.child(this.#directory(parent), name);
    return child === undefined || !this.#shows(child) ? undefined : this.files.attributes(child);
  }

  getattr(ino: Ino): Attributes {
    return this.files.attributes(this.#ordinal(ino));
  }

  readlink(ino: Ino): string {
    const entry = this.#entry(ino);
    if (entry.type !== EntryType.symlink) throw new FileSystemError("EINVAL");
    return entry.target;
  }

  readdir(ino: Ino, cookie: number, emit: EmitEntry): void {
    const directory = this.#directory(ino);
    if (cookie < 1 && !emit(".", this.files.attributes(directory), 1)) return;
    if (cookie < DOTS && !emit("..", this.files.attributes(this.#parent(directory)), DOTS)) return;
    const { start, end } = this.files.children(directory);
    const first = start + Math.max(0, cookie - DOTS);
    for (let child = first; child < end; child++)
      if (
        this.#shows(child) &&
        !emit(this.files.tree.name(child), this.files.attributes(child), child - start + DOTS + 1)
      )
        return;
  }

  open(ino: Ino, flags: number): number {
    this.#ordinal(ino);
    return this.openToRead(flags);
  }

  read(ino: Ino, offset: number, length: number, target: Uint8Array, at: number): number {
    const count = this.files.read(this.#ordinal(ino), offset, length, target, at);
    this.backings?.noteRead(ino, count);
    return count;
  }

  lseek(ino: Ino, offset: number, whence: number): number {
    const entry = this.#entry(ino);
    if (entry.type === EntryType.directory || entry.type === EntryType.symlink)
      throw new FileSystemError("EINVAL");
    const holes = entry.type === EntryType.file ? (entry.holes ?? []) : [];
    return seek(holes, entry.sizeBytes, offset, whence);
  }

  getxattr(ino: Ino, name: string): Uint8Array {
    const ordinal = this.#ordinal(ino);
    const value = this.files.fact(ordinal, name) ?? this.files.entry(ordinal).xattrs?.get(name);
    if (!value) throw new FileSystemError("ENODATA");
    return value;
  }

  listxattr(ino: Ino): string[] {
    return [...(this.#entry(ino).xattrs?.keys() ?? [])];
  }

  statfs(): FileSystemStats {
    const { contentBytes, entries } = this.files.tree.root.totals;
    return { totalBytes: contentBytes, freeBytes: 0, totalFiles: entries, freeFiles: 0 };
  }

  forget(): void {}

  #shows(ordinal: number): boolean {
    return this.subset?.has(ordinal) ?? true;
  }

  #ordinal(ino: Ino): number {
    if (ino > this.files.tree.entryCount) throw new FileSystemError("ESTALE");
    return ino - 1;
  }

  #entry(ino: Ino): Entry {
    return this.files.entry(this.#ordinal(ino));
  }

  #directory(ino: Ino): number {
    const ordinal = this.#ordinal(ino);
    if (this.files.tree.type(ordinal) !== EntryType.directory) throw new FileSystemError("ENOTDIR");
    return ordinal;
  }

  #parent(directory: number): number {
    return this.files.tree.find(parentOf(this.files.tree.path(directory))) ?? directory;
  }
}
