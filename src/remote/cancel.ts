/** Ends a wait when its caller cancels, even where the work waited for cannot be stopped. */
import { DatasetError, isDatasetError } from "../errors.js";

/** @throws {DatasetError} `cancelled` when `signal` has been aborted */
export function checkSignal(signal: AbortSignal | undefined, what: string): void {
  if (signal?.aborted) throw failureOf(signal, what);
}

/**
 * What `work` gives, or `cancelled` as soon as `signal` is aborted. Work that has begun goes on unwatched and is
 * expected to look at the signal itself; nothing begins when the signal has been aborted already.
 *
 * @param what Names the work in the message: `read of "packs/ab"`.
 */
export async function cancellable<T>(
  signal: AbortSignal | undefined,
  what: string,
  work: () => Promise<T>,
): Promise<T> {
  checkSignal(signal, what);
  return signal ? raceAgainst(signal, what, work()) : work();
}

function raceAgainst<T>(signal: AbortSignal, what: string, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(failureOf(signal, what));
    const letGo = () => signal.removeEventListener("abort", onAbort);
    signal.addEventListener("abort", onAbort);
    work.then(resolve, reject).finally(letGo);
  });
}

/** A signal aborted with a failure of our own (`deadline`) says itself what happened. */
function failureOf(signal: AbortSignal, what: string): DatasetError {
  const cause: unknown = signal.reason;
  return isDatasetError(cause)
    ? cause
    : new DatasetError("cancelled", { what }, `Cancelled the ${what}`, { cause });
}
