/** A file that one process holds at a time, until it lets go or ends, however that comes: `flock(2)`. */
import { closeSync, fstatSync, openSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import type koffi from "koffi";

import { errnoOf } from "./errors.js";

export interface FileLock {
  /** Twice is the same as once. */
  release(): void;
}

/** Source: https://man7.org/linux/man-pages/man2/flock.2.html; macOS has the same numbers. */
const LOCK_SHARED = 1;
const LOCK_EXCLUSIVE = 2;
const LOCK_NO_WAIT = 4;

let flock: ((descriptor: number, operation: number) => number) | undefined;

/**
 * Takes the lock of a file, which is made where there is none; undefined while somebody else has it.
 *
 * @param options.shared Beside others who share it, while nobody has it alone. Default false.
 */
export function tryLock(path: string, { shared = false } = {}): FileLock | undefined {
  const descriptor = openSync(path, "a", 0o600);
  let isOpen = true;
  const release = () => {
    if (isOpen) closeSync(descriptor);
    isOpen = false;
  };
  if (lock(descriptor, shared ? LOCK_SHARED : LOCK_EXCLUSIVE) && isFileAt(path, descriptor))
    return { release };
  release();
  return undefined;
}

/** Whether somebody has the lock of a file; false where there is none. Whoever asks must be able to read the file. */
export function isLocked(path: string): boolean {
  const descriptor = openIfThere(path);
  if (descriptor === undefined) return false;
  try {
    return !lock(descriptor, LOCK_SHARED);
  } finally {
    closeSync(descriptor);
  }
}

/** False while another open file has the lock; the system gives it up when the last process that has it open ends. */
function lock(descriptor: number, kind: number): boolean {
  flock ??= loadFlock();
  return flock(descriptor, kind | LOCK_NO_WAIT) === 0;
}

function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, "r");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** Node has no such call. */
function loadFlock(): NonNullable<typeof flock> {
  const native = createRequire(import.meta.url)("koffi") as typeof koffi;
  return native.load(null).func("int flock(int descriptor, int operation)") as NonNullable<typeof flock>;
}

/** Who had the lock before may have taken the file away. */
function isFileAt(path: string, descriptor: number): boolean {
  return statSync(path, { throwIfNoEntry: false })?.ino === fstatSync(descriptor).ino;
}
