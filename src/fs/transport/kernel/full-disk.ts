/**
 * A write that finds the disk full comes from the kernel's cache: its program was told long ago that all is well, and
 * may write on and on. But before each `write(2)` the kernel asks for attributes that it was told to forget, by the
 * handle that is written to: so the next one can be refused.
 */
import { Errno, FileSystemError, errnoNumberOf } from "../../errno.js";
import { GETATTR_BY_HANDLE, GetattrIn, Opcode } from "./protocol.js";
import type { KernelRequest } from "./request.js";
import type { Session } from "./session.js";

/** Notes the file of a write that failed for want of room; false for any other failure. */
export function noteFull(session: Session, { opcode, ino }: KernelRequest, thrown: unknown): boolean {
  if (opcode !== Opcode.write || errnoNumberOf(thrown) !== Errno.ENOSPC) return false;
  session.lackingRoom.add(ino);
  return true;
}

/** To be called before attributes are given. @throws {FileSystemError} `ENOSPC` to who is about to write */
export function refuseWriter(session: Session, request: KernelRequest): void {
  const { fileSystem, lackingRoom, writers } = session;
  if (!lackingRoom.has(request.ino)) return;
  const isByHandle = (request.u32(GetattrIn.flags) & GETATTR_BY_HANDLE) !== 0;
  if (!isByHandle || !writers.has(request.u64(GetattrIn.handle))) return;
  if (fileSystem.statfs().freeBytes === 0) throw new FileSystemError("ENOSPC");
  lackingRoom.delete(request.ino);
}
