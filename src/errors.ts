/**
 * Every way an operation can fail, in one list, with the data a caller needs to act on it.
 * The CLI's exit codes (`cli/exit-codes.ts`) and the file system's errno (`fs/errno.ts`) are told by these codes.
 */

/** What can fail, and what each failure carries. */
export interface Failures {
  /** An argument or a name from outside is not what it should be. */
  "bad-input": { value: string };
  /** No such project, dataset, version, draft, overlay or object. */
  "not-found": { what: string };
  /** No such path in a version or a draft. */
  "path-missing": { path: string };
  /** Somebody else holds or has made what was asked for: a label, a name, a mount point. */
  conflict: { what: string };
  /** A version that holds the same was made meanwhile, so there is none to make. */
  "version-equal": { version: string };
  /** A finished version cannot change. */
  "version-final": { version: string };
  /** The operation needs a finished version, and this one is a draft. */
  "version-unfinished": { version: string };
  /** The mount point is missing, is a file, is not empty, or is a mount already. */
  "mountpoint-unfit": { path: string };
  /** The mount cannot be taken away because it is in use; by whom, as far as that can be seen. */
  "mount-busy": { path: string; users: readonly MountUser[] };
  /** This machine or user lacks what mounting needs. */
  "mount-refused": { path: string };
  /** A write to a version that is mounted to be read. */
  "read-only": { path: string };
  /** The remote has no object of this key. */
  "object-missing": { key: string };
  /** A conditional create found the object there already. */
  "object-exists": { key: string };
  /** The remote sent fewer or more bytes than it was asked for. */
  "remote-short": { key: string; wantedBytes: number; gotBytes: number };
  /** The remote could not be reached or answered with a failure that may heal. */
  "remote-failed": { key: string };
  /** The remote refuses: no such bucket, no permission, read-only. */
  "remote-refused": { key: string };
  /** The catalog's server could not be reached, or was lost during a change. */
  "catalog-failed": { catalog: string };
  /** The catalog's server refuses: password, rights, encryption. */
  "catalog-refused": { catalog: string };
  /** Bytes do not have the hash they are named by. */
  "content-damaged": { what: string; wanted: string; got: string };
  /** A stored structure (range, root, segment, record, catalog) cannot be what it claims to be. */
  "format-damaged": { what: string };
  /** A stored structure was written by a newer varve. */
  "format-newer": { what: string; version: number };
  /** It is not signed by a key that is trusted, or is not what was signed. */
  untrusted: { version: string };
  /** A file changed, again and again, while it was being read. */
  "source-changed": { path: string };
  /** A file of the user could not be read. */
  "source-unreadable": { path: string };
  /** The commit did not happen; the changes are kept in an overlay and can be recovered. */
  uncommitted: { overlay: string };
  /** A file or folder of the user could not be written. */
  "target-unwritable": { path: string };
  /** Nothing came back before the deadline. */
  deadline: { waitedForMs: number; what: string };
  /** What had been sent for it was collected as garbage before it could be completed: it has to be sent again. */
  collected: { remote: string; keys: readonly string[] };
  /** The caller cancelled. */
  cancelled: { what: string };
  /** What is to stay in the cache does not fit into it, beside what is pinned there. */
  "cache-full": { neededBytes: number; roomBytes: number };
  /** It would have to be fetched, and nothing may be. */
  offline: { what: string };
  /** The disk under the cache, the overlay or the catalog is full. */
  "disk-full": { path: string };
  /** What this machine, kernel or transport cannot do. */
  unsupported: { what: string };
}

/** A process that uses a mount. */
export interface MountUser {
  pid: number;
  /** Its command line, or the name the kernel keeps of it. */
  command: string;
}

export type FailureCode = keyof Failures;

/** A failure that somebody can act on: `code` says which, `data` with what, `message` in words. */
export class DatasetError<Code extends FailureCode = FailureCode> extends Error {
  /** Always this, as errors of all kinds have a name. */
  override readonly name = "DatasetError";

  constructor(
    /** Which of the ways to fail. */
    readonly code: Code,
    /** What a caller needs to act on it; its fields depend on `code`. */
    readonly data: Failures[Code],
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}

/** Narrows `error` to a `DatasetError`, of one code when one is given. */
export function isDatasetError<Code extends FailureCode>(
  error: unknown,
  code?: Code,
): error is DatasetError<Code> {
  return error instanceof DatasetError && (code === undefined || error.code === code);
}

/** The errno name of a failed system call (`ENOENT`), if `error` is one. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

/** The message of anything thrown, for a log line or as part of another message. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
