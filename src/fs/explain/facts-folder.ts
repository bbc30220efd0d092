/**
 * `.varve` at the root of a version: a folder of small files that say what is mounted. They are made when they are
 * looked at, may throw `Missing` then, and never change.
 */
import { FileSystemError } from "../errno.js";
import {
  type Attributes,
  type EmitEntry,
  type FileSystem,
  type FileSystemStats,
  FileType,
  type Ino,
} from "../filesystem.js";
import { Unwritable } from "../unwritable.js";

/** Each file's content, by its name. */
export type Facts = ReadonlyMap<string, () => Uint8Array>;

/**
 * Inode of the folder; its files follow. No tree has so many entries, and what a writable mount makes is numbered from
 * 2^40.
 */
export const FACTS_INO: Ino = 2 ** 32 - 256;
const FACTS_END = 2 ** 32;

/** Whether an inode is the folder's or one of its files'. */
export function isFactsIno(ino: Ino): boolean {
  return ino >= FACTS_INO && ino < FACTS_END;
}

const SEEK_DATA = 3;

export class FactsFolder extends Unwritable implements FileSystem {
  readonly #names: readonly string[];
  readonly #contents = new Map<string, Uint8Array>();
  readonly #mtimeSec = Math.floor(Date.now() / 1000);

  constructor(
    private readonly facts: Facts,
    private readonly owner: { uid: number; gid: number },
  ) {
    super();
    this.#names = [...facts.keys()];
  }

  lookup(_folder: Ino, name: string): Attributes | undefined {
    const index = this.#names.indexOf(name);
    return index < 0 ? undefined : this.#fileAttributes(index);
  }

  getattr(ino: Ino): Attributes {
    return ino === FACTS_INO ? this.#folderAttributes() : this.#fileAttributes(ino - FACTS_INO - 1);
  }

  readdir(_folder: Ino, cookie: number, emit: EmitEntry): void {
    const listed = [".", "..", ...this.#names];
    for (let at = cookie; at < listed.length; at++) {
      const attributes = at < 2 ? this.#folderAttributes() : this.#fileAttributes(at - 2);
      if (!emit(listed[at]!, attributes, at + 1)) return;
    }
  }

  open(_file: Ino, flags: number): number {
    return this.openToRead(flags);
  }

  read(ino: Ino, offset: number, length: number, target: Uint8Array, at: number): number {
    const bytes = this.#content(ino - FACTS_INO - 1).subarray(offset, offset + length);
    target.set(bytes, at);
    return bytes.length;
  }

  lseek(ino: Ino, offset: number, whence: number): number {
    const { length } = this.#content(ino - FACTS_INO - 1);
    if (offset >= length) throw new FileSystemError("ENXIO");
    return whence === SEEK_DATA ? offset : length;
  }

  readlink(): string {
    throw new FileSystemError("EINVAL");
  }

  getxattr(): Uint8Array {
    throw new FileSystemError("ENODATA");
  }

  listxattr(): string[] {
    return [];
  }

  statfs(): FileSystemStats {
    return { totalBytes: 0, freeBytes: 0, totalFiles: this.#names.length, freeFiles: 0 };
  }

  forget(): void {}

  #content(index: number): Uint8Array {
    const name = this.#names[index];
    if (name === undefined) throw new FileSystemError("EISDIR");
    const content = this.#contents.get(name) ?? this.facts.get(name)!();
    this.#contents.set(name, content);
    return content;
  }

  #folderAttributes(): Attributes {
    return this.#attributes(FACTS_INO, FileType.directory | 0o555, 0);
  }

  #fileAttributes(index: number): Attributes {
    return this.#attributes(FACTS_INO + 1 + index, FileType.file | 0o444, this.#content(index).length);
  }

  #attributes(ino: Ino, mode: number, sizeBytes: number): Attributes {
    const sec = this.#mtimeSec;
    const seconds = { atimeSec: sec, mtimeSec: sec, ctimeSec: sec };
    const times = { ...seconds, atimeNsec: 0, mtimeNsec: 0, ctimeNsec: 0 };
    return { ino, mode, nlink: 1, ...this.owner, rdev: 0, sizeBytes, allocatedBytes: sizeBytes, ...times };
  }
}
