/** Has the kernel write back what it holds of one file: what programs wrote and it has not passed on yet. */
import { write } from "node:fs";

import { errnoOf } from "../../../errors.js";
import type { Ino } from "../../filesystem.js";
import { InvalidateInodeOut, Notification, OutHeader } from "./protocol.js";

/**
 * Told that pages of a file are no longer good, the kernel writes the changed ones and drops them all. It does so within
 * the call, which therefore runs in the thread pool while this thread answers the writes.
 */
export function writeBack(device: number, ino: Ino): Promise<void> {
  const message = messageFor(ino);
  return new Promise((resolve, reject) => {
    write(device, message, 0, message.length, null, (error) => {
      // The kernel does not have the file any more, so it holds nothing of it.
      if (error && errnoOf(error) !== "ENOENT") reject(error);
      else resolve();
    });
  });
}

/** All of the file: a length of 0 means to the end. */
function messageFor(ino: Ino): Buffer {
  const message = Buffer.alloc(InvalidateInodeOut.end);
  message.writeUInt32LE(message.length, OutHeader.length);
  message.writeInt32LE(Notification.invalidateInode, OutHeader.error);
  message.writeBigUInt64LE(BigInt(ino), InvalidateInodeOut.ino);
  return message;
}
