/** `setattr`: modes, owners, times and sizes. Whether the caller may is the kernel's to decide. */
import { FileSystemError } from "../errno.js";
import type { AttributeChanges, Attributes, Ino } from "../filesystem.js";
import { TYPE_MASK } from "../filesystem.js";
import { afterResize, beforeResize, resized, saveResized } from "./contents.js";
import { type Core, attributesNow, fileNow, inodeNow } from "./core.js";
import { type Inode, type Time } from "./inode.js";

/** @throws {FileSystemError} `EISDIR` and `EINVAL` for a size of what is no file, `ENOSPC` for more bytes */
export function changeAttributes(core: Core, ino: Ino, changes: AttributeChanges): Attributes {
  if (changes.sizeBytes === undefined) {
    save(core, changed(inodeNow(core, ino), changes, core.now()));
  } else {
    resize(core, fileNow(core, ino), changes, changes.sizeBytes);
  }
  return attributesNow(core, ino);
}

/** Empties a file, as `open(2)` with `O_TRUNC` does. */
export function emptyFile(core: Core, ino: Ino): void {
  resize(core, fileNow(core, ino), {}, 0);
}

/**
 * What nobody can reach any more is gone after a crash, so only memory is told: after each `unlink(2)` the kernel tells
 * the time of it to a file that it is about to forget.
 */
function save({ journal, handles }: Core, inode: Inode): void {
  if (inode.nlink === 0 && !handles.isOpen(inode.ino)) journal.inodes.advance(inode);
  else journal.transaction(() => journal.inodes.save(inode));
}

function resize(core: Core, before: Inode, changes: AttributeChanges, sizeBytes: number): void {
  if (sizeBytes < 0) throw new FileSystemError("EINVAL");
  if (sizeBytes > before.sizeBytes) core.space.require();
  const after = changed({ ...resized(before, sizeBytes), ...core.written() }, changes, core.now());
  beforeResize(core, before, sizeBytes);
  core.journal.transaction(() => saveResized(core, before, after));
  afterResize(core, after);
}

function changed(inode: Inode, changes: AttributeChanges, now: Time): Inode {
  const atime = changes.atime === "now" ? now : changes.atime;
  const mtime = changes.mtime === "now" ? now : changes.mtime;
  const ctime = changes.ctime ?? now;
  const permissions = changes.mode === undefined ? inode.mode & ~TYPE_MASK : changes.mode & ~TYPE_MASK;
  return {
    ...inode,
    mode: (inode.mode & TYPE_MASK) | permissions,
    uid: changes.uid ?? inode.uid,
    gid: changes.gid ?? inode.gid,
    atimeSec: atime?.sec ?? inode.atimeSec,
    atimeNsec: atime?.nsec ?? inode.atimeNsec,
    mtimeSec: mtime?.sec ?? inode.mtimeSec,
    mtimeNsec: mtime?.nsec ?? inode.mtimeNsec,
    ctimeSec: ctime.sec,
    ctimeNsec: ctime.nsec,
  };
}
