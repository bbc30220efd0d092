/**
 * The kernel's FUSE protocol as numbers: operations, flags, and where each field of a message lies. Fields are counted
 * from the start of the whole message, header included; all are little-endian on the machines Node serves.
 * Source: include/uapi/linux/fuse.h of Linux 6.18 (protocol 7.45)
 */
import { KiB, MiB } from "../../../units.js";

export const PROTOCOL_MAJOR = 7;
/** The newest minor version whose messages are known here; an older kernel lowers it. */
export const PROTOCOL_MINOR = 45;
/** Linux 4.20, the first with requests of 1 MiB (`MAX_PAGES`), cached links and listings. */
export const OLDEST_MINOR = 28;

/** Most bytes of one READ or WRITE: the kernel's own bound (`fs.fuse.max_pages_limit`, 256 pages). */
export const MAX_TRANSFER_BYTES = 1 * MiB;
export const PAGE_BYTES = 4 * KiB;

export const Opcode = {
  lookup: 1,
  forget: 2,
  getattr: 3,
  setattr: 4,
  readlink: 5,
  symlink: 6,
  mknod: 8,
  mkdir: 9,
  unlink: 10,
  rmdir: 11,
  rename: 12,
  link: 13,
  open: 14,
  read: 15,
  write: 16,
  statfs: 17,
  release: 18,
  fsync: 20,
  setxattr: 21,
  getxattr: 22,
  listxattr: 23,
  removexattr: 24,
  flush: 25,
  init: 26,
  opendir: 27,
  readdir: 28,
  releasedir: 29,
  fsyncdir: 30,
  create: 35,
  interrupt: 36,
  destroy: 38,
  batchForget: 42,
  fallocate: 43,
  readdirplus: 44,
  rename2: 45,
  lseek: 46,
  tmpfile: 51,
} as const;

const OPCODE_NAMES = new Map(Object.entries(Opcode).map(([name, opcode]) => [opcode as number, name]));

/** `readdirplus`; the number for one that is not known here. */
export function nameOfOpcode(opcode: number): string {
  return OPCODE_NAMES.get(opcode) ?? String(opcode);
}

/** Flags of INIT, the first 32. */
export const InitFlag = {
  asyncRead: 1 << 0,
  bigWrites: 1 << 5,
  doReaddirplus: 1 << 13,
  writebackCache: 1 << 16,
  noOpenSupport: 1 << 17,
  parallelDirops: 1 << 18,
  abortError: 1 << 21,
  maxPages: 1 << 22,
  cacheSymlinks: 1 << 23,
  noOpendirSupport: 1 << 24,
  handleKillprivV2: 1 << 28,
  initExt: 1 << 30,
} as const;

/** The next 32, with `initExt`. */
export const InitFlag2 = { passthrough: 1 << 5 } as const;

export const OpenFlag = { keepCache: 1 << 1, cacheListing: 1 << 3, passthrough: 1 << 7 } as const;
/** In `open_flags` of OPEN and CREATE, `write_flags` of WRITE and `valid` of SETATTR: take set-uid and set-gid away. */
export const KillPrivileges = { open: 1 << 0, write: 1 << 2, setattr: 1 << 11 } as const;
export const FSYNC_DATA_ONLY = 1 << 0;

/** Bits of `valid` in SETATTR. */
export const SetattrValid = {
  mode: 1 << 0,
  uid: 1 << 1,
  gid: 1 << 2,
  size: 1 << 3,
  atime: 1 << 4,
  mtime: 1 << 5,
  atimeNow: 1 << 7,
  mtimeNow: 1 << 8,
  ctime: 1 << 10,
} as const;

/** `fuse_in_header`; every request begins with it. */
export const IN_HEADER_BYTES = 40;
export const InHeader = { length: 0, opcode: 4, unique: 8, nodeid: 16, uid: 24, gid: 28, pid: 32 } as const;
/** `fuse_out_header`; every reply begins with it. */
export const OUT_HEADER_BYTES = 16;
export const OutHeader = { length: 0, error: 4, unique: 8 } as const;

