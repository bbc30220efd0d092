/** Runs an operation of the file system until it has all it needs, and makes its end an answer. */
import { Missing } from "../../../cache/block.js";
import type { Log } from "../../../log.js";
import { FileSystemError, errnoNumberOf } from "../../errno.js";
import type { Answer } from "./library.js";

/** Brings the blocks of a `Missing` to this machine. */
export type Fetch = (missing: Missing) => Promise<void>;

type Operation<Value> = () => Value | Promise<Value>;

/** Runs operations; `name` is for the log. */
export interface Answering {
  /** Answers with 0. */
  done(name: string, operation: Operation<unknown>, answer: Answer): void;
  /** Answers with 0 and what the operation gives. */
  value<Value>(name: string, operation: Operation<Value>, answer: Answer<Value>): void;
  /** Answers with the number of bytes that the operation gives. */
  count(name: string, operation: Operation<number>, answer: Answer): void;
}

export function answering(fetch: Fetch, log: Log): Answering {
  const errnoOf = (name: string, thrown: unknown): number => {
    if (!(thrown instanceof FileSystemError))
      log.warn("operation failed", { operation: name, error: thrown });
    return -errnoNumberOf(thrown);
  };
  const run = <Value>(
    name: string,
    operation: Operation<Value>,
    give: (value: Value) => void,
    answer: Answer,
  ) => {
    completed(operation, fetch).then(give, (thrown: unknown) => answer(errnoOf(name, thrown)));
  };
  return {
    done: (name, operation, answer) => run(name, operation, () => answer(0), answer),
    value: (name, operation, answer) => run(name, operation, (value) => answer(0, value), answer as Answer),
    count: (name, operation, answer) => run(name, operation, (bytes) => answer(bytes), answer),
  };
}

async function completed<Value>(operation: Operation<Value>, fetch: Fetch): Promise<Value> {
  for (;;) {
    try {
      return await operation();
    } catch (thrown) {
      if (!(thrown instanceof Missing)) throw thrown;
      await fetch(thrown);
    }
  }
}
