/**
 * Files open for reading. Ranges of one pack are read thousands of times, so a few descriptors stay open between
 * reads. Any process may replace or delete an object meanwhile, so a kept descriptor is believed only when the path,
 * looked up while the bytes are read, still leads to the same file: an object's inode never changes, and its number
 * is not given to another while it is open.
 */
import { type FileHandle, open, stat } from "node:fs/promises";
import { LRUCache } from "lru-cache";

import { DatasetError } from "../../errors.js";
import { answerMemory } from "../answer-memory.js";
import type { ObjectKey } from "../remote.js";

/** A process may have 1,024 files open by default; the small files of a folder lie in tens of packs. */
const KEPT_OPEN = 64;

interface Opened {
  handle: FileHandle;
  dev: bigint;
  ino: bigint;
}

/** INVARIANT: closed once, when it is neither kept nor used. */
interface OpenFile {
  opened: Promise<Opened>;
  users: number;
  kept: boolean;
}

export class Descriptors {
  readonly #files = new LRUCache<string, OpenFile>({ max: KEPT_OPEN, dispose: (file) => letGo(file) });
  #closed = false;

  /** The bytes `[start, end)` of the file at `path`. Fails as the system calls do, or with `remote-short`. */
  async read(path: string, key: ObjectKey, start: number, end: number): Promise<Uint8Array> {
    checkRange(key, start, end);
    for (;;) {
      const kept = this.#files.get(path);
      const file = kept ?? this.#open(path, key);
      const bytes = await using(file, async (opened) => {
        const current = kept === undefined || leadsTo(path, opened);
        return Promise.all([readUpTo(opened.handle, start, end), current]);
      });
      if (bytes[1]) return expectLength(bytes[0], end - start, key);
      this.#forget(path, file);
    }
  }

  /** Closes what is kept; what is being read, when that read ends. Later reads keep nothing open. */
  close(): void {
    this.#closed = true;
    this.#files.clear();
  }

  #open(path: string, key: ObjectKey): OpenFile {
    const file: OpenFile = { opened: openObject(path, key), users: 0, kept: !this.#closed };
    if (file.kept) this.#files.set(path, file);
    file.opened.catch(() => this.#forget(path, file));
    return file;
  }

  #forget(path: string, file: OpenFile): void {
    if (this.#files.peek(path) === file) this.#files.delete(path);
  }
}

/** The whole file at `path`. It is small and seldom read, so its descriptor is not kept. */
export async function readWholeFile(path: string, key: ObjectKey, maxBytes: number): Promise<Uint8Array> {
  const { handle } = await openObject(path, key);
  try {
    const { size } = await handle.stat();
    if (size > maxBytes) throw tooLarge(key, size, maxBytes);
    return expectLength(await readUpTo(handle, 0, size), size, key);
  } finally {
    await handle.close();
  }
}

async function using<T>(file: OpenFile, work: (opened: Opened) => Promise<T>): Promise<T> {
  file.users++;
  try {
    return await work(await file.opened);
  } finally {
    file.users--;
    closeIfIdle(file);
  }
}

function letGo(file: OpenFile): void {
  file.kept = false;
  closeIfIdle(file);
}

/** A file that could not be opened, or cannot be closed, has nothing more to lose. */
function closeIfIdle(file: OpenFile): void {
  if (file.kept || file.users > 0) return;
  file.opened.then(({ handle }) => handle.close()).catch(() => undefined);
}

async function openObject(path: string, key: ObjectKey): Promise<Opened> {
  const handle = await open(path, "r");
  try {
    const found = await handle.stat({ bigint: true });
    if (!found.isFile())
      throw new DatasetError("object-missing", { key }, `Cannot read "${key}": it is no file`);
    return { handle, dev: found.dev, ino: found.ino };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function leadsTo(path: string, { dev, ino }: Opened): Promise<boolean> {
  const found = await stat(path, { bigint: true }).catch(() => undefined);
  return found?.dev === dev && found.ino === ino;
}

/** Fewer bytes than asked for only at the end of the file. */
async function readUpTo(handle: FileHandle, start: number, end: number): Promise<Uint8Array> {
  const bytes = answerMemory(end - start);
  for (let got = 0; got < bytes.byteLength;) {
    const { bytesRead } = await handle.read(bytes, got, bytes.byteLength - got, start + got);
    if (bytesRead === 0) return bytes.subarray(0, got);
    got += bytesRead;
  }
  return bytes;
}

function checkRange(key: ObjectKey, start: number, end: number): void {
  if (Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && start <= end) return;
  const value = `[${start}, ${end})`;
  throw new DatasetError(
    "bad-input",
    { value },
    `Cannot read ${value} of "${key}": that is no range of bytes`,
  );
}

function expectLength(bytes: Uint8Array, wantedBytes: number, key: ObjectKey): Uint8Array {
  const gotBytes = bytes.byteLength;
  if (gotBytes === wantedBytes) return bytes;
  const message = `Cannot read "${key}": it ends after ${gotBytes} of the ${wantedBytes} bytes asked for`;
  throw new DatasetError("remote-short", { key, wantedBytes, gotBytes }, message);
}

function tooLarge(key: ObjectKey, sizeBytes: number, maxBytes: number): DatasetError<"format-damaged"> {
  const message = `Cannot read "${key}" whole: it has ${sizeBytes} bytes, and at most ${maxBytes} are expected`;
  return new DatasetError("format-damaged", { what: key }, message);
}
