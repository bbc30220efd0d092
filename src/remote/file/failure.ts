/** What a failed system call means for an object in a folder. */
import { DatasetError, type FailureCode, errnoOf, messageOf } from "../../errors.js";
import type { ObjectKey } from "../remote.js";

/** What was attempted: in words, and where. */
export interface FileAttempt {
  /** A verb: `read`. */
  attempt: string;
  key: ObjectKey;
  url: string;
  path: string;
}

type Meaning = Extract<
  FailureCode,
  "object-missing" | "object-exists" | "disk-full" | "remote-refused" | "bad-input"
>;

const MEANING: Readonly<Record<string, Meaning>> = {
  ENOENT: "object-missing",
  EEXIST: "object-exists",
  ENOSPC: "disk-full",
  EDQUOT: "disk-full",
  EACCES: "remote-refused",
  EPERM: "remote-refused",
  EROFS: "remote-refused",
  // An object lies where the key needs a folder, or a folder where it needs an object.
  ENOTDIR: "remote-refused",
  EISDIR: "remote-refused",
  ENOTEMPTY: "remote-refused",
  // No hard links: a create could not be conditional.
  ENOTSUP: "remote-refused",
  ENAMETOOLONG: "bad-input",
};

/** The failure to report for `error`; one that is a failure of ours already, or of no system call, stays as it is. */
export function explainFile(error: unknown, { attempt, key, url, path }: FileAttempt): unknown {
  const errno = errnoOf(error);
  if (error instanceof DatasetError || errno === undefined || !/^E[A-Z0-9]+$/.test(errno)) return error;
  const message = `Cannot ${attempt} "${key}" in ${url}: ${reasonOf(attempt, errno, error)}`;
  const code = meaningOf(attempt, errno);
  if (code === "disk-full") return new DatasetError(code, { path }, message, { cause: error });
  if (code === "bad-input") return new DatasetError(code, { value: key }, message, { cause: error });
  return new DatasetError(code, { key }, message, { cause: error });
}

/** Reading below or at what is no object finds no object; a write that lost its folder or aside file may be repeated. */
function meaningOf(attempt: string, errno: string): Meaning | "remote-failed" {
  const reading = attempt === "read";
  if (reading && (errno === "ENOTDIR" || errno === "EISDIR")) return "object-missing";
  if (!reading && errno === "ENOENT") return "remote-failed";
  return MEANING[errno] ?? "remote-failed";
}

function reasonOf(attempt: string, errno: string, error: unknown): string {
  switch (meaningOf(attempt, errno)) {
    case "object-missing":
      return "no such object";
    case "object-exists":
      return "it exists already";
    case "disk-full":
      return `the disk is full (${errno})`;
    default:
      return messageOf(error);
  }
}
