/**
 * What a stream of test events amounts to. `node --test` reports a file's tests in order, and the file itself only
 * when it fails or holds no test; a file's own events carry its path as their name.
 */
import type { TestEvent } from "node:test/reporters";

/** A test, a hook or a whole file that failed. */
export interface Failure {
  /** Names of the suites and tests around it, and its own. */
  path: readonly string[];
  error: unknown;
  /** For a file that was stopped or crashed: its tests that had begun and not ended. */
  unfinished: readonly string[];
}

export interface Skipped {
  path: readonly string[];
  /** Why, as its author wrote; may be empty. */
  reason: string;
}

type Result = Extract<TestEvent, { type: "test:pass" | "test:fail" }>;

/** Counts tests; suites are not counted, and a suite or test that failed only because of one below it is not told twice. */
export class Tally {
  passed = 0;
  readonly failures: Failure[] = [];
  readonly skipped: Skipped[] = [];
  /** Names around the test that is being reported, the outermost first. */
  #around: string[] = [];
  #unfinished = new Set<string>();

  take(event: TestEvent): void {
    if (event.type === "test:dequeue" && !isFile(event)) this.#unfinished.add(event.data.name);
    if (event.type === "test:complete") this.#unfinished.delete(event.data.name);
    if (event.type === "test:start") this.#enter(event.data.name, event.data.nesting);
    if (event.type === "test:pass" || event.type === "test:fail") this.#settle(event);
  }

  #enter(name: string, nesting: number): void {
    this.#around = [...this.#around.slice(0, nesting), name];
  }

  #settle(event: Result): void {
    const { nesting, name, skip, todo } = event.data;
    const path = [...this.#around.slice(0, nesting), name];
    const excuse = skip ?? todo;
    if (excuse !== undefined && excuse !== false)
      this.skipped.push({ path, reason: excuse === true ? "" : excuse });
    else if (event.type === "test:fail") this.#fail(path, event);
    else if (isFile(event)) this.failures.push({ path, error: "It holds no test", unfinished: [] });
    else if (event.data.details.type !== "suite") this.passed++;
  }

  #fail(path: string[], event: Extract<Result, { type: "test:fail" }>): void {
    const { error } = event.data.details;
    if (isFile(event)) this.#failFile(path, error);
    else if (failureTypeOf(error) !== "subtestsFailed")
      this.failures.push({ path, error: error.cause, unfinished: [] });
  }

  #failFile(path: string[], error: Error): void {
    this.failures.push({ path, error: endOf(error) ?? error.cause, unfinished: [...this.#unfinished] });
    this.#unfinished.clear();
  }
}

/** Whether an event is a test file's own. */
export function isFile({ data }: { data: { name: string; file?: string | undefined } }): boolean {
  return data.name === data.file;
}

/** Node names there what went wrong: `subtestsFailed`, `testTimeoutFailure`, `hookFailed` … */
function failureTypeOf(error: Error): string | undefined {
  return "failureType" in error && typeof error.failureType === "string" ? error.failureType : undefined;
}

/** How a file's process ended, when that is what failed. */
function endOf(error: Error & { exitCode?: unknown; signal?: unknown }): string | undefined {
  if (typeof error.signal === "string") return `Its process was ended by ${error.signal}`;
  return typeof error.exitCode === "number" ? `Its process exited with ${error.exitCode}` : undefined;
}
