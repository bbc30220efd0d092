/** Ends a mount that was made for other processes some time after the last of them has ended. */
import { rmSync, rmdirSync } from "node:fs";
import { liveUsers } from "../dataset/copies/copy-users.js";
import { errnoOf } from "../errors.js";
import { tryLock } from "../file-lock.js";

/** Where the users of a mount are noted, and when it ends without them. */
export interface EndsWithout {
  /** Folder with a file for each; see `copy-users.ts`. */
  users: string;
  /** File that is locked while a user is noted. */
  lock: string;
  idleMs: number;
}

/** How often it is looked at, at most. */
const LOOK_EVERY_MS = 10_000;

/**
 * Watches until `unmount` has succeeded; it throws while somebody still has a file open there.
 *
 * @returns What ends the watch.
 */
export function watchUsers({ users, lock, idleMs }: EndsWithout, unmount: () => Promise<void>): () => void {
  let lastUsedMs = performance.now();
  let isLooking = false;
  const look = async () => {
    if (isLooking) return;
    isLooking = true;
    try {
      if (liveUsers(users).length > 0) lastUsedMs = performance.now();
      else if (performance.now() - lastUsedMs >= idleMs) await end();
    } finally {
      isLooking = false;
    }
  };
  /** Under the lock, since who asks for the mount notes itself and then looks whether there is one. */
  const end = async () => {
    const held = tryLock(lock);
    if (!held) return;
    try {
      if (liveUsers(users).length === 0) await unmount().catch(() => undefined); // Still in use; asked again later.
    } finally {
      held.release();
    }
  };
  const timer = setInterval(() => void look(), Math.max(100, Math.min(LOOK_EVERY_MS, idleMs / 4))).unref();
  return () => clearInterval(timer);
}

/** Takes away what was made for such a mount, once it is gone. */
export function clearAfter({ users }: EndsWithout, mountpoint: string): void {
  if (liveUsers(users).length > 0) return;
  rmSync(users, { recursive: true, force: true });
  try {
    rmdirSync(mountpoint);
  } catch (error) {
    if (!["ENOENT", "ENOTEMPTY", "EBUSY"].includes(errnoOf(error) ?? "")) throw error;
  }
}
