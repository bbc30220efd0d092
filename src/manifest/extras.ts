/**
 * The part of an entry that most entries do not have: link targets, extended attributes, holes, hard links.
 *
 * Layout: u32 length of all of it, u8 which parts follow (see `Part`), then the parts in the order of their bits:
 * - target: u16 length, bytes
 * - xattrs: u32 count, then for each u16 and u32 lengths, name, value; sorted by name
 * - holes: u32 count, then for each u64 start, u64 end
 * - hard links: u32 count, then for each u16 length, path
 * - url: u32 and u32 lengths, URL, pin; `hashed` says that the record's SHA-256 is the link's
 */
import { checkPath, type TreePath } from "../paths.js";
import { ByteReader, type ByteWriter, damaged } from "./binary.js";
import { type Entry, EntryType, hardLinksOf, isLinkable } from "./entry.js";
import { compareKeys, comparePaths } from "./key.js";

const Part = { target: 1, xattrs: 2, holes: 4, hardLinks: 8, url: 16, hashed: 32 } as const;
const ALL_PARTS = 63;
/** Length and parts. */
const FIXED_BYTES = 5;
/** Linux PATH_MAX without its NUL: what `symlink(2)` takes. */
const TARGET_MAX_BYTES = 4_095;
/** XATTR_NAME_MAX of Linux. */
const XATTR_NAME_MAX_BYTES = 255;

export interface Extras {
  target?: string;
  xattrs?: Map<string, Uint8Array>;
  holes?: [number, number][];
  hardLinks?: TreePath[];
  url?: string;
  pin?: string;
  /** Whether a link's SHA-256 is known. */
  hashed: boolean;
}

/** Appends what `entry` has of these parts; gives where it starts, or undefined when there is nothing to keep. */
export function writeExtras(writer: ByteWriter, entry: Entry): number | undefined {
  const parts = partsOf(entry);
  if (parts === 0) return undefined;
  const start = writer.length;
  writer.u32(0);
  writer.u8(parts);
  if (entry.type === EntryType.symlink) writeTarget(writer, entry.target);
  if (entry.xattrs?.size) writeXattrs(writer, entry.xattrs);
  if (entry.type === EntryType.file && entry.holes?.length) writeHoles(writer, entry.holes);
  const hardLinks = hardLinksOf(entry);
  if (hardLinks?.length) writeHardLinks(writer, hardLinks);
  if (entry.type === EntryType.link) writeUrl(writer, entry.url, entry.pin);
  writer.patchU32(start, writer.length - start);
  return start;
}

/**
 * Reads what `writeExtras` wrote at `start`, checked against `[start, end)` of the buffer.
 * @throws {DatasetError} `format-damaged`
 */
export function readExtras(buffer: Buffer, start: number, end: number, what: string): Extras {
  const length = new ByteReader(what, buffer, start, end).u32();
  if (length < FIXED_BYTES || length > end - start) throw damaged(what, "an entry's extras reach outside it");
  const reader = new ByteReader(what, buffer, start + 4, start + length);
  const parts = reader.u8();
  const extras: Extras = { hashed: (parts & Part.hashed) !== 0 };
  if (parts & Part.target) extras.target = reader.text(reader.u16());
  if (parts & Part.xattrs) extras.xattrs = readXattrs(reader);
  if (parts & Part.holes) extras.holes = readHoles(reader);
  if (parts & Part.hardLinks) extras.hardLinks = readHardLinks(reader);
  if (parts & Part.url) Object.assign(extras, readUrl(reader));
  if (reader.at !== reader.end || parts > ALL_PARTS)
    throw damaged(what, "an entry's extras hold what is unknown");
  return extras;
}

/** Checks that an entry of this type and size at `path` can have these extras. @throws {DatasetError} `format-damaged` */
export function checkExtras(
  extras: Extras | undefined,
  type: number,
  sizeBytes: number,
  path: TreePath | undefined,
  what: string,
): void {
  const { target, holes, hardLinks, url } = extras ?? {};
  if ((target !== undefined) !== (type === EntryType.symlink))
    throw damaged(what, "a target is not a symbolic link's");
  if ((url !== undefined) !== (type === EntryType.link)) throw damaged(what, "a URL is not a link's");
  if (holes && type !== EntryType.file) throw damaged(what, "holes are not a file's");
  if (hardLinks && !isLinkable({ type }))
    throw damaged(what, "hard links are not a file's or a symbolic link's");
  if (extras?.hashed && type !== EntryType.link) throw damaged(what, "a known hash is not a link's");
  if (target !== undefined) checkTarget(target, what);
  if (holes) checkHoles(holes, sizeBytes, what);
  if (hardLinks) checkHardLinks(hardLinks, path, what);
}

