/**
 * The bytes of files: reading, writing, resizing, holes. A file that has bytes of the base keeps them where they are;
 * only what is written becomes local, to the byte.
 *
 * INVARIANT: the data file of a lagging inode whose bytes are all local is never longer than the inode's size, for
 * the longer of the two is its size after a crash (`settle.ts`). Everywhere else bytes past the size are leftovers.
 */
import { type Block, Missing } from "../../cache/block.js";
import { FileSystemError } from "../errno.js";
import type { Ino } from "../filesystem.js";
import { ordinalOf } from "./base.js";
import { type Core, fileNow, inodeNow } from "./core.js";
import { dataRuns, segmentsNow } from "./file-spans.js";
import { type Inode, InodeFlag } from "./inode.js";
import { Seek } from "./libc.js";
import type { Span } from "./spans.js";

/** Larger offsets are no safe integers. */
const SIZE_MAX_BYTES = Number.MAX_SAFE_INTEGER;

/** Copies at most `length` bytes into `target`; gives how many. */
export function readBytes(
  core: Core,
  ino: Ino,
  offset: number,
  length: number,
  target: Uint8Array,
  at: number,
): number {
  const ordinal = core.journal.inodes.get(ino) ? undefined : ordinalOf(ino);
  if (ordinal !== undefined) return core.base.read(ordinal, offset, length, target, at);
  const inode = fileNow(core, ino);
  const end = Math.min(offset + length, inode.sizeBytes);
  if (end <= offset) return 0;
  const missing: Missing[] = [];
  for (const { from, start, end: till } of segmentsNow(core.journal, inode, { start: offset, end })) {
    const place = at + start - offset;
    if (from === "local") core.data.read(ino, start, till - start, target, place);
    else if (from === "zeros") target.fill(0, place, place + till - start);
    else collectMissing(missing, () => core.base.read(inode.base!, start, till - start, target, place));
  }
  if (missing.length > 0) throw merged(missing);
  return end - offset;
}

/** A write that fails is marked in the journal, since the program that made it may have gone on long ago. */
export function writeBytes(core: Core, ino: Ino, offset: number, bytes: Uint8Array): number {
  const inode = fileNow(core, ino);
  const span = { start: offset, end: offset + bytes.length };
  if (span.end > SIZE_MAX_BYTES) throw new FileSystemError("EFBIG");
  if (bytes.length === 0) return 0;
  try {
    core.clones.keep(ino, span, inode.sizeBytes);
    if (inode.base === undefined) writeLocal(core, inode, span, bytes);
    else writeOverBase(core, inode, span, bytes);
  } catch (error) {
    markFailed(core, ino);
    throw error;
  }
  core.space.wrote(bytes.length);
  return bytes.length;
}

/** The inode after its size is set. It is still to be saved; `beforeResize`, `saveResized`, `afterResize` go around that. */
export function resized(inode: Inode, sizeBytes: number): Inode {
  if (sizeBytes > SIZE_MAX_BYTES) throw new FileSystemError("EFBIG");
  if (sizeBytes === 0)
    return { ...inode, sizeBytes, base: undefined, baseSizeBytes: 0, flags: inode.flags & ~InodeFlag.failed };
  const sparse = sizeBytes > inode.sizeBytes ? InodeFlag.sparse : 0;
  const baseSizeBytes = Math.min(inode.baseSizeBytes, sizeBytes);
  return { ...inode, sizeBytes, baseSizeBytes, flags: inode.flags | sparse };
}

/** Keeps what a snapshot reads of the bytes that are about to be cut off, and cuts leftovers where bytes are added. */
export function beforeResize(core: Core, before: Inode, sizeBytes: number): void {
  if (sizeBytes > before.sizeBytes) core.data.cut(before.ino, before.sizeBytes);
  else if (sizeBytes === 0) core.clones.keepWhole(before.ino);
  else core.clones.keep(before.ino, { start: sizeBytes, end: before.sizeBytes }, before.sizeBytes);
}

/** Within a transaction. */
export function saveResized({ journal, handles }: Core, before: Inode, after: Inode): void {
  const unflushed = handles.writersOf(after.ino) > 0 ? InodeFlag.unflushed : 0;
  journal.inodes.save({ ...after, flags: after.flags | unflushed });
  if (after.sizeBytes < before.sizeBytes) journal.extents.cut([after.ino], after.sizeBytes);
}

