/** Operations on what `stat` shows, and on the file system as a whole. */
import { type AttributeChanges, type FileSystem, FileType, type Ino, TYPE_MASK } from "../../filesystem.js";
import { refuseWriter } from "./full-disk.js";
import { KillPrivileges, SetattrIn, SetattrValid } from "./protocol.js";
import type { KernelRequest } from "./request.js";
import type { Operation } from "./session.js";

const SET_UID = 0o4000;
const SET_GID = 0o2000;
const GROUP_EXECUTE = 0o010;
/** All bits of `valid` but those that say how it was asked for: by a handle, a lock owner, with a ctime. */
const SAYS_MORE = ~((1 << 6) | (1 << 9) | SetattrValid.ctime);

export const getattr: Operation = (session, request, reply) => {
  refuseWriter(session, request);
  reply.attributes(session.fileSystem.getattr(request.ino));
};

/** A change of owner takes set-uid and set-gid away, whoever makes it; the kernel leaves that to us. */
export const setattr: Operation = ({ fileSystem }, request, reply) => {
  const valid = request.u32(SetattrIn.valid);
  const changes = changesOf(request, valid);
  // `chown` to -1 and -1 comes as a change of nothing but ctime, or of nothing.
  const changesOwner = changes.uid !== undefined || changes.gid !== undefined || (valid & SAYS_MORE) === 0;
  const kill = changesOwner || (valid & KillPrivileges.setattr) !== 0;
  const mode =
    kill && changes.mode === undefined ? modeWithoutPrivileges(fileSystem, request.ino) : undefined;
  reply.attributes(fileSystem.setattr(request.ino, mode === undefined ? changes : { ...changes, mode }));
};

export const statfs: Operation = ({ fileSystem }, _request, reply) => reply.stats(fileSystem.statfs());

/** Takes set-uid and set-gid away from what is no directory, as `write(2)` by an ordinary user does. */
export function killPrivileges(fileSystem: FileSystem, ino: Ino): void {
  const mode = modeWithoutPrivileges(fileSystem, ino);
  if (mode !== undefined) fileSystem.setattr(ino, { mode });
}

/** The permission bits that what is no folder is left with, if it has any to lose. Without execution, set-gid is no privilege. */
function modeWithoutPrivileges(fileSystem: FileSystem, ino: Ino): number | undefined {
  const { mode } = fileSystem.getattr(ino);
  if ((mode & TYPE_MASK) === FileType.directory) return undefined;
  const lost = SET_UID | (mode & GROUP_EXECUTE ? SET_GID : 0);
  return mode & lost ? mode & 0o7777 & ~lost : undefined;
}

function changesOf(request: KernelRequest, valid: number): AttributeChanges {
  const changes: AttributeChanges = {};
  if (valid & SetattrValid.mode) changes.mode = request.u32(SetattrIn.mode) & 0o7777;
  if (valid & SetattrValid.uid) changes.uid = request.u32(SetattrIn.uid);
  if (valid & SetattrValid.gid) changes.gid = request.u32(SetattrIn.gid);
  if (valid & SetattrValid.size) changes.sizeBytes = request.u64(SetattrIn.size);
  if (valid & SetattrValid.atime)
    changes.atime = { sec: request.i64(SetattrIn.atime), nsec: request.u32(SetattrIn.atimeNsec) };
  if (valid & SetattrValid.mtime)
    changes.mtime = { sec: request.i64(SetattrIn.mtime), nsec: request.u32(SetattrIn.mtimeNsec) };
  if (valid & SetattrValid.atimeNow) changes.atime = "now";
  if (valid & SetattrValid.mtimeNow) changes.mtime = "now";
  if (valid & SetattrValid.ctime)
    changes.ctime = { sec: request.i64(SetattrIn.ctime), nsec: request.u32(SetattrIn.ctimeNsec) };
  return changes;
}
