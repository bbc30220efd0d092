/** One request of the kernel, read into one buffer that all requests share and decoded in place. */
import { FileSystemError } from "../../errno.js";
import type { Caller } from "../../filesystem.js";
import { InHeader, MAX_TRANSFER_BYTES, PAGE_BYTES, WriteIn } from "./protocol.js";

const WORD = 2 ** 32;

export class KernelRequest {
  /** Large enough for the largest WRITE: the kernel refuses to fill a smaller buffer. */
  readonly bytes = Buffer.allocUnsafeSlow(MAX_TRANSFER_BYTES + PAGE_BYTES + WriteIn.data);
  readonly #view = new DataView(this.bytes.buffer);

  get length(): number {
    return this.u32(InHeader.length);
  }

  get opcode(): number {
    return this.u32(InHeader.opcode);
  }

  /** Names this request in its reply and in an INTERRUPT. */
  get unique(): number {
    return this.u64(InHeader.unique);
  }

  get ino(): number {
    return this.u64(InHeader.nodeid);
  }

  u32(at: number): number {
    return this.#view.getUint32(at, true);
  }

  /** Numbers beyond 2^53 lose their last bits; the kernel sends none but those it was given. */
  u64(at: number): number {
    return this.#view.getUint32(at, true) + this.#view.getUint32(at + 4, true) * WORD;
  }

  /** Seconds may lie before 1970. */
  i64(at: number): number {
    return this.#view.getUint32(at, true) + this.#view.getInt32(at + 4, true) * WORD;
  }

  /** The byte string from `at` to the next NUL. @throws {FileSystemError} `EINVAL` where none comes in this request */
  name(at: number): string {
    const end = this.bytes.indexOf(0, at);
    if (end < at || end >= this.length) throw new FileSystemError("EINVAL");
    return this.bytes.toString("latin1", at, end);
  }

  /** Two byte strings, one after the other. */
  names(at: number): [string, string] {
    const first = this.name(at);
    return [first, this.name(at + first.length + 1)];
  }

  caller(umask: number): Caller {
    return { uid: this.u32(InHeader.uid), gid: this.u32(InHeader.gid), pid: this.u32(InHeader.pid), umask };
  }

  /** A copy of this request, to be loaded again when it can be answered. */
  copy(): Uint8Array {
    return Uint8Array.prototype.slice.call(this.bytes, 0, this.length);
  }

  load(copy: Uint8Array): void {
    this.bytes.set(copy);
  }
}
