/**
 * What this process asks of remotes: counts since its start, and what is under way. One for the process, as its memory is:
 * whoever reports on it (metrics, a watchdog, a log) reads it here, and nobody has to hand it on to a request.
 */
import { isDatasetError, messageOf } from "../errors.js";
import type { Deadline } from "./deadline.js";

/** What is asked for; a `part` is one of a large object that is being put. */
export type RequestKind = "read" | "look-up" | "put" | "part" | "create" | "listing" | "delete";
/** `absent`: no such object, or one is there already; an answer as any other. */
export type Outcome = "done" | "absent" | "cancelled" | "failed";

/** One call to a remote, its further attempts included. */
export interface RequestUnderWay {
  readonly kind: RequestKind;
  /** `read of "packs/ab" in s3://bucket`, without what may be secret in a URL. */
  readonly what: string;
  /** By `performance.now()`. */
  readonly sinceMs: number;
  /** When the remote last gave or took something; Infinity while nothing is waited for. */
  heardMs: number;
  attempts: number;
}

/** Told of each attempt that failed, in a way that is no answer. */
export type OnFault = (fault: { what: string; attempt: number; again: boolean; problem: string }) => void;

export class RemoteActivity {
  /** Calls that ended, as `kind outcome`. */
  readonly ended = new Map<`${RequestKind} ${Outcome}`, number>();
  /** Attempts that failed, by code. */
  readonly faults = new Map<string, number>();
  /** Attempts after the first. */
  retries = 0;
  /** A `Set` keeps the order: the oldest is first. */
  readonly underWay = new Set<RequestUnderWay>();
  onFault: OnFault | undefined;

  /** @param what As messages name it, a verb first: `read of "packs/ab" in s3://bucket`. */
  begin(what: string): RequestUnderWay {
    const nowMs = performance.now();
    const request = {
      kind: kindOf(what),
      what: withoutQueries(what),
      sinceMs: nowMs,
      heardMs: nowMs,
      attempts: 1,
    };
    this.underWay.add(request);
    return request;
  }

  /** An attempt failed; `again`: there will be another. That the call was given up is for `end` to tell. */
  failed(request: RequestUnderWay, error: unknown, again: boolean): void {
    if (!this.underWay.has(request)) return;
    if (outcomeOf(error) === "failed" && !isDatasetError(error, "deadline"))
      this.#note(request, error, again);
    if (!again) return;
    this.retries++;
    request.attempts++;
  }

  /** @param error What it failed with, where it did. */
  end(request: RequestUnderWay, error?: unknown): void {
    if (isDatasetError(error, "deadline")) this.#note(request, error, false);
    this.underWay.delete(request);
    const name = `${request.kind} ${error === undefined ? "done" : outcomeOf(error)}` as const;
    this.ended.set(name, (this.ended.get(name) ?? 0) + 1);
  }

  #note({ what, attempts: attempt }: RequestUnderWay, error: unknown, again: boolean): void {
    const code = isDatasetError(error) ? error.code : "other";
    this.faults.set(code, (this.faults.get(code) ?? 0) + 1);
    this.onFault?.({ what, attempt, again, problem: withoutQueries(messageOf(error)) });
  }
}

export const remoteActivity = new RemoteActivity();

/** A deadline whose signs of life are noted with a request. */
export function noting(request: RequestUnderWay, deadline: Deadline): Deadline {
  return {
    ...deadline,
    extend() {
      request.heardMs = performance.now();
      deadline.extend();
    },
    suspend() {
      request.heardMs = Infinity;
      deadline.suspend();
    },
  };
}

const KINDS: readonly [RegExp, RequestKind][] = [
  [/^put of (part|\[)/, "part"],
  [/^put/, "put"],
  [/^create/, "create"],
  [/^look/, "look-up"],
  [/^list/, "listing"],
  [/^delete/, "delete"],
];

function kindOf(what: string): RequestKind {
  return KINDS.find(([pattern]) => pattern.test(what))?.[1] ?? "read";
}

function outcomeOf(error: unknown): Outcome {
  if (isDatasetError(error, "object-missing") || isDatasetError(error, "object-exists")) return "absent";
  return isDatasetError(error, "cancelled") ? "cancelled" : "failed";
}

/** Whatever is asked of a URL stays away: a signed one says who may read there. */
export function withoutQueries(text: string): string {
  return text.replace(/\?[^\s"]*/g, "");
}
