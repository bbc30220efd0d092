/**
 * The bytes that the content digest of a range is the SHA-256 of, part of the format. "VVC1", then for each entry:
 * u32 length of its key, the key, u8 type, and
 * - of a file: u16 executable bits (`mode & 0o111`), u64 size, its SHA-256
 * - of a symbolic link: u16 length, target
 * - of a link: u64 size, u8 1 and its SHA-256 where that is known, else u8 0, u32 length, URL, u32 length, pin
 */
import type { Sha256 } from "../content/chunk.js";
import { sha256 } from "../content/hash.js";
import { ByteWriter } from "./binary.js";
import { EntryType } from "./entry.js";
import type { Range } from "./range-view.js";

const MAGIC = "VVC1";
const EXECUTABLE_BITS = 0o111;

/** Digest of what a range holds but for times, modes, owners, attributes, hard links, holes and places of bytes. */
export function contentDigest(range: Range): Sha256 {
  const writer = new ByteWriter(range.logicalBytes);
  writer.text(MAGIC);
  for (let i = 0; i < range.count; i++) {
    const key = range.keyAt(i);
    writer.u32(key.length);
    writer.text(key);
    writer.u8(range.typeAt(i));
    writeContent(writer, range, i);
  }
  return sha256(writer.written());
}

function writeContent(writer: ByteWriter, range: Range, index: number): void {
  const type = range.typeAt(index);
  if (type === EntryType.file) writeFile(writer, range, index);
  else if (type === EntryType.symlink) writeTarget(writer, range.targetAt(index));
  else if (type === EntryType.link) writeLink(writer, range, index);
}

function writeFile(writer: ByteWriter, range: Range, index: number): void {
  writer.u16(range.modeAt(index) & EXECUTABLE_BITS);
  writer.u64(range.sizeAt(index));
  writer.bytes(range.rawSha256At(index));
}

function writeTarget(writer: ByteWriter, target: string): void {
  writer.u16(target.length);
  writer.text(target);
}

function writeLink(writer: ByteWriter, range: Range, index: number): void {
  const { url = "", pin = "", hashed } = range.extrasAt(index)!;
  writer.u64(range.sizeAt(index));
  writer.u8(hashed ? 1 : 0);
  if (hashed) return writer.bytes(range.rawSha256At(index));
  writer.u32(url.length);
  writer.text(url);
  writer.u32(pin.length);
  writer.text(pin);
}
