/**
 * External files in folders of this machine, or of a network that all who read the dataset mount at the same path. A file
 * is pinned by its size, mtime and inode, and looked at before and after each read.
 */
import { type BigIntStats, type Dirent, constants } from "node:fs";
import { type FileHandle, open, readdir, stat } from "node:fs/promises";

import { DatasetError, errnoOf } from "../../errors.js";
import { bufferOf } from "../../paths.js";
import { cancellable, checkSignal } from "../cancel.js";
import { explainFile } from "../file/failure.js";
import { short } from "../answers.js";
import { bytesOfFileUrl, fileUrlOf } from "./file-url.js";
import { type LinkSource, type LinkStore, type ListedSource, type SourceInfo, changed } from "./source.js";

export function fileLinks(): LinkStore {
  return {
    look: async (url, { signal } = {}) => cancellable(signal, `look at "${url}"`, () => look(url)),
    read: async (source, start, end, { signal } = {}) =>
      cancellable(signal, `read of "${source.url}"`, () => readPinned(source, start, end)),
    list: (folder, { signal } = {}) => list(folder, signal),
    close: async () => undefined,
  };
}

async function look(url: string): Promise<SourceInfo | undefined> {
  const path = bytesOfFileUrl(url);
  if (path.endsWith("/")) return undefined;
  const found = await explained(url, () => stat(bufferOf(path), { bigint: true }).catch(unlessAbsent));
  return found?.isFile() ? infoOf(url, found) : undefined;
}

function infoOf(url: string, found: BigIntStats): SourceInfo {
  return { url, sizeBytes: Number(found.size), pins: [pinOf(found)], modifiedMs: Number(found.mtimeMs) };
}

/** Not the device: its number changes when a disk is mounted again. */
function pinOf({ size, mtimeNs, ino }: BigIntStats): string {
  return `stat:${size}-${mtimeNs}-${ino}`;
}

async function readPinned(source: LinkSource, start: number, end: number): Promise<Uint8Array> {
  return explained(source.url, async () => {
    // A fifo that took the file's place must not be waited for.
    const flags = constants.O_RDONLY | constants.O_NONBLOCK;
    const handle = await open(bufferOf(bytesOfFileUrl(source.url)), flags);
    try {
      await expectPinned(source, handle);
      const bytes = await readRange(handle, source.url, start, end);
      await expectPinned(source, handle);
      return bytes;
    } finally {
      await handle.close();
    }
  });
}

async function expectPinned({ url, pin, sizeBytes }: LinkSource, handle: FileHandle): Promise<void> {
  const now = await handle.stat({ bigint: true });
  if (!now.isFile()) throw changed(url, "it is no file any more");
  if (Number(now.size) !== sizeBytes || (pin !== "" && pinOf(now) !== pin))
    throw changed(url, "the file was written, or replaced, since");
}

async function readRange(handle: FileHandle, url: string, start: number, end: number): Promise<Uint8Array> {
  // Its own memory, so that a caller may hand it to a worker, and not zeroed first.
  const bytes = new Uint8Array(Buffer.allocUnsafeSlow(end - start).buffer);
  for (let got = 0; got < bytes.byteLength;) {
    const { bytesRead } = await handle.read(bytes, got, bytes.byteLength - got, start + got);
    if (bytesRead === 0) throw short(url, bytes.byteLength, got);
    got += bytesRead;
  }
  return bytes;
}

/** Files of folders below too; a symbolic link is followed to a file, never to a folder, which may hold it. */
async function* list(url: string, signal: AbortSignal | undefined): AsyncGenerator<ListedSource> {
  const top = bytesOfFileUrl(url).replace(/\/+$/, "");
  const folders = [""];
  for (const folder of folders) {
    checkSignal(signal, `listing of "${url}"`);
    for (const entry of await entriesIn(url, `${top}/${folder}`)) {
      const path = folder + entry.name.toString("latin1");
      if (entry.isDirectory()) folders.push(`${path}/`);
      else if (entry.isFile() || entry.isSymbolicLink()) yield* fileAt(`${top}/${path}`, path);
    }
  }
}

function entriesIn(url: string, folder: string): Promise<Dirent<Buffer>[]> {
  const options = { withFileTypes: true, encoding: "buffer" } as const;
  return explained(url, async () => (await readdir(bufferOf(folder), options).catch(unlessAbsent)) ?? []);
}

async function* fileAt(absolute: string, path: string): AsyncGenerator<ListedSource> {
  const info = await look(fileUrlOf(absolute));
  if (info) yield { ...info, path };
}

function unlessAbsent(error: unknown): undefined {
  if (!["ENOENT", "ENOTDIR"].includes(errnoOf(error) ?? "")) throw error;
  return undefined;
}

async function explained<T>(url: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (errnoOf(error) === "ENXIO") throw changed(url, "it is no file any more");
    throw error instanceof DatasetError
      ? error
      : explainFile(error, { attempt: "read", key: url, url: "this machine", path: url });
  }
}
