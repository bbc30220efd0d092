/** A name for a folder that can be part of a file's name: 24 hex digits. */
import { createHash } from "node:crypto";

export function digestOf(mountpoint: string): string {
  return createHash("sha256").update(mountpoint).digest("hex").slice(0, 24);
}
