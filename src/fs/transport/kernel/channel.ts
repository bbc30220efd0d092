/** The connection with the kernel: one request in, one reply out, each in a buffer of its own. Knows no operation. */
import { Errno } from "../../errno.js";
import type { Ino } from "../../filesystem.js";
import { Reply } from "./reply.js";
import { KernelRequest } from "./request.js";
import { errno, errnos, read, write } from "./syscalls.js";

/** Told of failures that are not the caller's own doing. */
export type OnFailure = (event: string, facts: Record<string, unknown>) => void;

/** What came of a read: a request, nothing after all, or the end of the connection. */
export type Received = "request" | "nothing" | "unmounted" | "aborted";

/** These tell of a request that was taken back before it could be read. */
const TAKEN_BACK = new Set([errnos.EAGAIN, errnos.EINTR, errnos.ENOENT]);

export class Channel {
  /** The request that was read last, or one loaded to be run again. */
  readonly request = new KernelRequest();
  /** The reply being built. */
  readonly reply = new Reply();

  constructor(
    private readonly device: number,
    private readonly onFailure: OnFailure,
  ) {}

  receive(): Received {
    if (read(this.device, this.request.bytes) >= 0) return "request";
    const reason = errno();
    if (TAKEN_BACK.has(reason)) return "nothing";
    if (reason === errnos.ENODEV) return "unmounted";
    if (reason !== errnos.ECONNABORTED) this.onFailure("kernel device failed", { errno: reason });
    return "aborted";
  }

  /** Sends the reply that was built. The kernel tells by `ENOENT` that nobody waits for it any more. */
  send(): void {
    if (this.reply.length === 0 || this.#write()) return;
    const reason = errno();
    if (reason === errnos.ENOENT || reason === errnos.ENODEV) return;
    this.onFailure("kernel refused a reply", { errno: reason, opcode: this.request.opcode });
    // Whoever waits for this reply must not wait forever.
    this.reply.fail(Errno.EIO);
    this.#write();
  }

  /** Answers a request with a number. */
  finishWith(unique: number, value: number): void {
    this.reply.begin(unique);
    this.reply.number(value);
    this.send();
  }

  /** Ends a request with an errno, or with bare success (0). */
  finish(unique: number, errnoNumber: number): void {
    this.reply.begin(unique);
    this.reply.fail(errnoNumber);
    this.send();
  }

  /** Has the kernel ask for an inode's attributes before it uses them again. One it has let go of is as good. */
  forgetAttributes(ino: Ino): void {
    this.reply.forgetAttributes(ino);
    if (this.#write() || errno() === errnos.ENOENT) return;
    this.onFailure("kernel refused a notification", { errno: errno(), ino });
  }

  #write(): boolean {
    return write(this.device, this.reply.bytes, this.reply.finish()) >= 0;
  }
}
