/**
 * Objects in a zip, read where they lie: nothing is unpacked, so no name in it can lead anywhere and nothing can grow.
 * Only members that are stored as they are count as objects; the zip cannot be written.
 * Source: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
 */
import { type FileHandle, open } from "node:fs/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type Entry, type ZipFile, openPromise } from "yauzl";

import { DatasetError, messageOf } from "../../errors.js";
import { MiB } from "../../units.js";
import { checkRange } from "../answers.js";
import { cancellable } from "../cancel.js";
import { checkKey, checkPrefix, isKey } from "../key.js";
import type { ObjectInfo, ObjectKey, Remote, RequestOptions } from "../remote.js";

const READ_WHOLE_MAX_BYTES = 256 * MiB;
/** A bundle of ten million files has some ten thousand objects; this bounds what a crafted list may take of memory. */
const MEMBERS_MAX = 2_000_000;
const STORED = 0;

export function zipUrlOf(path: string): string {
  return pathToFileURL(path).href.replace(/^file:/, "zip:");
}

/** Opens `zip:///absolute/path.zip`. Its list of members is read at the first request. */
export function openZip(url: URL): Remote {
  return zipRemote(fileURLToPath(url.href.replace(/^zip:/, "file:")));
}

interface Opened {
  zip: ZipFile;
  file: FileHandle;
  members: ReadonlyMap<ObjectKey, Entry>;
}

function zipRemote(path: string): Remote {
  const url = zipUrlOf(path);
  let opening: Promise<Opened> | undefined;
  const opened = () => (opening ??= openMembers(path));

  const memberOf = async (key: ObjectKey): Promise<Opened & { member: Entry }> => {
    const archive = await opened();
    const member = archive.members.get(checkKey(key));
    if (member) return { ...archive, member };
    throw new DatasetError("object-missing", { key }, `Cannot read "${key}" in ${url}: it is not there`);
  };
  const read = (key: ObjectKey, start: number, end: number, { signal }: RequestOptions = {}) =>
    cancellable(signal, `read of "${key}" in ${url}`, async () => {
      checkRange(key, start, end);
      const { zip, file, member } = await memberOf(key);
      const { fileDataStart } = await damagedAs(path, () =>
        zip.readLocalFileHeaderPromise(member, { minimal: true }),
      );
      const wantedBytes = end - start;
      const gotBytes = Math.max(0, Math.min(wantedBytes, member.uncompressedSize - start));
      if (gotBytes < wantedBytes) throw short(key, wantedBytes, gotBytes);
      return readAt(file, key, fileDataStart + start, wantedBytes);
    });
  const refuse = (key: ObjectKey) => {
    const message = `Cannot change "${key}" in ${url}: a zip is only read`;
    return Promise.reject(new DatasetError("remote-refused", { key }, message));
  };

  return {
    url,
    read,
    async readWhole(key, { signal, maxBytes = READ_WHOLE_MAX_BYTES } = {}) {
      const { member } = await memberOf(key);
      const wantedBytes = member.uncompressedSize;
      if (wantedBytes > maxBytes) throw tooLarge(key, url, maxBytes);
      return read(key, 0, wantedBytes, { signal });
    },
    async stat(key) {
      const member = (await opened()).members.get(checkKey(key));
      return member && infoOf(key, member);
    },
    put: refuse,
    create: refuse,
    delete: refuse,
    async *list(prefix, { after = "" } = {}) {
      checkPrefix(prefix);
      const keys = [...(await opened()).members].filter(([key]) => key.startsWith(prefix) && key > after);
      for (const [key, member] of keys.sort(([a], [b]) => (a < b ? -1 : 1))) yield infoOf(key, member);
    },
    async close() {
      const archive = await opening?.catch(() => undefined);
      opening = undefined;
      archive?.zip.close();
      await archive?.file.close();
    },
  };
}

/** Lists the members. @throws {DatasetError} `format-damaged` for what is no zip, or was cut off; `unsupported` */
async function openMembers(path: string): Promise<Opened> {
  const zip = await damagedAs(path, () => openPromise(path, { lazyEntries: true, autoClose: false }));
  try {
    const members = await damagedAs(path, () => membersOf(zip, path));
    return { zip, members, file: await open(path) };
  } catch (error) {
    zip.close();
    throw error;
  }
}

async function membersOf(zip: ZipFile, path: string): Promise<Map<ObjectKey, Entry>> {
  const members = new Map<ObjectKey, Entry>();
  let sumBytes = 0;
  for await (const member of zip.eachEntry()) {
    const { fileName: key, uncompressedSize, compressionMethod } = member;
    if (key.endsWith("/") || !isKey(key)) continue;
    if (compressionMethod !== STORED || member.isEncrypted()) throw packedOtherwise(path, key);
    if (members.has(key)) throw damagedZip(path, `it has "${key}" twice`);
    sumBytes += uncompressedSize;
    if (sumBytes > zip.fileSize) throw damagedZip(path, "its members are larger than it is");
    if (members.size >= MEMBERS_MAX) throw damagedZip(path, `it has more than ${MEMBERS_MAX} members`);
    members.set(key, member);
  }
  return members;
}

async function readAt(
  file: FileHandle,
  key: ObjectKey,
  position: number,
  wantedBytes: number,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(Buffer.allocUnsafeSlow(wantedBytes).buffer);
  let gotBytes = 0;
  while (gotBytes < wantedBytes) {
    const { bytesRead } = await file.read(bytes, gotBytes, wantedBytes - gotBytes, position + gotBytes);
    if (bytesRead === 0) throw short(key, wantedBytes, gotBytes);
    gotBytes += bytesRead;
  }
  return bytes;
}

function infoOf(key: ObjectKey, member: Entry): ObjectInfo {
  return { key, sizeBytes: member.uncompressedSize, modifiedMs: member.getLastModDate().getTime() };
}

/** What the zip reader finds wrong, and what the system says of the file. */
async function damagedAs<Value>(path: string, work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof DatasetError) throw error;
    throw damagedZip(path, messageOf(error), error);
  }
}

function damagedZip(path: string, problem: string, cause?: unknown): DatasetError<"format-damaged"> {
  const message = `Cannot read the zip "${path}": it is damaged or was cut off (${problem})`;
  return new DatasetError("format-damaged", { what: path }, message, { cause });
}

function packedOtherwise(path: string, key: string): DatasetError<"unsupported"> {
  const message = `Cannot read the zip "${path}": "${key}" in it is compressed, so another tool has packed it; unpack it and give the folder`;
  return new DatasetError("unsupported", { what: path }, message);
}

function short(key: ObjectKey, wantedBytes: number, gotBytes: number): DatasetError<"remote-short"> {
  const message = `Cannot read ${wantedBytes} bytes of "${key}": there are ${gotBytes}`;
  return new DatasetError("remote-short", { key, wantedBytes, gotBytes }, message);
}

function tooLarge(key: ObjectKey, url: string, maxBytes: number): DatasetError<"remote-failed"> {
  const message = `Cannot read "${key}" in ${url}: it is larger than ${maxBytes} bytes`;
  return new DatasetError("remote-failed", { key }, message);
}
