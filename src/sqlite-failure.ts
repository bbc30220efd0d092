/** What SQLite reports of a file of ours, told as a failure of ours. */
import { statfsSync } from "node:fs";
import { dirname } from "node:path";

import { DatasetError, errnoOf, messageOf } from "./errors.js";
import { KiB } from "./units.js";

export interface DatabaseFile {
  /** What messages call it: `catalog`. */
  what: string;
  path: string;
}

/** SQLite needs that much for its index of a log; it calls the lack of it an input/output error. */
const LEAST_FREE_BYTES = 64 * KiB;

/** A violated constraint, like all else that is not of SQLite, stays as it is: it befell no file. */
export function explainSqlite(cause: unknown, file: DatabaseFile): unknown {
  const code = errnoOf(cause) ?? "";
  if (/^SQLITE_(NOTADB|CORRUPT)/.test(code)) {
    const message = `Cannot use the ${file.what} "${file.path}": it is no database, or a damaged one (${messageOf(cause)})`;
    return new DatasetError("format-damaged", { what: file.path }, message, { cause });
  }
  if (!/^SQLITE_(FULL|CANTOPEN|READONLY|PERM|IOERR)/.test(code)) return cause;
  if (code === "SQLITE_FULL" || !hasRoom(file)) return diskFull(file, cause);
  const message = `Cannot use the ${file.what} "${file.path}": ${messageOf(cause)}`;
  return new DatasetError("source-unreadable", { path: file.path }, message, { cause });
}

export function diskFull({ what, path }: DatabaseFile, cause: unknown): DatasetError<"disk-full"> {
  const message = `Cannot write the ${what} "${path}": the disk is full`;
  return new DatasetError("disk-full", { path }, message, { cause });
}

function hasRoom({ path }: DatabaseFile): boolean {
  try {
    const { bavail, bsize } = statfsSync(dirname(path));
    return bavail * bsize >= LEAST_FREE_BYTES;
  } catch {
    return true; // Where there is no such folder, that is what is the matter.
  }
}
