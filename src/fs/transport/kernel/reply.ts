/** The reply to one request, built in one buffer that all replies share. Nothing is allocated for a reply. */
import type { Attributes, FileSystemStats } from "../../filesystem.js";
import {
  Attr,
  AttrOut,
  Dirent,
  EntryOut,
  InvalidateInodeOut,
  MAX_TRANSFER_BYTES,
  Notification,
  OpenFlag,
  OpenOut,
  OUT_HEADER_BYTES,
  OutHeader,
  PAGE_BYTES,
  StatfsOut,
} from "./protocol.js";

const WORD = 2 ** 32;
/**
 * How long the kernel may keep names and attributes, in seconds. A version never changes, and all changes of a
 * writable mount come through the kernel: so it is only a bound.
 */
const VALID_SEC = 3600;
const NSEC_PER_MS = 1_000_000;
/** The unit of `st_blocks`, whatever the block size. */
const STAT_BLOCK_BYTES = 512;

export class Reply {
  readonly bytes = Buffer.alloc(OUT_HEADER_BYTES + MAX_TRANSFER_BYTES);
  readonly #view = new DataView(this.bytes.buffer);
  /** Bytes of the message so far, its header included; 0: this request gets no reply. */
  length = OUT_HEADER_BYTES;

  /** Begins the reply to a request: success with nothing more to say. */
  begin(unique: number): void {
    this.length = OUT_HEADER_BYTES;
    this.u32(OutHeader.error, 0);
    this.u64(OutHeader.unique, unique);
  }

  /** Fails the request with an errno, whatever was in the reply. */
  fail(errno: number): void {
    this.length = OUT_HEADER_BYTES;
    this.#view.setInt32(OutHeader.error, -errno, true);
  }

  /** Instead of a reply: the kernel is to forget an inode's attributes. Its pages stay. */
  forgetAttributes(ino: number): void {
    this.u32(OutHeader.error, Notification.invalidateInode);
    this.u64(OutHeader.unique, 0);
    this.u64(InvalidateInodeOut.ino, ino);
    this.u64(InvalidateInodeOut.offset, -1);
    this.u64(InvalidateInodeOut.length, 0);
    this.length = InvalidateInodeOut.end;
  }

  /** For requests that get no reply. */
  silent(): void {
    this.length = 0;
  }

  /** Completes the header; the message to be written. */
  finish(): number {
    this.u32(OutHeader.length, this.length);
    return this.length;
  }

  u32(at: number, value: number): void {
    this.#view.setUint32(at, value, true);
  }

  u16(at: number, value: number): void {
    this.#view.setUint16(at, value, true);
  }

  /** Also takes negative seconds, as two's complement. */
  u64(at: number, value: number): void {
    this.#view.setUint32(at, value, true);
    this.#view.setUint32(at + 4, Math.floor(value / WORD), true);
  }

  /** `fuse_entry_out`: an inode the kernel now refers to. */
  entry(attributes: Attributes): void {
    this.#putEntry(OUT_HEADER_BYTES, attributes);
    this.length = OUT_HEADER_BYTES + EntryOut.bytes;
  }

  /** "There is no such name", to be remembered by the kernel. */
  noEntry(): void {
    this.bytes.fill(0, OUT_HEADER_BYTES, OUT_HEADER_BYTES + EntryOut.bytes);
    this.u64(OUT_HEADER_BYTES + EntryOut.entryValid, VALID_SEC);
    this.length = OUT_HEADER_BYTES + EntryOut.bytes;
  }

  attributes(attributes: Attributes): void {
    const { validMs } = attributes;
    this.u64(AttrOut.attrValid, validMs === undefined ? VALID_SEC : Math.floor(validMs / 1000));
    this.u64(AttrOut.nsec, validMs === undefined ? 0 : (validMs % 1000) * NSEC_PER_MS);
    this.#putAttributes(AttrOut.attr, attributes);
    this.length = AttrOut.end;
  }

  /**
   * `fuse_open_out`, after what is there already. Cached pages stay good: nobody changes a file behind the kernel.
   *
   * @param backing The file that the kernel reads by itself, as `openBacking` gave it; 0: none.
   */
  opened(handle: number, backing = 0): void {
    this.u64(this.length + OpenOut.handle, handle);
    this.u32(this.length + OpenOut.flags, backing === 0 ? OpenFlag.keepCache : OpenFlag.passthrough);
    this.u32(this.length + OpenOut.backing, backing);
    this.length += OpenOut.bytes;
  }

  /** `fuse_open_out` of a directory, whose listing the kernel may remember or must ask for again. */
  openedDirectory(keepsListing: boolean): void {
    this.opened(0);
    const flags = keepsListing ? OpenFlag.keepCache | OpenFlag.cacheListing : 0;
    this.u32(OUT_HEADER_BYTES + OpenOut.flags, flags);
  }

