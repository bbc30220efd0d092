/**
 * Writes that appear whole or not at all and then survive a power loss: written aside in the remote's `.tmp`, synced,
 * given their name, and the folder that holds the name synced. The folders above it are synced once in a process's
 * life, since whoever made them may have died before syncing them. Errors are those of the system calls.
 */
import { randomUUID } from "node:crypto";
import { type FileHandle, link, mkdir, open, readdir, rename, rm, stat, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";

import { DatasetError, errnoOf } from "../../errors.js";
import { checkSignal } from "../cancel.js";
import type { Body, ObjectKey } from "../remote.js";

/** Where writes lie until they have their name; no key begins with it, and no listing shows it. */
export const ASIDE_FOLDER = ".tmp";
/** A write under way touches its file all the time; one this old has lost its writer. */
const ASIDE_MAX_AGE_MS = 24 * 60 * 60 * 1000;

/** A write of `body` to `path`, where `key` lies. */
export type FileWrite<B extends Body> = (
  path: string,
  key: ObjectKey,
  body: B,
  signal: AbortSignal | undefined,
) => Promise<void>;

export interface FileWrites {
  /** Replaces what lies there. */
  put: FileWrite<Body>;
  /** Fails with EEXIST when something lies there. */
  create: FileWrite<Uint8Array>;
}

type GiveName = (aside: string, path: string) => Promise<void>;

/** Writes below the folder `root`, which the first of them makes. */
export function fileWrites(root: string): FileWrites {
  const asideFolder = join(root, ASIDE_FOLDER);
  const durable = new Set([root]);
  let prepared: Promise<void> | undefined;

  return { put: writing(rename), create: writing(linkOver) };

  function writing(giveName: GiveName): FileWrite<Body> {
    return async (path, key, body, signal) => {
      await prepare();
      const aside = join(asideFolder, randomUUID());
      try {
        await fill(aside, key, body, signal);
        checkSignal(signal, `write of "${key}"`);
        await inFolder(dirname(path), () => giveName(aside, path));
      } catch (error) {
        await rm(aside, { force: true }).catch(() => undefined);
        throw error;
      }
      await makeDurable(dirname(path));
    };
  }

  /** Rejections are not remembered: a disk that was full may have room a second later. */
  function prepare(): Promise<void> {
    prepared ??= prepareAside(root, asideFolder).catch((error: unknown) => {
      prepared = undefined;
      throw error;
    });
    return prepared;
  }

  /** Tries first and makes the folder when that fails: most writes go where others went before. */
  async function inFolder(folder: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (errnoOf(error) !== "ENOENT") throw error;
      durable.delete(folder);
      await mkdir(folder, { recursive: true });
      await work();
    }
  }

  async function makeDurable(folder: string): Promise<void> {
    await syncFolder(folder);
    for (let below = folder; !durable.has(below); below = dirname(below)) await syncFolder(dirname(below));
    durable.add(folder);
  }
}

/** A link, unlike a rename, fails where the name is taken, whoever took it. */
async function linkOver(aside: string, path: string): Promise<void> {
  await link(aside, path);
  await unlink(aside).catch(() => undefined); // The name is given; what stays aside is cleaned some day.
}

async function prepareAside(root: string, asideFolder: string): Promise<void> {
  const firstMade = await mkdir(asideFolder, { recursive: true });
  if (firstMade !== undefined)
    for (let made = root; made.length >= firstMade.length; made = dirname(made))
      await syncFolder(dirname(made));
  for (const name of await readdir(asideFolder)) await removeIfOld(join(asideFolder, name));
}

/** Another process may be cleaning too. */
async function removeIfOld(aside: string): Promise<void> {
  const found = await stat(aside).catch(() => undefined);
  if (found && Date.now() - found.mtimeMs > ASIDE_MAX_AGE_MS) await rm(aside, { force: true });
}

async function fill(
  aside: string,
  key: ObjectKey,
  body: Body,
  signal: AbortSignal | undefined,
): Promise<void> {
  const handle = await open(aside, "wx");
  try {
    if (body instanceof Uint8Array) await writeAll(handle, body);
    else await writeStream(handle, key, body, signal);
    await handle.datasync();
  } finally {
    await handle.close();
  }
}

async function writeStream(
  handle: FileHandle,
  key: ObjectKey,
  { sizeBytes, chunks }: Exclude<Body, Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<void> {
  let writtenBytes = 0;
  for await (const chunk of chunks()) {
    checkSignal(signal, `write of "${key}"`);
    writtenBytes += chunk.byteLength;
    if (writtenBytes > sizeBytes) throw wrongSize(key, `at least ${writtenBytes}`, sizeBytes);
    await writeAll(handle, chunk);
  }
  if (writtenBytes < sizeBytes) throw wrongSize(key, String(writtenBytes), sizeBytes);
}

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.byteLength;)
    done += (await handle.write(bytes, done, bytes.byteLength - done)).bytesWritten;
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function wrongSize(key: ObjectKey, gave: string, sizeBytes: number): DatasetError<"bad-input"> {
  const message = `Cannot put "${key}": its stream gave ${gave} bytes where ${sizeBytes} were announced`;
  return new DatasetError("bad-input", { value: key }, message);
}
