/** Errno numbers (Linux, all architectures we serve) and the error that carries one to the caller of an operation. */
import { type FailureCode, isDatasetError } from "../errors.js";

export const Errno = {
  EPERM: 1,
  ENOENT: 2,
  EINTR: 4,
  EIO: 5,
  ENXIO: 6,
  E2BIG: 7,
  EBADF: 9,
  ENOMEM: 12,
  EACCES: 13,
  EBUSY: 16,
  EEXIST: 17,
  EXDEV: 18,
  ENODEV: 19,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  EFBIG: 27,
  ENOSPC: 28,
  EROFS: 30,
  EMLINK: 31,
  ERANGE: 34,
  ENAMETOOLONG: 36,
  ENOSYS: 38,
  ENOTEMPTY: 39,
  ELOOP: 40,
  ENODATA: 61,
  EOVERFLOW: 75,
  EOPNOTSUPP: 95,
  ETIMEDOUT: 110,
  ESTALE: 116,
} as const;
export type ErrnoName = keyof typeof Errno;

/** The failure of one file system operation. Not an `Error`: thousands a second are thrown, and none needs a stack. */
export class FileSystemError {
  constructor(
    readonly errno: ErrnoName,
    readonly reason = "",
  ) {}
}

/** The errno a reader or writer sees for each failure behind the file system. */
const ERRNO_OF_FAILURE: Record<FailureCode, ErrnoName> = {
  "bad-input": "EINVAL",
  "not-found": "ENOENT",
  "path-missing": "ENOENT",
  conflict: "EEXIST",
  "version-equal": "EEXIST",
  "version-final": "EROFS",
  "version-unfinished": "EBUSY",
  "mountpoint-unfit": "EBUSY",
  "mount-busy": "EBUSY",
  "mount-refused": "EPERM",
  "read-only": "EROFS",
  "object-missing": "EIO",
  "object-exists": "EEXIST",
  "remote-short": "EIO",
  "remote-failed": "EIO",
  "remote-refused": "EIO",
  "catalog-failed": "EIO",
  "catalog-refused": "EIO",
  "content-damaged": "EIO",
  "format-damaged": "EIO",
  "format-newer": "EIO",
  untrusted: "EACCES",
  "source-changed": "ESTALE",
  "source-unreadable": "EIO",
  "target-unwritable": "EIO",
  uncommitted: "EIO",
  collected: "EIO",
  deadline: "EIO",
  cancelled: "EINTR",
  "cache-full": "ENOSPC",
  offline: "EIO",
  "disk-full": "ENOSPC",
  unsupported: "EOPNOTSUPP",
};

/** The errno for anything an operation threw: its own, a failure's, a system call's, else `EIO`. */
export function errnoNumberOf(error: unknown): number {
  if (error instanceof FileSystemError) return Errno[error.errno];
  if (isDatasetError(error)) return Errno[ERRNO_OF_FAILURE[error.code]];
  if (error instanceof Error && "code" in error && typeof error.code === "string" && error.code in Errno)
    return Errno[error.code as ErrnoName];
  return Errno.EIO;
}