  /** One number of 64 bits, or one of 32 and padding. */
  number(value: number): void {
    this.u64(OUT_HEADER_BYTES, value);
    this.length = OUT_HEADER_BYTES + 8;
  }

  /** A payload that was put behind the header already. */
  payload(sizeBytes: number): void {
    this.length = OUT_HEADER_BYTES + sizeBytes;
  }

  /** A byte string as payload. */
  text(bytes: string): void {
    this.payload(this.bytes.write(bytes, OUT_HEADER_BYTES, "latin1"));
  }

  data(bytes: Uint8Array): void {
    this.bytes.set(bytes, OUT_HEADER_BYTES);
    this.payload(bytes.length);
  }

  stats({ totalBytes, freeBytes, totalFiles, freeFiles }: FileSystemStats): void {
    this.bytes.fill(0, OUT_HEADER_BYTES, StatfsOut.end);
    this.u64(StatfsOut.blocks, Math.ceil(totalBytes / PAGE_BYTES));
    this.u64(StatfsOut.blocksFree, Math.floor(freeBytes / PAGE_BYTES));
    this.u64(StatfsOut.blocksAvailable, Math.floor(freeBytes / PAGE_BYTES));
    this.u64(StatfsOut.files, totalFiles);
    this.u64(StatfsOut.filesFree, freeFiles);
    this.u32(StatfsOut.blockSize, PAGE_BYTES);
    this.u32(StatfsOut.nameBytes, 255);
    this.u32(StatfsOut.fragmentSize, PAGE_BYTES);
    this.length = StatfsOut.end;
  }

  /**
   * Adds an entry of READDIR or READDIRPLUS; false when the kernel's buffer of `limitBytes` has no room for it.
   *
   * @param attributes With READDIRPLUS: the kernel then refers to the inode as after a look-up.
   */
  listed(name: string, child: Attributes, cookie: number, limitBytes: number, plus: boolean): boolean {
    const dirent = this.length + (plus ? EntryOut.bytes : 0);
    const end = (dirent + Dirent.name + name.length + 7) & ~7;
    if (end - OUT_HEADER_BYTES > limitBytes) return false;
    if (plus) this.#putListedEntry(name, child);
    this.u64(dirent + Dirent.ino, child.ino);
    this.u64(dirent + Dirent.cookie, cookie);
    this.u32(dirent + Dirent.nameBytes, name.length);
    this.u32(dirent + Dirent.type, child.mode >> 12);
    this.u64(end - 8, 0); // The padding, before the name's last bytes come to lie there.
    this.bytes.write(name, dirent + Dirent.name, "latin1");
    this.length = end;
    return true;
  }

  /** `.` and `..` come without an inode: the kernel would not count a reference to it, nor forget it. */
  #putListedEntry(name: string, child: Attributes): void {
    if (name === "." || name === "..") this.bytes.fill(0, this.length, this.length + EntryOut.bytes);
    else this.#putEntry(this.length, child);
  }

  #putEntry(at: number, attributes: Attributes): void {
    this.u64(at + EntryOut.nodeid, attributes.ino);
    this.u64(at + EntryOut.generation, 0);
    this.#putValidity(at, attributes.validMs);
    this.#putAttributes(at + EntryOut.attr, attributes);
  }

  /** Of the name and of the attributes alike: seconds, then nanoseconds, of one and of the other. */
  #putValidity(at: number, validMs: number | undefined): void {
    const sec = validMs === undefined ? VALID_SEC : Math.floor(validMs / 1000);
    const nsec = validMs === undefined ? 0 : (validMs % 1000) * NSEC_PER_MS;
    this.u64(at + EntryOut.entryValid, sec);
    this.u64(at + EntryOut.attrValid, sec);
    this.u32(at + EntryOut.nsecs, nsec);
    this.u32(at + EntryOut.nsecs + 4, nsec);
  }

  #putAttributes(at: number, attributes: Attributes): void {
    this.u64(at + Attr.ino, attributes.ino);
    this.u64(at + Attr.size, attributes.sizeBytes);
    this.u64(at + Attr.blocks, Math.ceil(attributes.allocatedBytes / STAT_BLOCK_BYTES));
    this.u64(at + Attr.atime, attributes.atimeSec);
    this.u64(at + Attr.mtime, attributes.mtimeSec);
    this.u64(at + Attr.ctime, attributes.ctimeSec);
    this.u32(at + Attr.atimeNsec, attributes.atimeNsec);
    this.u32(at + Attr.mtimeNsec, attributes.mtimeNsec);
    this.u32(at + Attr.ctimeNsec, attributes.ctimeNsec);
    this.u32(at + Attr.mode, attributes.mode);
    this.u32(at + Attr.nlink, attributes.nlink);
    this.u32(at + Attr.uid, attributes.uid);
    this.u32(at + Attr.gid, attributes.gid);
    this.u32(at + Attr.rdev, attributes.rdev);
    this.u32(at + Attr.blockSize, PAGE_BYTES);
    this.u32(at + Attr.flags, 0);
  }
}