/** Messages to the kernel that answer no request: a code stands where a reply has its error, and `unique` is 0. */
export const Notification = { invalidateInode: 2 } as const;
/** `fuse_notify_inval_inode_out`. With a negative offset attributes are forgotten, and no pages. */
export const InvalidateInodeOut = { ino: 16, offset: 24, length: 32, end: 40 } as const;

/** Where the name lies in requests that hold nothing else. */
export const NAME_AT = IN_HEADER_BYTES;

/** In `getattr_flags`: the handle says by which open file it is asked. */
export const GETATTR_BY_HANDLE = 1 << 0;
export const GetattrIn = { flags: 40, handle: 48 } as const;
export const InitIn = { major: 40, minor: 44, maxReadahead: 48, flags: 52, flags2: 56 } as const;
export const ForgetIn = { count: 40 } as const;
export const BatchForgetIn = { count: 40, items: 48, itemBytes: 16 } as const;
export const SetattrIn = {
  valid: 40,
  size: 56,
  atime: 72,
  mtime: 80,
  ctime: 88,
  atimeNsec: 96,
  mtimeNsec: 100,
  ctimeNsec: 104,
  mode: 108,
  uid: 116,
  gid: 120,
} as const;
export const MknodIn = { mode: 40, rdev: 44, umask: 48, name: 56 } as const;
export const MkdirIn = { mode: 40, umask: 44, name: 48 } as const;
export const RenameIn = { newParent: 40, name: 48 } as const;
export const Rename2In = { newParent: 40, flags: 48, name: 56 } as const;
export const LinkIn = { ino: 40, name: 48 } as const;
export const OpenIn = { flags: 40, openFlags: 44 } as const;
export const CreateIn = { flags: 40, mode: 44, umask: 48, name: 56 } as const;
export const ReleaseIn = { handle: 40 } as const;
export const FlushIn = { handle: 40 } as const;
/** Of READ, READDIR and READDIRPLUS. */
export const ReadIn = { offset: 48, size: 56 } as const;
export const WriteIn = { handle: 40, offset: 48, size: 56, flags: 60, data: 80 } as const;
export const FsyncIn = { flags: 48 } as const;
/** Without `FUSE_SETXATTR_EXT`, which is not asked for. */
export const SetxattrIn = { size: 40, flags: 44, name: 48 } as const;
export const GetxattrIn = { size: 40, name: 48 } as const;
export const FallocateIn = { offset: 48, length: 56, mode: 64 } as const;
export const LseekIn = { offset: 48, whence: 56 } as const;
export const InterruptIn = { unique: 40 } as const;

/** `fuse_attr`, counted from its own start. */
export const Attr = {
  ino: 0,
  size: 8,
  blocks: 16,
  atime: 24,
  mtime: 32,
  ctime: 40,
  atimeNsec: 48,
  mtimeNsec: 52,
  ctimeNsec: 56,
  mode: 60,
  nlink: 64,
  uid: 68,
  gid: 72,
  rdev: 76,
  blockSize: 80,
  flags: 84,
} as const;
/** `fuse_entry_out`, counted from its own start; `fuse_open_out` follows it in the reply to CREATE. */
export const EntryOut = {
  nodeid: 0,
  generation: 8,
  entryValid: 16,
  attrValid: 24,
  nsecs: 32,
  attr: 40,
  bytes: 128,
} as const;
export const AttrOut = { attrValid: 16, nsec: 24, attr: 32, end: 120 } as const;
/** `fuse_open_out`, counted from its own start. */
export const OpenOut = { handle: 0, flags: 8, backing: 12, bytes: 16 } as const;
/** `fuse_dirent`, counted from its own start; records are padded to 8 bytes. */
export const Dirent = { ino: 0, cookie: 8, nameBytes: 16, type: 20, name: 24 } as const;
export const InitOut = {
  major: 16,
  minor: 20,
  maxReadahead: 24,
  flags: 28,
  maxBackground: 32,
  congestionThreshold: 34,
  maxWrite: 36,
  timeGranularity: 40,
  maxPages: 44,
  flags2: 48,
  maxStackDepth: 52,
  end: 80,
} as const;
export const StatfsOut = {
  blocks: 16,
  blocksFree: 24,
  blocksAvailable: 32,
  files: 40,
  filesFree: 48,
  blockSize: 56,
  nameBytes: 60,
  fragmentSize: 64,
  end: 96,
} as const;
