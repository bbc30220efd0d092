/** A signal that aborts when the caller's does, or when what is waited for has been silent for too long. */
import { DatasetError } from "../errors.js";

export interface Deadline {
  readonly signal: AbortSignal;
  /** Something came: the silence is counted anew. */
  extend(): void;
  /** Nothing is waited for until the next `extend()`. */
  suspend(): void;
  /** Lets go of the timer and of the caller's signal. */
  end(): void;
}

/**
 * Counts from now on.
 *
 * @param ms Longest silence; after it `signal` is aborted with a `deadline` failure as its reason.
 * @param what Names in the message what is waited for: `read of "packs/ab" in s3://bucket`.
 */
export function startDeadline(ms: number, what: string, caller?: AbortSignal): Deadline {
  const controller = new AbortController();
  const expire = () => controller.abort(overdue(ms, what));
  const onAbort = () => controller.abort(caller?.reason);
  caller?.addEventListener("abort", onAbort);
  let ended = false;
  let timer = setTimeout(expire, ms);

  return {
    signal: controller.signal,
    extend() {
      clearTimeout(timer);
      if (!ended) timer = setTimeout(expire, ms); // A cancelled put may still be handed a piece of its stream.
    },
    suspend: () => clearTimeout(timer),
    end() {
      ended = true;
      clearTimeout(timer);
      caller?.removeEventListener("abort", onAbort);
    },
  };
}

function overdue(waitedForMs: number, what: string): DatasetError<"deadline"> {
  const message = `Gave up the ${what}: nothing came for ${waitedForMs / 1000} s`;
  return new DatasetError("deadline", { waitedForMs, what }, message);
}
