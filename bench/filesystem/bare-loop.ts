/**
 * The least that serves one local file through FUSE: `readSync` on the device, `readSync` of the file into the reply,
 * one `writeSync`. What a mount can reach at most from Node. Run as `node bare-loop.js FILE MOUNTPOINT`, as root; says
 * `mounted`, ends when it is unmounted.
 */
import { spawnSync } from "node:child_process";
import { constants, fstatSync, openSync, readSync, writeFileSync, writeSync } from "node:fs";

import { findMount } from "../../src/fs/transport/kernel/mounts.js";
import {
  Attr,
  AttrOut,
  EntryOut,
  InHeader,
  InitFlag,
  InitIn,
  InitOut,
  MAX_TRANSFER_BYTES,
  NAME_AT,
  Opcode,
  OUT_HEADER_BYTES,
  OutHeader,
  PAGE_BYTES,
  PROTOCOL_MAJOR,
  PROTOCOL_MINOR,
  ReadIn,
} from "../../src/fs/transport/kernel/protocol.js";
import { KiB } from "../../src/units.js";

/** The only name in the mount. */
const NAME = "large";
const [ROOT_INO, FILE_INO] = [1, 2];
const VALID_SEC = 3600n;
const ENOENT = 2;
const ENOSYS = 38;
const ENDED = "ENODEV";

const [file, mountpoint] = process.argv.slice(2) as [string, string];
const source = openSync(file, "r");
const sizeBytes = fstatSync(source).size;
const request = Buffer.alloc(MAX_TRANSFER_BYTES + 2 * PAGE_BYTES);
const reply = Buffer.alloc(OUT_HEADER_BYTES + MAX_TRANSFER_BYTES);
const device = mount();
console.log("mounted");
while (receive()) send(answer());

function mount(): number {
  const fd = openSync("/dev/fuse", constants.O_RDWR);
  const options = "fd=3,rootmode=40000,user_id=0,group_id=0,ro";
  const args = ["-i", "-t", "fuse.bare", "-o", options, "bare", mountpoint];
  const { status } = spawnSync("mount", args, { stdio: ["ignore", "inherit", "inherit", fd] });
  const device = status === 0 ? findMount(mountpoint)?.device : undefined;
  if (device === undefined) throw new Error(`Cannot mount on "${mountpoint}"`);
  writeFileSync(`/sys/class/bdi/${device}/read_ahead_kb`, String(MAX_TRANSFER_BYTES / KiB)); // As varve does.
  return fd;
}

function receive(): boolean {
  try {
    return readSync(device, request, 0, request.length, null) > 0;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === ENDED) return false;
    throw error;
  }
}

/** Builds the reply and gives its length, a negative errno instead, or 0 for no reply. */
function answer(): number {
  const ino = Number(request.readBigUInt64LE(InHeader.nodeid));
  switch (request.readUInt32LE(InHeader.opcode)) {
    case Opcode.init:
      return init();
    case Opcode.lookup:
      return request.toString("latin1", NAME_AT, NAME_AT + NAME.length) === NAME ? entry(FILE_INO) : -ENOENT;
    case Opcode.getattr:
      return attributes(ino);
    case Opcode.read:
      return content();
    case Opcode.forget:
    case Opcode.batchForget:
      return 0;
    default:
      return -ENOSYS; // OPEN, OPENDIR and FLUSH are then never asked again.
  }
}

function init(): number {
  const wanted = InitFlag.asyncRead | InitFlag.maxPages | InitFlag.noOpenSupport | InitFlag.noOpendirSupport;
  reply.fill(0, OUT_HEADER_BYTES, InitOut.end);
  reply.writeUInt32LE(PROTOCOL_MAJOR, InitOut.major);
  reply.writeUInt32LE(Math.min(PROTOCOL_MINOR, request.readUInt32LE(InitIn.minor)), InitOut.minor);
  reply.writeUInt32LE(MAX_TRANSFER_BYTES, InitOut.maxReadahead);
  reply.writeUInt32LE(request.readUInt32LE(InitIn.flags) & wanted, InitOut.flags);
  reply.writeUInt16LE(64, InitOut.maxBackground);
  reply.writeUInt16LE(48, InitOut.congestionThreshold);
  reply.writeUInt32LE(MAX_TRANSFER_BYTES, InitOut.maxWrite);
  reply.writeUInt16LE(MAX_TRANSFER_BYTES / PAGE_BYTES, InitOut.maxPages);
  return InitOut.end;
}

function entry(ino: number): number {
  const end = OUT_HEADER_BYTES + EntryOut.bytes;
  reply.fill(0, OUT_HEADER_BYTES, end);
  reply.writeBigUInt64LE(BigInt(ino), OUT_HEADER_BYTES + EntryOut.nodeid);
  reply.writeBigUInt64LE(VALID_SEC, OUT_HEADER_BYTES + EntryOut.entryValid);
  reply.writeBigUInt64LE(VALID_SEC, OUT_HEADER_BYTES + EntryOut.attrValid);
  putAttributes(OUT_HEADER_BYTES + EntryOut.attr, ino);
  return end;
}

function attributes(ino: number): number {
  reply.fill(0, OUT_HEADER_BYTES, AttrOut.end);
  reply.writeBigUInt64LE(VALID_SEC, AttrOut.attrValid);
  putAttributes(AttrOut.attr, ino);
  return AttrOut.end;
}

function putAttributes(at: number, ino: number): void {
  reply.writeBigUInt64LE(BigInt(ino), at + Attr.ino);
  reply.writeBigUInt64LE(BigInt(ino === ROOT_INO ? 0 : sizeBytes), at + Attr.size);
  reply.writeUInt32LE(ino === ROOT_INO ? 0o40755 : 0o100644, at + Attr.mode);
  reply.writeUInt32LE(1, at + Attr.nlink);
  reply.writeUInt32LE(PAGE_BYTES, at + Attr.blockSize);
}

function content(): number {
  const offset = Number(request.readBigUInt64LE(ReadIn.offset));
  const length = Math.min(request.readUInt32LE(ReadIn.size), sizeBytes - offset);
  return OUT_HEADER_BYTES + readSync(source, reply, OUT_HEADER_BYTES, Math.max(0, length), offset);
}

function send(answered: number): void {
  if (answered === 0) return;
  const lengthBytes = Math.max(answered, OUT_HEADER_BYTES);
  reply.writeUInt32LE(lengthBytes, OutHeader.length);
  reply.writeInt32LE(Math.min(answered, 0), OutHeader.error);
  request.copy(reply, OutHeader.unique, InHeader.unique, InHeader.unique + 8);
  writeSync(device, reply, 0, lengthBytes);
}
