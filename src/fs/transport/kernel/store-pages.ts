/** Gives the kernel bytes of a file before it asks for them. */
import { writeSync } from "node:fs";

import { errnoOf } from "../../../errors.js";
import type { Ino } from "../../filesystem.js";
import { Notification, OutHeader, StoreOut } from "./protocol.js";

/** A message whose bytes are filled in and sent, one file after another. */
export class StoreMessage {
  readonly #bytes: Buffer;

  constructor(maxBytes: number) {
    this.#bytes = Buffer.alloc(StoreOut.data + maxBytes);
    this.#bytes.writeInt32LE(Notification.store, OutHeader.error);
  }

  /** Where the file's bytes belong. */
  get content(): Uint8Array {
    return this.#bytes.subarray(StoreOut.data);
  }

  /**
   * Puts the first `sizeBytes` of `content` into the kernel's cache as the whole of a file. Waits while a READ of the file is under
   * way, so the thread that answers READs must not call this.
   *
   * @returns Whether the kernel has the file: it may not have met it, or have let go of it.
   * @throws What the system throws, as `ENODEV` once the mount is gone
   */
  send(device: number, ino: Ino, sizeBytes: number): boolean {
    const length = StoreOut.data + sizeBytes;
    this.#bytes.writeUInt32LE(length, OutHeader.length);
    this.#bytes.writeBigUInt64LE(BigInt(ino), StoreOut.ino);
    this.#bytes.writeUInt32LE(sizeBytes, StoreOut.size);
    try {
      writeSync(device, this.#bytes, 0, length);
      return true;
    } catch (error) {
      if (errnoOf(error) === "ENOENT") return false;
      throw error;
    }
  }
}
