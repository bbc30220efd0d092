/**
 * The exit code of a command, so that a script can tell failures apart without reading text.
 *
 * | code | meaning |
 * |---|---|
 * | 0 | done |
 * | 1 | failed: a remote, a disk, damaged data, anything not named below |
 * | 2 | asked wrongly: an argument, an option or a name that is not what it should be |
 * | 3 | not found: what was named does not exist |
 * | 4 | conflict: it exists, is in use or is final, and asking again alone will not help |
 * | 5 | left uncommitted: the changes are kept, see `varve recover` |
 * | 6 | not trusted: not signed by a key that must have signed it, or not what was signed |
 */
import { type FailureCode, isDatasetError } from "../errors.js";

export const ExitCode = {
  done: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  conflict: 4,
  uncommitted: 5,
  untrusted: 6,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

const EXIT_CODE_OF_FAILURE: Record<FailureCode, ExitCode> = {
  "bad-input": ExitCode.usage,
  "not-found": ExitCode.notFound,
  "path-missing": ExitCode.notFound,
  "object-missing": ExitCode.notFound,
  conflict: ExitCode.conflict,
  "object-exists": ExitCode.conflict,
  "version-equal": ExitCode.conflict,
  "version-final": ExitCode.conflict,
  "version-unfinished": ExitCode.conflict,
  "mountpoint-unfit": ExitCode.conflict,
  "mount-busy": ExitCode.conflict,
  "read-only": ExitCode.conflict,
  uncommitted: ExitCode.uncommitted,
  untrusted: ExitCode.untrusted,
  "mount-refused": ExitCode.failed,
  "remote-short": ExitCode.failed,
  "remote-failed": ExitCode.failed,
  "remote-refused": ExitCode.failed,
  "catalog-failed": ExitCode.failed,
  "catalog-refused": ExitCode.failed,
  "content-damaged": ExitCode.failed,
  "format-damaged": ExitCode.failed,
  "format-newer": ExitCode.failed,
  "source-changed": ExitCode.failed,
  "source-unreadable": ExitCode.failed,
  "target-unwritable": ExitCode.failed,
  deadline: ExitCode.failed,
  cancelled: ExitCode.failed,
  collected: ExitCode.failed,
  "cache-full": ExitCode.failed,
  offline: ExitCode.failed,
  "disk-full": ExitCode.failed,
  unsupported: ExitCode.failed,
};

/** The exit code for anything a command threw. */
export function exitCodeOf(error: unknown): ExitCode {
  return isDatasetError(error) ? EXIT_CODE_OF_FAILURE[error.code] : ExitCode.failed;
}
