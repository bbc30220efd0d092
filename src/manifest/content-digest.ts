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
import { Field, type Layout, RECORD_BYTES } from "./range-layout.js";
import { nameSpan, pathSpan, startOfGroup } from "./range-search.js";
import type { Range } from "./range-view.js";

const MAGIC = "VVC1";
const EXECUTABLE_BITS = 0o111;

/** Digest of what a range holds but for times, modes, owners, attributes, hard links, holes and places of bytes. */
export function contentDigest(layout: Layout, range: Range): Sha256 {
  const writer = new ByteWriter(range.logicalBytes);
  writer.text(MAGIC);
  for (let group = 0; group < layout.groupCount; group++) {
    const parent = pathSpan(layout, group);
    const end = startOfGroup(layout, group + 1);
    for (let index = startOfGroup(layout, group); index < end; index++) {
      const name = nameSpan(layout, index);
      writer.u32(parent.end - parent.start + 1 + name.end - name.start);
      writer.copy(layout.bytes, parent.start, parent.end);
      writer.u8(0);
      writer.copy(layout.bytes, name.start, name.end);
      writeContent(writer, layout, range, index);
    }
  }
  return sha256(writer.written());
}

function writeContent(writer: ByteWriter, layout: Layout, range: Range, index: number): void {
  const type = range.typeAt(index);
  writer.u8(type);
  if (type === EntryType.file) writeFile(writer, layout, range, index);
  else if (type === EntryType.symlink) writeTarget(writer, range.targetAt(index));
  else if (type === EntryType.link) writeLink(writer, layout, range, index);
}

function writeFile(writer: ByteWriter, layout: Layout, range: Range, index: number): void {
  writer.u16(range.modeAt(index) & EXECUTABLE_BITS);
  writer.u64(range.sizeAt(index));
  writeHash(writer, layout, index);
}

function writeTarget(writer: ByteWriter, target: string): void {
  writer.u16(target.length);
  writer.text(target);
}

function writeLink(writer: ByteWriter, layout: Layout, range: Range, index: number): void {
  const { url = "", pin = "", hashed } = range.extrasAt(index)!;
  writer.u64(range.sizeAt(index));
  writer.u8(hashed ? 1 : 0);
  if (hashed) writeHash(writer, layout, index);
  else writeSource(writer, url, pin);
}

function writeSource(writer: ByteWriter, url: string, pin: string): void {
  writer.u32(url.length);
  writer.text(url);
  writer.u32(pin.length);
  writer.text(pin);
}

function writeHash(writer: ByteWriter, { bytes, records }: Layout, index: number): void {
  const at = records + index * RECORD_BYTES + Field.sha256;
  writer.copy(bytes, at, at + 32);
}
