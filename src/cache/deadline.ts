/** A wait on something outside that ends at a deadline. */
import { DatasetError, isDatasetError } from "../errors.js";
import { cancellable } from "../remote/cancel.js";

/**
 * Runs `work` until it settles, `ms` have passed or `signal` is aborted, whichever is first. Then its own signal tells
 * `work` to stop, and it is no longer waited for even if it does not listen.
 *
 * @param what Names the work in the message: `read of "packs/ab"`.
 * @throws {DatasetError} `deadline`; `cancelled`
 */
export async function withinDeadline<T>(
  what: string,
  ms: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const ending = new AbortController();
  const stop = () => ending.abort(signal.reason);
  const timer = setTimeout(() => ending.abort(lateError(what, ms)), ms);
  signal.addEventListener("abort", stop);
  if (signal.aborted) stop();
  try {
    return await cancellable(ending.signal, what, () => work(ending.signal));
  } catch (error) {
    const reason: unknown = ending.signal.reason;
    throw isDatasetError(reason, "deadline") ? reason : error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  }
}

function lateError(what: string, waitedForMs: number): DatasetError<"deadline"> {
  const message = `Gave up the ${what}: nothing came within ${waitedForMs} ms`;
  return new DatasetError("deadline", { waitedForMs, what }, message);
}
