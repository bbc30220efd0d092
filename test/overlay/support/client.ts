/** Uses an overlay by paths, as a program uses a folder through the kernel; blocks that are missing are supplied. */
import type { EmitEntry, Ino } from "../../../src/fs/filesystem.js";
import { type Attributes, FileType, ROOT_INO, TYPE_MASK } from "../../../src/fs/filesystem.js";
import { FileSystemError } from "../../../src/fs/errno.js";
import type { Overlay } from "../../../src/fs/overlay/overlay.js";
import type { MemoryBase } from "./memory-base.js";

export const CALLER = { uid: process.getuid!(), gid: process.getgid!(), pid: process.pid, umask: 0 };

/** Entries a `readdir` has room for, so that listings are cut often. */
const LISTED = 3;

export interface Handle {
  ino: Ino;
  handle: number;
}

export class Client {
  constructor(
    readonly overlay: Overlay,
    private readonly base: MemoryBase,
  ) {}

  run<T>(operation: (overlay: Overlay) => T): T {
    return this.base.complete(() => operation(this.overlay));
  }

  /** The inode of a path; as `lstat`, the last component may be a link. Links on the way lead nowhere in these tests. */
  resolve(path: string): Attributes {
    let at = this.run((overlay) => overlay.getattr(ROOT_INO));
    for (const name of path.split("/").filter((part) => part !== "")) {
      if (isType(at, FileType.symlink)) throw new FileSystemError("ENOENT");
      const child = this.run((overlay) => overlay.lookup(at.ino, name));
      if (!child) throw new FileSystemError("ENOENT");
      at = child;
    }
    return at;
  }

  /** As `resolve`, for calls that follow a link in the last component. */
  follow(path: string): Attributes {
    const found = this.resolve(path);
    if (isType(found, FileType.symlink)) throw new FileSystemError("ENOENT");
    return found;
  }

  /** The directory a path lies in, and its last name. */
  place(path: string): [Ino, string] {
    const slash = path.lastIndexOf("/");
    const parent = this.follow(path.slice(0, Math.max(0, slash)));
    if (!isType(parent, FileType.directory)) throw new FileSystemError("ENOTDIR");
    return [parent.ino, path.slice(slash + 1)];
  }

  create(path: string, mode: number): Handle {
    const [parent, name] = this.place(path);
    const { attributes, handle } = this.run((overlay) => overlay.create(parent, name, mode, 2, CALLER));
    return { ino: attributes.ino, handle };
  }

  open(path: string, flags: number): Handle {
    const { ino } = this.follow(path);
    return { ino, handle: this.run((overlay) => overlay.open(ino, flags)) };
  }

  read({ ino }: { ino: Ino }, offset: number, length: number): Buffer {
    const target = Buffer.alloc(length + 2, 0xee);
    const count = this.run((overlay) => overlay.read(ino, offset, length, target, 1));
    if (target[0] !== 0xee || target[count + 1] !== 0xee)
      throw new Error("read() wrote outside of its target");
    return target.subarray(1, 1 + count);
  }

  write({ ino, handle }: Handle, offset: number, bytes: Uint8Array): number {
    return this.run((overlay) => overlay.write(ino, handle, offset, bytes));
  }

  /** As `close(2)`: a flush, then the release. */
  close({ ino, handle }: Handle): void {
    this.run((overlay) => overlay.flush(ino, handle));
    this.run((overlay) => overlay.release(ino, handle));
  }

  /** Writes a whole new file. */
  put(path: string, bytes: Uint8Array): Ino {
    const file = this.create(path, 0o644);
    this.write(file, 0, bytes);
    this.close(file);
    return file.ino;
  }

  /** Writes into an existing file. */
  patch(path: string, offset: number, bytes: Uint8Array): void {
    const file = this.open(path, 2);
    this.write(file, offset, bytes);
    this.close(file);
  }

  whole(path: string): Buffer {
    const found = this.follow(path);
    return this.read(found, 0, found.sizeBytes + 1);
  }

  mkdir(path: string, mode = 0o755): Attributes {
    const [parent, name] = this.place(path);
    return this.run((overlay) => overlay.mkdir(parent, name, mode, CALLER));
  }

  symlink(path: string, target: string): Attributes {
    const [parent, name] = this.place(path);
    return this.run((overlay) => overlay.symlink(parent, name, target, CALLER));
  }

  link(from: string, to: string): Attributes {
    const { ino } = this.resolve(from);
    const [parent, name] = this.place(to);
    return this.run((overlay) => overlay.link(ino, parent, name));
  }

  unlink(path: string): void {
    const [parent, name] = this.place(path);
    this.run((overlay) => overlay.unlink(parent, name));
  }

  rmdir(path: string): void {
    const [parent, name] = this.place(path);
    this.run((overlay) => overlay.rmdir(parent, name));
  }

  rename(from: string, to: string, flags = 0): void {
    if (flags === 3) throw new FileSystemError("EINVAL"); // the kernel looks at flags before it looks for paths
    const [parent, name] = this.place(from);
    const [newParent, newName] = this.place(to);
    this.run((overlay) => overlay.rename(parent, name, newParent, newName, flags));
  }

  /** Names with their inodes, in the order of the listing, read a few at a time. */
  list(path: string): [string, Attributes][] {
    const { ino } = this.follow(path);
    const listed: [string, Attributes][] = [];
    for (let cookie = 0; ;) {
      const page: [string, Attributes, number][] = [];
      const emit: EmitEntry = (...entry) => page.length < LISTED && page.push(entry) > 0;
      this.run((overlay) => {
        page.length = 0;
        overlay.readdir(ino, cookie, emit);
      });
      if (page.length === 0) return listed.filter(([name]) => name !== "." && name !== "..");
      listed.push(...page.map(([name, attributes]): [string, Attributes] => [name, attributes]));
      cookie = page.at(-1)![2];
    }
  }
}

export function isType({ mode }: { mode: number }, type: number): boolean {
  return (mode & TYPE_MASK) === type;
}
