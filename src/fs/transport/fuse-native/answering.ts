/** Runs an operation of the file system until it has all it needs, and makes its end an answer. */
import { Missing } from "../../../cache/block.js";
import type { Log } from "../../../log.js";
import { FileSystemError, errnoNumberOf } from "../../errno.js";

/** Brings the blocks of a `Missing` to this machine. */
export type Fetch = (missing: Missing) => Promise<void>;

/** Runs `operation` under `name`, which log lines carry; then calls one of the two. */
export type Serve = <T>(
  name: string,
  operation: () => T | Promise<T>,
  answer: (value: T) => void,
  fail: (negativeErrno: number) => void,
) => void;

export function serving(fetch: Fetch, log: Log): Serve {
  return (name, operation, answer, fail) => {
    completed(operation, fetch).then(answer, (thrown: unknown) => {
      if (!(thrown instanceof FileSystemError)) log.warn("operation failed", { operation: name, error: thrown });
      fail(-errnoNumberOf(thrown));
    });
  };
}

async function completed<T>(operation: () => T | Promise<T>, fetch: Fetch): Promise<T> {
  for (;;) {
    try {
      return await operation();
    } catch (thrown) {
      if (!(thrown instanceof Missing)) throw thrown;
      await fetch(thrown);
    }
  }
}
