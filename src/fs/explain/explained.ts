/**
 * A version's file system, read-only or writable, with `.varve` at its root: found by name, in no listing, and not to
 * be changed in any way. What lies below never hears of it, so it is in no commit and no comparison.
 */
import { RESERVED_NAME } from "../../paths.js";
import { FileSystemError } from "../errno.js";
import {
  type AttributeChanges,
  type Attributes,
  type Caller,
  type EmitEntry,
  type FileSystem,
  type FileSystemStats,
  type Ino,
  ROOT_INO,
} from "../filesystem.js";
import { FACTS_INO, type FactsFolder, isFactsIno } from "./facts-folder.js";

export function explained(tree: FileSystem, facts: FactsFolder): FileSystem {
  return new ExplainedFileSystem(tree, facts);
}

class ExplainedFileSystem implements FileSystem {
  readonly writable: boolean;
  readonly backings: FileSystem["backings"];

  constructor(
    private readonly tree: FileSystem,
    private readonly facts: FactsFolder,
  ) {
    this.writable = tree.writable;
    this.backings = tree.backings;
  }

  lookup(parent: Ino, name: string): Attributes | undefined {
    return isReserved(parent, name) ? this.facts.getattr(FACTS_INO) : this.#of(parent).lookup(parent, name);
  }

  getattr(ino: Ino): Attributes {
    return this.#of(ino).getattr(ino);
  }

  setattr(ino: Ino, changes: AttributeChanges): Attributes {
    return this.#of(ino).setattr(ino, changes);
  }

  readlink(ino: Ino): string {
    return this.#of(ino).readlink(ino);
  }

  readdir(ino: Ino, cookie: number, emit: EmitEntry): void {
    this.#of(ino).readdir(ino, cookie, emit);
  }

  open(ino: Ino, flags: number): number {
    return this.#of(ino).open(ino, flags);
  }

  read(ino: Ino, offset: number, length: number, target: Uint8Array, at: number): number {
    return this.#of(ino).read(ino, offset, length, target, at);
  }

  write(ino: Ino, handle: number, offset: number, bytes: Uint8Array): number {
    return this.#of(ino).write(ino, handle, offset, bytes);
  }

  flush(ino: Ino, handle: number): void {
    this.#of(ino).flush(ino, handle);
  }

  fsync(ino: Ino, dataOnly: boolean): Promise<void> | undefined {
    return this.#of(ino).fsync(ino, dataOnly);
  }

  release(ino: Ino, handle: number): void {
    this.#of(ino).release(ino, handle);
  }

  fallocate(ino: Ino, mode: number, offset: number, length: number): void {
    this.#of(ino).fallocate(ino, mode, offset, length);
  }

  lseek(ino: Ino, offset: number, whence: number): number {
    return this.#of(ino).lseek(ino, offset, whence);
  }

  create(parent: Ino, name: string, mode: number, flags: number, caller: Caller): Created {
    return this.#of(parent).create(parent, name, mode, flags, caller);
  }

  tmpfile(parent: Ino, mode: number, flags: number, caller: Caller): Created {
    const made = this.#of(parent).tmpfile?.(parent, mode, flags, caller);
    if (!made) throw new FileSystemError("EROFS");
    return made;
  }

  mkdir(parent: Ino, name: string, mode: number, caller: Caller): Attributes {
    return this.#of(parent).mkdir(parent, name, mode, caller);
  }

  mknod(parent: Ino, name: string, mode: number, rdev: number, caller: Caller): Attributes {
    return this.#of(parent).mknod(parent, name, mode, rdev, caller);
  }

  symlink(parent: Ino, name: string, target: string, caller: Caller): Attributes {
    return this.#of(parent).symlink(parent, name, target, caller);
  }

  link(ino: Ino, parent: Ino, name: string): Attributes {
    if (isFactsIno(ino)) throw new FileSystemError("EPERM");
    return this.#of(parent).link(ino, parent, name);
  }

  unlink(parent: Ino, name: string): void {
    this.#changeable(parent, name).unlink(parent, name);
  }

  rmdir(parent: Ino, name: string): void {
    this.#changeable(parent, name).rmdir(parent, name);
  }

  rename(parent: Ino, name: string, newParent: Ino, newName: string, flags: number): void {
    if (isFactsIno(newParent)) throw new FileSystemError("EROFS");
    this.#changeable(parent, name).rename(parent, name, newParent, newName, flags);
  }

  getxattr(ino: Ino, name: string): Uint8Array {
    return this.#of(ino).getxattr(ino, name);
  }

  listxattr(ino: Ino): string[] {
    return this.#of(ino).listxattr(ino);
  }

  setxattr(ino: Ino, name: string, value: Uint8Array, flags: number): void {
    this.#of(ino).setxattr(ino, name, value, flags);
  }

  removexattr(ino: Ino, name: string): void {
    this.#of(ino).removexattr(ino, name);
  }

  statfs(): FileSystemStats {
    return this.tree.statfs();
  }

  forget(ino: Ino, count: number): void {
    this.#of(ino).forget(ino, count);
  }

  #of(ino: Ino): FileSystem {
    return isFactsIno(ino) ? this.facts : this.tree;
  }

  #changeable(parent: Ino, name: string): FileSystem {
    if (isReserved(parent, name)) throw new FileSystemError("EPERM");
    return this.#of(parent);
  }
}

type Created = ReturnType<FileSystem["create"]>;

function isReserved(parent: Ino, name: string): boolean {
  return parent === ROOT_INO && name === RESERVED_NAME;
}
