/** Operations on open files and their bytes. */
import { Missing } from "../../../cache/block.js";
import { FileSystemError } from "../../errno.js";
import type { FileSystem } from "../../filesystem.js";
import { killPrivileges } from "./attributes.js";
import {
  CreateIn,
  FallocateIn,
  FlushIn,
  FSYNC_DATA_ONLY,
  FsyncIn,
  InHeader,
  KillPrivileges,
  LseekIn,
  MAX_TRANSFER_BYTES,
  OpenIn,
  OUT_HEADER_BYTES,
  ReadIn,
  ReleaseIn,
  WriteIn,
} from "./protocol.js";
import type { Reply } from "./reply.js";
import type { Operation, Session } from "./session.js";

const O_ACCMODE = 0o3;

/**
 * On a mount that is only read, opening needs no request: told so once, the kernel sends no more, nor RELEASE. Unless
 * it may read large files by itself.
 */
export const open: Operation = (session, request, reply) => {
  const { fileSystem, passthrough } = session;
  if (passthrough) {
    passthrough.open(request.ino, reply);
    return;
  }
  if (!fileSystem.writable) throw new FileSystemError("ENOSYS");
  const flags = request.u32(OpenIn.flags);
  if (request.u32(OpenIn.openFlags) & KillPrivileges.open) killPrivileges(fileSystem, request.ino);
  const handle = fileSystem.open(request.ino, flags);
  if (flags & O_ACCMODE) session.opened(handle, request.ino);
  reply.opened(handle);
};

export const create: Operation = (session, request, reply) => {
  const caller = request.caller(request.u32(CreateIn.umask));
  const [mode, flags] = [request.u32(CreateIn.mode), request.u32(CreateIn.flags)];
  const name = request.name(CreateIn.name);
  created(session, reply, flags, session.fileSystem.create(request.ino, name, mode, flags, caller));
};

/** Sent as CREATE is, with a name that means nothing. */
export const tmpfile: Operation = (session, request, reply) => {
  const caller = request.caller(request.u32(CreateIn.umask));
  const [mode, flags] = [request.u32(CreateIn.mode), request.u32(CreateIn.flags)];
  const made = session.fileSystem.tmpfile?.(request.ino, mode, flags, caller);
  if (!made) throw new FileSystemError("ENOSYS");
  created(session, reply, flags, made);
};

export const read: Operation = ({ fileSystem }, request, reply) => {
  const [offset, size] = [request.u64(ReadIn.offset), Math.min(request.u32(ReadIn.size), MAX_TRANSFER_BYTES)];
  reply.payload(fileSystem.read(request.ino, offset, size, reply.bytes, OUT_HEADER_BYTES));
};

export const write: Operation = ({ fileSystem, unflushed }, request, reply) => {
  const [handle, size] = [request.u64(WriteIn.handle), request.u32(WriteIn.size)];
  if (request.u32(WriteIn.flags) & KillPrivileges.write) killPrivileges(fileSystem, request.ino);
  const bytes = request.bytes.subarray(WriteIn.data, WriteIn.data + size);
  const written = fileSystem.write(request.ino, handle, request.u64(WriteIn.offset), bytes);
  unflushed.set(handle, request.ino);
  reply.number(written);
};

export const flush: Operation = ({ fileSystem, unflushed }, request) => {
  if (!fileSystem.writable) throw new FileSystemError("ENOSYS");
  const handle = request.u64(FlushIn.handle);
  fileSystem.flush(request.ino, handle);
  unflushed.delete(handle);
};

export const release: Operation = (session, request) => {
  session.passthrough?.release(request.ino);
  const handle = request.u64(ReleaseIn.handle);
  session.released(handle);
  session.fileSystem.release(request.ino, handle);
};

/** Of a directory too. */
export const fsync: Operation = ({ fileSystem }, request) =>
  fileSystem.fsync(request.ino, (request.u32(FsyncIn.flags) & FSYNC_DATA_ONLY) !== 0);

/** Changes bytes, as a write does; but the kernel does not say of the caller whether set-uid is to go. */
export const fallocate: Operation = ({ fileSystem }, request) => {
  const [offset, length] = [request.u64(FallocateIn.offset), request.u64(FallocateIn.length)];
  if (request.u32(InHeader.uid) !== 0) killPrivileges(fileSystem, request.ino);
  fileSystem.fallocate(request.ino, request.u32(FallocateIn.mode), offset, length);
};

/** Where holes are is known once the kernel has written back what it holds, which it does not do of itself here. */
export const lseek: Operation = (session, request, reply) => {
  const { ino } = request;
  const [offset, whence] = [request.u64(LseekIn.offset), request.u32(LseekIn.whence)];
  const find = (): number => session.fileSystem.lseek(ino, offset, whence);
  if (session.isWritten(ino)) {
    throwMissing(find); // A request that has begun to wait cannot be put aside any more.
    return session.writeBack(ino).then(find);
  }
  reply.number(find());
};

/** @throws {Missing} when the operation lacks something; whatever else comes of it comes of it again */
function throwMissing(operation: () => unknown): void {
  try {
    operation();
  } catch (thrown) {
    if (thrown instanceof Missing) throw thrown;
  }
}

function created(session: Session, reply: Reply, flags: number, { attributes, handle }: Created): void {
  if (flags & O_ACCMODE) session.opened(handle, attributes.ino);
  reply.entry(attributes);
  reply.opened(handle);
}

type Created = ReturnType<FileSystem["create"]>;