/** After the transaction: a crash before leaves leftovers past the size. */
export function afterResize({ data, failedUnwritten }: Core, { ino, sizeBytes }: Inode): void {
  if (sizeBytes > 0) {
    data.cut(ino, sizeBytes);
  } else {
    data.remove(ino);
    failedUnwritten.delete(ino);
  }
}

/** `lseek(2)`: where the next data, or the next hole, begins. @throws {FileSystemError} `ENXIO`, `EINVAL` */
export function seekBytes(core: Core, ino: Ino, offset: number, whence: number): number {
  const inode = fileNow(core, ino);
  if (whence !== Seek.data && whence !== Seek.hole) throw new FileSystemError("EINVAL");
  if (offset < 0 || offset >= inode.sizeBytes) throw new FileSystemError("ENXIO");
  const localRuns = (span: Span): Iterable<Span> => core.data.dataRuns(ino, span);
  let hole = offset;
  for (const run of dataRuns(core.base.tree, core.journal, inode, offset, localRuns)) {
    if (whence === Seek.data) return run.start;
    if (run.start > hole) return hole;
    hole = run.end;
  }
  if (whence === Seek.data) throw new FileSystemError("ENXIO");
  return hole;
}

/** Writes size and times of a file down where the row lags behind. */
export function settle({ journal }: Core, ino: Ino): void {
  const inode = journal.inodes.lagging(ino);
  if (inode) journal.transaction(() => journal.inodes.save(inode));
}

/** A file was closed by its last writer: it is as it should be. */
export function settleClosed({ journal }: Core, ino: Ino): void {
  const inode = journal.inodes.get(ino);
  if (!inode || (inode.flags & InodeFlag.unflushed) === 0) return;
  journal.transaction(() => journal.inodes.save({ ...inode, flags: inode.flags & ~InodeFlag.unflushed }));
}

/** Makes an inode one whose size and times are kept in memory while it is written. */
function startLagging({ journal, data }: Core, inode: Inode): Inode {
  const lagging = journal.inodes.lagging(inode.ino);
  if (lagging) return lagging;
  if (inode.base === undefined) data.cut(inode.ino, inode.sizeBytes);
  const started = { ...inode, flags: inode.flags | InodeFlag.unflushed };
  journal.transaction(() => journal.inodes.saveLagging(started));
  journal.inodes.advance(started);
  return started;
}

function writeLocal(core: Core, inode: Inode, { start, end }: Span, bytes: Uint8Array): void {
  const lagging = startLagging(core, inode);
  try {
    core.data.write(inode.ino, start, bytes);
  } catch (error) {
    core.data.cut(inode.ino, lagging.sizeBytes);
    throw error;
  }
  const sparse = start > lagging.sizeBytes ? InodeFlag.sparse : 0;
  const sizeBytes = Math.max(lagging.sizeBytes, end);
  const flags = lagging.flags | sparse;
  core.journal.inodes.advance({ ...lagging, ...core.written(), sizeBytes, flags });
}

/** The bytes, then the extent that names them. */
function writeOverBase(core: Core, inode: Inode, span: Span, bytes: Uint8Array): void {
  const { journal } = core;
  core.data.write(inode.ino, span.start, bytes);
  if (span.end <= inode.sizeBytes && journal.extents.covers([inode.ino], span)) {
    journal.inodes.advance({ ...startLagging(core, inode), ...core.written() });
    return;
  }
  const sizeBytes = Math.max(inode.sizeBytes, span.end);
  const written = { ...inode, ...core.written(), sizeBytes, flags: inode.flags | InodeFlag.unflushed };
  journal.transaction(() => {
    journal.extents.add([inode.ino], span);
    journal.inodes.saveLagging(written);
  });
  journal.inodes.advance(written);
}

function markFailed(core: Core, ino: Ino): void {
  const { journal } = core;
  try {
    const inode = inodeNow(core, ino);
    journal.transaction(() => journal.inodes.save({ ...inode, flags: inode.flags | InodeFlag.failed }));
  } catch {
    core.failedUnwritten.add(ino); // the failure that is being reported matters more
  }
}

function collectMissing(missing: Missing[], read: () => void): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof Missing)) throw error;
    missing.push(error);
  }
}

function merged(missing: readonly Missing[]): Missing {
  const all = (blocks: (one: Missing) => readonly Block[]): Block[] => missing.flatMap(blocks);
  return new Missing(
    all((one) => one.blocks),
    all((one) => one.ahead),
  );
}
