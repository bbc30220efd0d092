/**
 * Which requests wait while a mount is held, that is while what the kernel's cache holds is written back before a
 * snapshot: all that change names, and all that a program needs to go on writing into that cache. What is written back
 * must not wait, nor must a change of size, for which the kernel stops writing back a file.
 */
import type { Ino } from "../../filesystem.js";
import { Opcode } from "./protocol.js";
import type { KernelRequest } from "./request.js";

const HELD = new Set<number>([
  ...[Opcode.open, Opcode.create, Opcode.tmpfile, Opcode.fallocate],
  ...[Opcode.mknod, Opcode.mkdir, Opcode.symlink, Opcode.link, Opcode.unlink, Opcode.rmdir],
  ...[Opcode.rename, Opcode.rename2, Opcode.setxattr, Opcode.removexattr],
  // Their replies bring attributes, with which the kernel lets a program write.
  ...[Opcode.lookup, Opcode.readdirplus],
]);

/**
 * Before each `write(2)` the kernel asks for attributes it was told to forget: so a writer waits for its GETATTR.
 *
 * @param writers The inodes that some handle may write to.
 */
export function mustWait({ opcode, ino }: KernelRequest, writers: ReadonlySet<Ino>): boolean {
  return HELD.has(opcode) || (opcode === Opcode.getattr && writers.has(ino));
}

/** Whether the reply brings attributes although the request did not wait. */
export function bringsAttributes({ opcode }: KernelRequest): boolean {
  return opcode === Opcode.setattr;
}
