/** What the operations of one mount share: the tree they ask, and which handles may hold what was not flushed. */
import type { FileSystem, Ino } from "../../filesystem.js";
import type { KernelRequest } from "./request.js";
import type { Reply } from "./reply.js";

export class Session {
  /**
   * Handles written to, or opened to be, since the last `close(2)` of one of their descriptors, with their inode.
   * Closing waits for FLUSH; so none is left after an orderly unmount, and any that is was cut off.
   */
  readonly unflushed = new Map<number, Ino>();

  /** Handles that may be written to, with their inode. */
  readonly writers = new Map<number, Ino>();

  constructor(readonly fileSystem: FileSystem) {}

  /** A handle was given out that may be written to. */
  opened(handle: number, ino: Ino): void {
    this.unflushed.set(handle, ino);
    this.writers.set(handle, ino);
  }

  released(handle: number): void {
    this.unflushed.delete(handle);
    this.writers.delete(handle);
  }
}

/**
 * Answers one kind of request: fills the reply, throws an errno or `Missing`, or gives a promise to be waited for
 * before the reply goes out.
 */
export type Operation = (session: Session, request: KernelRequest, reply: Reply) => void | Promise<void>;
