/**
 * Reading a file of the user so that what was hashed is one state of it: its size and times are the same before and
 * after, else it is read again. Synchronous system calls, for the workers.
 */
import { type BigIntStats, closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { DatasetError, errnoOf, messageOf } from "../errors.js";
import { bufferOf, textOf } from "../paths.js";

/** A file while it is open to be read. */
export interface OpenFile {
  fd: number;
  sizeBytes: number;
  blocks: number;
  mtimeSec: number;
  mtimeNsec: number;
}

const ATTEMPTS = 5;
/** Before the second attempt; grows with each. In all 0.2 s for whoever is writing to get done. */
const PAUSE_MS = 20;

const OPEN_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
/** Not on every platform. */
const NO_ATIME = (constants as { O_NOATIME?: number }).O_NOATIME ?? 0;
const NSEC_PER_SEC = 1_000_000_000n;

/**
 * The value of `read` for a state of the file that did not change meanwhile; tried five times. `read` gives undefined
 * when the file ended before its size.
 *
 * @throws {DatasetError} `source-changed`; `source-unreadable` also for anything but a regular file.
 */
export function readStable<Value>(path: string, read: (file: OpenFile) => Value | undefined): Value {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const value = readOnce(path, read);
    if (value !== undefined) return value;
    pause(PAUSE_MS * attempt);
  }
  const message = `Cannot read "${textOf(path)}": it changed during each of ${ATTEMPTS} attempts`;
  throw new DatasetError("source-changed", { path: textOf(path) }, message);
}

/** Opens a regular file for reading, leaving its access time alone where we may. The caller closes it. */
export function openSource(path: string): number {
  const bytes = bufferOf(path);
  try {
    return openSync(bytes, OPEN_FLAGS | NO_ATIME);
  } catch (error) {
    if (NO_ATIME === 0 || errnoOf(error) !== "EPERM") throw error;
    return openSync(bytes, OPEN_FLAGS); // another user's file
  }
}

/** Fills `target` from `position` of a file; false when the file ends before. */
export function readFully(fd: number, target: Uint8Array, position: number): boolean {
  for (let done = 0; done < target.length;) {
    const count = readSync(fd, target, done, target.length - done, position + done);
    if (count === 0) return false;
    done += count;
  }
  return true;
}

function readOnce<Value>(path: string, read: (file: OpenFile) => Value | undefined): Value | undefined {
  let fd: number | undefined;
  try {
    fd = openSource(path);
    const before = fstatSync(fd, { bigint: true });
    if (!before.isFile()) throw unreadable(path, "it is not a regular file");
    const value = read(openFile(fd, before));
    return isSameState(before, fstatSync(fd, { bigint: true })) ? value : undefined;
  } catch (error) {
    throw errnoOf(error) === undefined ? error : unreadable(path, messageOf(error), error);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

function openFile(fd: number, facts: BigIntStats): OpenFile {
  const nsec = ((facts.mtimeNs % NSEC_PER_SEC) + NSEC_PER_SEC) % NSEC_PER_SEC; // times before 1970 are negative
  return {
    fd,
    sizeBytes: Number(facts.size),
    blocks: Number(facts.blocks),
    mtimeSec: Number((facts.mtimeNs - nsec) / NSEC_PER_SEC),
    mtimeNsec: Number(nsec),
  };
}

function isSameState(before: BigIntStats, after: BigIntStats): boolean {
  return before.size === after.size && before.mtimeNs === after.mtimeNs && before.ctimeNs === after.ctimeNs;
}

function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

function unreadable(path: string, why: string, cause?: unknown): DatasetError<"source-unreadable"> {
  const message = `Cannot read "${textOf(path)}": ${why}`;
  return new DatasetError("source-unreadable", { path: textOf(path) }, message, { cause });
}