function partsOf(entry: Entry): number {
  let parts = entry.xattrs?.size ? Part.xattrs : 0;
  if (entry.type === EntryType.symlink) parts |= Part.target;
  if (entry.type === EntryType.link) parts |= entry.sha256 ? Part.url | Part.hashed : Part.url;
  if (entry.type === EntryType.file && entry.holes?.length) parts |= Part.holes;
  if (hardLinksOf(entry)?.length) parts |= Part.hardLinks;
  return parts;
}

function writeTarget(writer: ByteWriter, target: string): void {
  writer.u16(target.length);
  writer.text(target);
}

function writeXattrs(writer: ByteWriter, xattrs: ReadonlyMap<string, Uint8Array>): void {
  writer.u32(xattrs.size);
  for (const [name, value] of [...xattrs].sort(([a], [b]) => compareKeys(a, b))) {
    writer.u16(name.length);
    writer.u32(value.length);
    writer.text(name);
    writer.bytes(value);
  }
}

function writeHoles(writer: ByteWriter, holes: readonly (readonly [number, number])[]): void {
  writer.u32(holes.length);
  for (const [start, end] of holes) {
    writer.u64(start);
    writer.u64(end);
  }
}

function writeHardLinks(writer: ByteWriter, hardLinks: readonly TreePath[]): void {
  writer.u32(hardLinks.length);
  for (const path of hardLinks) {
    writer.u16(path.length);
    writer.text(path);
  }
}

function writeUrl(writer: ByteWriter, url: string, pin: string): void {
  writer.u32(url.length);
  writer.u32(pin.length);
  writer.text(url);
  writer.text(pin);
}

function readXattrs(reader: ByteReader): Map<string, Uint8Array> {
  const xattrs = new Map<string, Uint8Array>();
  let last = "";
  for (let left = countOf(reader); left > 0; left--) {
    const nameBytes = reader.u16();
    const valueBytes = reader.u32();
    const name = reader.text(nameBytes);
    if (name <= last || name.length > XATTR_NAME_MAX_BYTES || name.includes("\0"))
      throw damaged(reader.what, "extended attributes have names that cannot be, or are out of order");
    xattrs.set(name, reader.bytes(valueBytes));
    last = name;
  }
  return xattrs;
}

function readHoles(reader: ByteReader): [number, number][] {
  const holes: [number, number][] = [];
  for (let left = countOf(reader); left > 0; left--) holes.push([reader.u64(), reader.u64()]);
  return holes;
}

function readHardLinks(reader: ByteReader): TreePath[] {
  const paths: TreePath[] = [];
  for (let left = countOf(reader); left > 0; left--) paths.push(reader.text(reader.u16()) as TreePath);
  return paths;
}

/** An empty part is left out, not written with a count of zero: each entry has one form. */
function countOf(reader: ByteReader): number {
  const count = reader.u32();
  if (count === 0) throw damaged(reader.what, "an entry has an empty part");
  return count;
}

function readUrl(reader: ByteReader): { url: string; pin: string } {
  const urlBytes = reader.u32();
  const pinBytes = reader.u32();
  return { url: reader.text(urlBytes), pin: reader.text(pinBytes) };
}

function checkTarget(target: string, what: string): void {
  if (target === "" || target.length > TARGET_MAX_BYTES || target.includes("\0"))
    throw damaged(what, "a symbolic link has a target that cannot be");
}

function checkHoles(holes: [number, number][], sizeBytes: number, what: string): void {
  let last = 0;
  for (const [start, end] of holes) {
    if (start < last || end <= start || end > sizeBytes)
      throw damaged(what, "a file's holes are out of order or size");
    last = end;
  }
}

function checkHardLinks(paths: TreePath[], own: TreePath | undefined, what: string): void {
  paths.forEach((path, i) => {
    if (path === "" || path === own || !isPath(path))
      throw damaged(what, "a hard link names what cannot be a file");
    if (i > 0 && comparePaths(paths[i - 1]!, path) >= 0) throw damaged(what, "hard links are out of order");
  });
}

function isPath(bytes: string): boolean {
  try {
    checkPath(bytes);
    return true;
  } catch {
    return false;
  }
}
