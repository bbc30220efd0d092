/**
 * What a mounted tree answers, whatever transport asks. Every operation is synchronous: it returns, throws a
 * `FileSystemError` (an errno), or throws `Missing` (`cache/block.ts`) before it has changed anything, and is then run
 * again once the blocks are here. Names and link targets are byte strings (`paths.ts`). Nothing here knows FUSE.
 */

/** Inode number, 64 bits on the wire, a safe integer here. The root is 1. Never changes while a mount lives. */
export type Ino = number;
export const ROOT_INO: Ino = 1;

/** `st_mode & S_IFMT` of each kind of file. */
export const FileType = {
  fifo: 0o010000,
  character: 0o020000,
  directory: 0o040000,
  block: 0o060000,
  file: 0o100000,
  symlink: 0o120000,
  socket: 0o140000,
} as const;
export const TYPE_MASK = 0o170000;

export interface Attributes {
  ino: Ino;
  /** Type and permission bits, as `st_mode`. */
  mode: number;
  nlink: number;
  uid: number;
  gid: number;
  rdev: number;
  sizeBytes: number;
  /** Bytes that take room, for `st_blocks`. */
  allocatedBytes: number;
  /** As last set; reading leaves it alone. */
  atimeSec: number;
  atimeNsec: number;
  mtimeSec: number;
  mtimeNsec: number;
  ctimeSec: number;
  ctimeNsec: number;
  /** How long these and the name they were found by may be remembered, in milliseconds. Absent: for ever. */
  validMs?: number;
}

/** Who asks, for the owner of what is created. */
export interface Caller {
  uid: number;
  gid: number;
  pid: number;
  umask: number;
}

/** What `setattr` is to change; absent stays. Times `"now"` are the server's clock. */
export interface AttributeChanges {
  /** Permission bits, `& 0o7777`. */
  mode?: number;
  uid?: number;
  gid?: number;
  sizeBytes?: number;
  atime?: { sec: number; nsec: number } | "now";
  mtime?: { sec: number; nsec: number } | "now";
  ctime?: { sec: number; nsec: number };
}

export interface FileSystemStats {
  totalBytes: number;
  freeBytes: number;
  totalFiles: number;
  freeFiles: number;
}

/** Called for each entry of a listing; false means: no room, stop before this one. `cookie` continues after it. */
export type EmitEntry = (name: string, attributes: Attributes, cookie: number) => boolean;

export const RenameFlag = { noReplace: 1, exchange: 2 } as const;

/** Files on the local disk whose bytes are exactly those of files of the tree, for the kernel to read by itself. */
export interface Backings {
  /** Whether any file may ever have one; once false it stays so. May look into the surroundings of `ino`. */
  mayExist(ino: Ino): boolean;
  /** Whether a file may have one: always the same for an inode. */
  isBackable(ino: Ino): boolean;
  /** Opens the one of a file that is backable; undefined while there is none. Who asks closes the descriptor. */
  open(ino: Ino): number | undefined;
  /** The last handle of a backable file that was not opened so is closed. */
  closed(ino: Ino): void;
  /** Opens an empty file where backings lie; undefined where there can be none. Who asks closes the descriptor. */
  openProbe(): number | undefined;
}

export interface FileSystem {
  readonly writable: boolean;
  /** Absent: the kernel reads everything through us. */
  readonly backings?: Backings | undefined;

  /** The child `name`, or undefined. */
  lookup(parent: Ino, name: string): Attributes | undefined;
  getattr(ino: Ino): Attributes;
  setattr(ino: Ino, changes: AttributeChanges): Attributes;
  readlink(ino: Ino): string;
  /** Entries after `cookie` (0: from the start), `.` and `..` included. Cookies stay good while others create and remove. */
  readdir(ino: Ino, cookie: number, emit: EmitEntry): void;
  /** Whether the listing of a directory may be remembered. Absent: all may, since all changes come through the kernel. */
  keepsListing?(ino: Ino): boolean;

  /** `flags` as `open(2)`. The handle is released once. */
  open(ino: Ino, flags: number): number;
  /** Copies at most `length` bytes from `offset` into `target` at index `at`; gives how many (fewer only at the end). */
  read(ino: Ino, offset: number, length: number, target: Uint8Array, at: number): number;
  write(ino: Ino, handle: number, offset: number, bytes: Uint8Array): number;
  flush(ino: Ino, handle: number): void;
  /** Resolves once data and journal are on the disk. The only operation that may wait, and it waits elsewhere. */
  fsync(ino: Ino, dataOnly: boolean): Promise<void> | undefined;
  release(ino: Ino, handle: number): void;
  /** `fallocate(2)`: `mode` holds its FALLOC_FL bits. */
  fallocate(ino: Ino, mode: number, offset: number, length: number): void;
  /** `lseek(2)` with SEEK_DATA (3) or SEEK_HOLE (4). */
  lseek(ino: Ino, offset: number, whence: number): number;

  create(
    parent: Ino,
    name: string,
    mode: number,
    flags: number,
    caller: Caller,
  ): { attributes: Attributes; handle: number };
  /** `O_TMPFILE`: a file without a name, gone with its last handle unless `link` gives it one. Absent: refused. */
  tmpfile?(
    parent: Ino,
    mode: number,
    flags: number,
    caller: Caller,
  ): { attributes: Attributes; handle: number };
  mkdir(parent: Ino, name: string, mode: number, caller: Caller): Attributes;
  mknod(parent: Ino, name: string, mode: number, rdev: number, caller: Caller): Attributes;
  symlink(parent: Ino, name: string, target: string, caller: Caller): Attributes;
  link(ino: Ino, parent: Ino, name: string): Attributes;
  unlink(parent: Ino, name: string): void;
  rmdir(parent: Ino, name: string): void;
  rename(parent: Ino, name: string, newParent: Ino, newName: string, flags: number): void;

  getxattr(ino: Ino, name: string): Uint8Array;
  listxattr(ino: Ino): string[];
  /** `flags`: XATTR_CREATE 1, XATTR_REPLACE 2. */
  setxattr(ino: Ino, name: string, value: Uint8Array, flags: number): void;
  removexattr(ino: Ino, name: string): void;

  statfs(): FileSystemStats;
  /** The kernel has dropped `count` references to an inode it was given by lookup, create and the like. */
  forget(ino: Ino, count: number): void;
}
