/** What the operations of one mount share: the tree they ask, and which handles may hold what was not flushed. */
import type { FileSystem, Ino } from "../../filesystem.js";
import { Passthrough } from "./passthrough.js";
import type { KernelRequest } from "./request.js";
import type { Reply } from "./reply.js";
import { writeBack } from "./write-back.js";

export class Session {
  /**
   * Handles written to, or opened to be, since the last `close(2)` of one of their descriptors, with their inode.
   * Closing waits for FLUSH; so none is left after an orderly unmount, and any that is was cut off.
   */
  readonly unflushed = new Map<number, Ino>();

  /** Handles that may be written to, with their inode. */
  readonly writers = new Map<number, Ino>();
  /** Files a write to which found the disk full; see `full-disk.ts`. */
  readonly lackingRoom = new Set<Ino>();
  /** Set once kernel and file system can both do it. */
  passthrough: Passthrough | undefined;

  constructor(
    readonly fileSystem: FileSystem,
    private readonly device: number,
  ) {}

  /** A handle was given out that may be written to. */
  opened(handle: number, ino: Ino): void {
    this.unflushed.set(handle, ino);
    this.writers.set(handle, ino);
  }

  released(handle: number): void {
    const ino = this.writers.get(handle);
    if (ino !== undefined) this.lackingRoom.delete(ino);
    this.unflushed.delete(handle);
    this.writers.delete(handle);
  }

  /** Resolves once the kernel has written back what it holds of a file. */
  writeBack(ino: Ino): Promise<void> {
    return writeBack(this.device, ino);
  }

  isWritten(ino: Ino): boolean {
    return [...this.writers.values()].includes(ino);
  }

  /** The kernel can read local files by itself; whether the file system has any for it. */
  passThrough(): boolean {
    const { backings } = this.fileSystem;
    this.passthrough = backings && new Passthrough(this.device, backings);
    return this.passthrough !== undefined;
  }
}

/**
 * Answers one kind of request: fills the reply, throws an errno or `Missing`, or gives a promise to be waited for
 * before the reply goes out; where that gives a number, the number is the reply.
 */
export type Operation = (session: Session, request: KernelRequest, reply: Reply) => unknown;
