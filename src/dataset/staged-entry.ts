/**
 * An entry as a staging row keeps it: a JSON array, since a hundred thousand are written and read in one commit. Byte
 * strings stay as they are. The path and the type are columns of their own.
 */
import type { Chunk } from "../content/chunk.js";
import { type Entry, EntryType, type FileEntry, type HardLinks } from "../manifest/entry.js";
import type { TreePath } from "../paths.js";

type StoredXattrs = [name: string, base64: string][] | 0;
type Common = [
  mode: number,
  mtimeSec: number,
  mtimeNsec: number,
  uid: number,
  gid: number,
  xattrs: StoredXattrs,
];
type StoredFile = [
  sizeBytes: number,
  sha256: string,
  chunks: StoredChunk[],
  holes: FileEntry["holes"] | 0,
  hardLinks: HardLinks | 0,
];
type StoredSymlink = [target: string, hardLinks: HardLinks | 0];
type StoredLink = [sizeBytes: number, url: string, pin: string, sha256: string | 0];
type StoredChunk = [
  remote: string,
  pack: string,
  offset: number,
  stored: number,
  codec: number,
  hash?: string,
  size?: number,
];

export function encodeEntry(entry: Entry): string {
  const { mode, mtimeSec, mtimeNsec, uid, gid } = entry;
  const common: Common = [mode, mtimeSec, mtimeNsec, uid, gid, encodeXattrs(entry)];
  return JSON.stringify([...common, ...encodeOwn(entry)]);
}

/** Undoes `encodeEntry`. */
export function decodeEntry(type: EntryType, path: TreePath, text: string): Entry {
  const [mode, mtimeSec, mtimeNsec, uid, gid, xattrs, ...own] = JSON.parse(text) as [...Common, ...unknown[]];
  const common = {
    path,
    mode,
    mtimeSec,
    mtimeNsec,
    uid,
    gid,
    ...(xattrs && { xattrs: decodeXattrs(xattrs) }),
  };
  if (type === EntryType.directory) return { type, ...common };
  if (type === EntryType.symlink) {
    const [target, hardLinks] = own as StoredSymlink;
    return { type, ...common, target, ...(hardLinks && { hardLinks }) };
  }
  if (type === EntryType.file) return { type, ...common, ...decodeFile(own as StoredFile) };
  const [sizeBytes, url, pin, sha256] = own as StoredLink;
  return { type, ...common, sizeBytes, url, pin, ...(sha256 && { sha256: sha256 as FileEntry["sha256"] }) };
}

function encodeOwn(entry: Entry): unknown[] {
  switch (entry.type) {
    case EntryType.directory:
      return [];
    case EntryType.symlink:
      return [entry.target, entry.hardLinks ?? 0] satisfies StoredSymlink;
    case EntryType.link:
      return [entry.sizeBytes, entry.url, entry.pin, entry.sha256 ?? 0] satisfies StoredLink;
    case EntryType.file: {
      const { sizeBytes, sha256, holes, hardLinks } = entry;
      const chunks = entry.chunks.map((chunk) => encodeChunk(chunk, entry));
      return [sizeBytes, sha256, chunks, holes ?? 0, hardLinks ?? 0] satisfies StoredFile;
    }
  }
}

/** The only chunk of a file is the file: hash and size are not said again. */
function encodeChunk(chunk: Chunk, file: FileEntry): StoredChunk {
  const { remote, pack, offset, storedBytes, codec, hash, sizeBytes } = chunk;
  if (file.chunks.length === 1) return [remote, pack, offset, storedBytes, codec];
  return [remote, pack, offset, storedBytes, codec, hash, sizeBytes];
}

function decodeFile([sizeBytes, sha256, stored, holes, hardLinks]: StoredFile) {
  const chunks = stored.map(
    ([remote, pack, offset, storedBytes, codec, hash = sha256, size = sizeBytes]) =>
      ({ remote, pack, offset, storedBytes, codec, hash, sizeBytes: size }) as Chunk,
  );
  const extras = { ...(holes && { holes }), ...(hardLinks && { hardLinks }) };
  return { sizeBytes, sha256: sha256 as FileEntry["sha256"], chunks, ...extras };
}

function encodeXattrs({ xattrs }: Entry): StoredXattrs {
  if (!xattrs || xattrs.size === 0) return 0;
  return [...xattrs].map(([name, value]) => [name, Buffer.from(value).toString("base64")]);
}

function decodeXattrs(stored: [string, string][]): ReadonlyMap<string, Uint8Array> {
  return new Map(stored.map(([name, value]) => [name, Buffer.from(value, "base64")]));
}
