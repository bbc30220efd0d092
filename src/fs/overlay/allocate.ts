/**
 * `fallocate(2)`: room for bytes to come, holes, and ranges of zeros.
 * Source: https://man7.org/linux/man-pages/man2/fallocate.2.html
 */
import { FileSystemError } from "../errno.js";
import type { Ino } from "../filesystem.js";
import { type Core, fileNow } from "./core.js";
import { type Inode, InodeFlag } from "./inode.js";
import { Fallocate } from "./libc.js";
import type { Span } from "./spans.js";

const PUNCH = Fallocate.punchHole | Fallocate.keepSize;

/** @throws {FileSystemError} `EOPNOTSUPP` for modes that move bytes, `ENOSPC`, `EINVAL`, `EFBIG` */
export function allocate(core: Core, ino: Ino, mode: number, offset: number, length: number): void {
  const inode = fileNow(core, ino);
  if (offset < 0 || length <= 0) throw new FileSystemError("EINVAL");
  if (offset + length > Number.MAX_SAFE_INTEGER) throw new FileSystemError("EFBIG");
  const zeroing = mode & ~Fallocate.keepSize;
  if (mode !== PUNCH && zeroing !== 0 && zeroing !== Fallocate.zeroRange)
    throw new FileSystemError("EOPNOTSUPP");
  if (mode !== PUNCH) core.space.require();
  const span = { start: offset, end: offset + length };
  core.clones.keep(ino, span, inode.sizeBytes);
  changeData(core, inode, span, mode);
  saveAllocated(core, inode, span, mode);
}

/** The data file keeps its length: bytes that are only room for others do not make a file longer. */
function changeData({ data }: Core, { ino, sizeBytes }: Inode, span: Span, mode: number): void {
  if (span.end > sizeBytes) data.cut(ino, sizeBytes);
  if ((mode & ~Fallocate.keepSize) !== 0) data.punch(ino, span);
  if (mode !== PUNCH) data.allocate(ino, span);
}

function saveAllocated(core: Core, inode: Inode, span: Span, mode: number): void {
  const { journal, handles } = core;
  const { ino } = inode;
  const grows = (mode & Fallocate.keepSize) === 0 && span.end > inode.sizeBytes;
  const sizeBytes = grows ? span.end : inode.sizeBytes;
  const zeros = { start: span.start, end: Math.min(span.end, sizeBytes) };
  const isZeroed = (mode & ~Fallocate.keepSize) !== 0 && zeros.start < zeros.end;
  const unflushed = handles.writersOf(ino) > 0 ? InodeFlag.unflushed : 0;
  const flags = inode.flags | InodeFlag.sparse | unflushed;
  journal.transaction(() => {
    journal.inodes.save({ ...inode, ...core.written(), sizeBytes, flags });
    if (isZeroed && inode.base !== undefined) journal.extents.add([ino], zeros);
  });
}
