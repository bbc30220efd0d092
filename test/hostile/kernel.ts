/** Requests in the kernel's protocol, to a version that is read and to an overlay. */
import { mkdtempSync } from "node:fs";
import { join } from "node:path";

import { Missing } from "../../src/cache/block.js";
import { FileSystemError } from "../../src/fs/errno.js";
import type { FileSystem } from "../../src/fs/filesystem.js";
import { openOverlay } from "../../src/fs/overlay/overlay.js";
import { operationOf } from "../../src/fs/transport/kernel/dispatch.js";
import { IN_HEADER_BYTES, InHeader, Opcode } from "../../src/fs/transport/kernel/protocol.js";
import { Reply } from "../../src/fs/transport/kernel/reply.js";
import { KernelRequest } from "../../src/fs/transport/kernel/request.js";
import { Session } from "../../src/fs/transport/kernel/session.js";
import { atEnd } from "../support/cleanup.js";
import { MemoryBase } from "../overlay/support/memory-base.js";
import type { Bench } from "./decoders.js";
import type { Decoder } from "./fuzz.js";

export async function kernelDecoders({ folder, scope }: Bench): Promise<Decoder[]> {
  const base = new MemoryBase({
    "a/b": { content: Buffer.from("hello"), xattrs: { "user.x": "y" } },
    l: { target: "a/b" },
    large: { content: Buffer.alloc(100_000, 7) },
  });
  const overlay = openOverlay(mkdtempSync(join(folder, "fuse-")), base, { reserveBytes: 0 });
  atEnd(scope, () => overlay.close());
  return [
    {
      name: "FUSE request",
      share: 0.5,
      samples: [request(Opcode.getattr, 1, new Uint8Array(16))],
      others: requests(),
      isClear,
      decode: (bytes) => answer(overlay, bytes),
    },
  ];
}

/** What the loop answers with an errno, or by waiting. An inode that the kernel was never given is told, and logged, as EIO. */
function isClear(error: unknown): boolean {
  const isUnknownInode = error instanceof RangeError && error.message.startsWith("Cannot read entry");
  return error instanceof FileSystemError || error instanceof Missing || isUnknownInode;
}

/** One of every operation, with inodes, names and numbers that mean something. INIT belongs to the mount's start. */
function requests(): Uint8Array[] {
  const operations = Object.entries(Opcode).filter(
    ([name]) => !["interrupt", "init", "destroy"].includes(name),
  );
  return operations.flatMap(([name, opcode]) => [1, 2, 3].map((ino) => request(opcode, ino, bodyOf(name))));
}

function request(opcode: number, ino: number, body: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(IN_HEADER_BYTES + body.length);
  bytes.writeUInt32LE(bytes.length, InHeader.length);
  bytes.writeUInt32LE(opcode, InHeader.opcode);
  bytes.writeUInt32LE(7, InHeader.unique);
  bytes.writeUInt32LE(ino, InHeader.nodeid);
  bytes.set(body, IN_HEADER_BYTES);
  return bytes;
}

/** Fields that are small numbers, then names; where fields stand does not matter much to who has no good intentions. */
function bodyOf(name: string): Uint8Array {
  const fields = Buffer.alloc(
    ["lookup", "unlink", "rmdir", "symlink", "removexattr"].includes(name) ? 0 : 8 * ((name.length % 5) + 1),
  );
  for (let at = 0; at + 4 <= fields.length; at += 4) fields.writeUInt32LE(at % 16 === 0 ? 2 : at, at);
  return Buffer.concat([fields, Buffer.from("a\0user.x\0y\0")]);
}

function answer(fileSystem: FileSystem, bytes: Uint8Array): unknown {
  const kernelRequest = new KernelRequest();
  const reply = new Reply();
  const session = new Session(fileSystem, -1);
  const given = Buffer.from(bytes.subarray(0, kernelRequest.bytes.length));
  if (given.length < IN_HEADER_BYTES) return undefined;
  given.writeUInt32LE(given.length, InHeader.length); // The kernel says how much it wrote.
  kernelRequest.load(given);
  reply.begin(kernelRequest.unique);
  const { opcode } = kernelRequest;
  if (opcode === Opcode.init || opcode === Opcode.lseek) return undefined; // These speak to the device.
  return operationOf(opcode)(session, kernelRequest, reply);
}
