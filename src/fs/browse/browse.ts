/**
 * Every version of the catalog as one file system, to be read: `project/name/label/…`, and `latest` in each dataset.
 * Nothing is resolved before it is entered. Above the versions answers are short-lived; below, they hold for ever.
 */
import { FileSystemError } from "../errno.js";
import {
  type Attributes,
  type EmitEntry,
  type FileSystem,
  type FileSystemStats,
  type Ino,
  ROOT_INO,
} from "../filesystem.js";
import type { Owner, Supplied } from "../open-version.js";
import type { AnswerMemory } from "../questions.js";
import { Unwritable } from "../unwritable.js";
import { type Child, Folders } from "./folders.js";
import { Numbers, inoIn, localOf, slotOf } from "./numbers.js";
import { OpenVersions } from "./open-versions.js";

export function browseFileSystem(owner: Owner, supplied: Supplied): FileSystem {
  return new BrowseFileSystem(owner, supplied);
}

/** Cookies of a listing above the versions: 1 after `.`, 2 after `..`, then the inode of a child plus 1. */
const DOTS = 2;
/** What the catalog holds in all need not be counted for every `df`. */
const TOTALS_FRESH_MS = 10_000;

class BrowseFileSystem extends Unwritable implements FileSystem {
  readonly #answers: AnswerMemory;
  readonly #folders: Folders;
  readonly #versions: OpenVersions;

  constructor(owner: Owner, supplied: Supplied) {
    super();
    const { uid, gid } = owner;
    this.#answers = supplied.answers;
    this.#folders = new Folders(new Numbers(), supplied.answers, { uid, gid });
    this.#versions = new OpenVersions(owner, supplied);
  }

  /** Above the versions a name that is not there is refused, so that the kernel does not remember it as missing. */
  lookup(parent: Ino, name: string): Attributes | undefined {
    const slot = slotOf(parent);
    if (slot > 0) {
      const found = this.#versions.fileSystem(slot).lookup(localOf(parent), name);
      return found && raised(found, slot);
    }
    const child = this.#folders.view(parent).byName.get(name);
    if (!child) throw new FileSystemError("ENOENT");
    this.#given(child);
    return child.attributes;
  }

  getattr(ino: Ino): Attributes {
    const slot = slotOf(ino);
    if (slot === 0) return this.#folders.attributes(ino);
    return isVersion(ino)
      ? this.#folders.versionAttributes(slot, this.#versions.version(slot))
      : raised(this.#within(ino).getattr(localOf(ino)), slot);
  }

  readlink(ino: Ino): string {
    return slotOf(ino) === 0 ? this.#folders.target(ino) : this.#within(ino).readlink(localOf(ino));
  }

  readdir(ino: Ino, cookie: number, emit: EmitEntry): void {
    const slot = slotOf(ino);
    if (slot === 0) this.#listFolder(ino, cookie, emit);
    else
      this.#within(ino).readdir(localOf(ino), cookie, (name, attributes, next) =>
        emit(name, raised(attributes, slot), next),
      );
  }

  /** Listings of versions never change, those above them do. */
  keepsListing(ino: Ino): boolean {
    return slotOf(ino) > 0;
  }

  open(ino: Ino, flags: number): number {
    return this.#within(ino).open(localOf(ino), flags);
  }

  read(ino: Ino, offset: number, length: number, target: Uint8Array, at: number): number {
    return this.#within(ino).read(localOf(ino), offset, length, target, at);
  }

  lseek(ino: Ino, offset: number, whence: number): number {
    return this.#within(ino).lseek(localOf(ino), offset, whence);
  }

  getxattr(ino: Ino, name: string): Uint8Array {
    if (slotOf(ino) === 0) throw new FileSystemError("ENODATA");
    return this.#within(ino).getxattr(localOf(ino), name);
  }

  listxattr(ino: Ino): string[] {
    return slotOf(ino) === 0 ? [] : this.#within(ino).listxattr(localOf(ino));
  }

  /** What all finished versions hold together, each counted as if it were alone. */
  statfs(): FileSystemStats {
    const { files, bytes } = this.#answers.get({ about: "totals" }, TOTALS_FRESH_MS);
    return { totalBytes: bytes, freeBytes: 0, totalFiles: files, freeFiles: 0 };
  }

  forget(ino: Ino, count: number): void {
    if (isVersion(ino)) this.#versions.forget(slotOf(ino), count);
  }

  /** What an inode lies in. @throws {FileSystemError} `EISDIR` above the versions */
  #within(ino: Ino): FileSystem {
    const slot = slotOf(ino);
    if (slot === 0) throw new FileSystemError("EISDIR");
    return this.#versions.fileSystem(slot);
  }

  #listFolder(ino: Ino, cookie: number, emit: EmitEntry): void {
    const { children } = cookie > 0 ? this.#folders.lastView(ino) : this.#folders.view(ino);
    const parent = this.#folders.parent(ino);
    if (cookie < 1 && !emit(".", this.#folders.attributes(ino), 1)) return;
    if (cookie < DOTS && !emit("..", this.#folders.attributes(parent), DOTS)) return;
    for (let index = firstAfter(children, cookie - 1); index < children.length; index++) {
      const child = children[index]!;
      if (!emit(child.name, child.attributes, child.attributes.ino + 1)) return;
      this.#given(child);
    }
  }

  #given({ attributes, version }: Child): void {
    if (version) this.#versions.given(slotOf(attributes.ino), version);
  }
}

/** Whether an inode is a version's own folder. */
function isVersion(ino: Ino): boolean {
  return localOf(ino) === ROOT_INO && slotOf(ino) > 0;
}

function raised(attributes: Attributes, slot: number): Attributes {
  return { ...attributes, ino: inoIn(slot, attributes.ino) };
}

/** Index of the first child whose inode is above `ino`. */
function firstAfter(children: readonly Child[], ino: Ino): number {
  let [low, high] = [0, children.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (children[middle]!.attributes.ino > ino) high = middle;
    else low = middle + 1;
  }
  return low;
}
