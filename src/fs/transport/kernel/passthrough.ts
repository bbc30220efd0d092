/**
 * Opens of a mount that is only read, where the kernel may read large files from the local disk by itself.
 * The mode belongs to the inode while it is open: the first open decides, and it stays until the last release. An open
 * in the other mode, or with another file behind it, would fail with EIO.
 * Source: https://docs.kernel.org/filesystems/fuse/fuse-passthrough.html
 */
import { closeSync } from "node:fs";

import { FileSystemError } from "../../errno.js";
import type { Backings, Ino } from "../../filesystem.js";
import { closeBacking, openBacking } from "./backing.js";
import type { Reply } from "./reply.js";

/** An inode that is open and backable. */
interface OpenInode {
  handles: number;
  /** The kernel's name for the file behind it; 0: its reads come to us. */
  backing: number;
}

export class Passthrough {
  readonly #inodes = new Map<Ino, OpenInode>();
  #isPossible: boolean | undefined;

  constructor(
    private readonly device: number,
    private readonly backings: Backings,
  ) {}

  /**
   * Answers OPEN.
   * @throws {FileSystemError} `ENOSYS` when no open needs an answer: told so once, the kernel asks no more
   */
  open(ino: Ino, reply: Reply): void {
    this.#isPossible ??= this.#probe();
    if (!this.#isPossible || !this.backings.mayExist(ino)) throw new FileSystemError("ENOSYS");
    reply.opened(0, this.backings.isBackable(ino) ? this.#hold(ino).backing : 0);
  }

  /** Takes note of RELEASE. */
  release(ino: Ino): void {
    const inode = this.#inodes.get(ino);
    if (!inode || --inode.handles > 0) return;
    this.#inodes.delete(ino);
    if (inode.backing === 0) this.backings.closed(ino);
    else closeBacking(this.device, inode.backing);
  }

  #hold(ino: Ino): OpenInode {
    const inode = this.#inodes.get(ino) ?? { handles: 0, backing: this.#back(this.backings.open(ino)) };
    inode.handles++;
    this.#inodes.set(ino, inode);
    return inode;
  }

  /** Whether this process may do it, on the file system of the cache: some that lie on others the kernel refuses. */
  #probe(): boolean {
    const backing = this.#back(this.backings.openProbe());
    if (backing !== 0) closeBacking(this.device, backing);
    return backing !== 0;
  }

  /** The kernel keeps the file for itself: neither our descriptor nor its name need stay. */
  #back(fd: number | undefined): number {
    if (fd === undefined) return 0;
    const backing = openBacking(this.device, fd);
    closeSync(fd);
    return backing ?? 0;
  }
}
