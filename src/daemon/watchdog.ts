/**
 * Notices what is stuck in a mount: a request of the kernel, a request to a remote or a step of a commit that waits for
 * longer than the mount's deadline. Each kind of thing that is waited for is told of once, however many wait for it, in the log and in
 * `varve status`; and once more when nothing waits for it any longer. It ends nothing: deadlines do that.
 */
import type { Log } from "../log.js";
import type { RemoteActivity } from "../remote/activity.js";

/** Something that waits, or waited until a moment ago. */
export interface Stuck {
  /** What it waits for: `read of "packs/ab/…" in s3://bucket`. */
  waitsFor: string;
  /** Who waits: an operation of the kernel, `commit`, or the request itself. */
  operation: string;
  /** Unix time. */
  sinceMs: number;
  /** How many have waited for the same kind of thing, this one included. */
  count: number;
  /** The last of them gave up, or went on, at this Unix time; absent while one waits. */
  endedAtMs?: number | undefined;
}

/** A step of a commit, noted as it goes on. */
export interface WatchedWork {
  /** The next step begins, or this one has come forward. */
  at(step: string): void;
  end(): void;
}

const TICK_MS = 1_000;
/** What ended is shown, and not told of anew when it comes again, for so long. */
const SHOWN_AFTER_MS = 60_000;
/** Kinds of things told apart at a time. */
const MOST_KINDS = 100;

interface Overdue {
  operation: string;
  waitsFor: string;
  waitedForMs: number;
  /** What tells one that waits from another that waits for the same. */
  who: object;
}

interface Group extends Stuck {
  waiting: Set<object>;
}

export interface WatchdogOptions {
  /** Longest that anything should wait. */
  deadlineMs: number;
  remote: RemoteActivity;
  log: Pick<Log, "warn" | "info">;
}

export class Watchdog {
  readonly #groups = new Map<string, Group>();
  readonly #works = new Set<{ operation: string; step: string; heardMs: number }>();
  readonly #timer: NodeJS.Timeout;

  constructor(private readonly options: WatchdogOptions) {
    this.#timer = setInterval(() => this.look(), Math.min(TICK_MS, options.deadlineMs)).unref();
  }

  /** Whatever is stuck, and what was until a minute ago, the oldest first. */
  get stuck(): Stuck[] {
    this.look();
    return [...this.#groups.values()].map(({ waitsFor, operation, sinceMs, count, endedAtMs }) => ({
      ...{ waitsFor, operation, sinceMs, count, endedAtMs },
    }));
  }

  /** Watches work that has no request under way all the time, such as a commit. */
  watch(operation: string): WatchedWork {
    const work = { operation, step: operation, heardMs: performance.now() };
    this.#works.add(work);
    return {
      at(step) {
        work.step = step;
        work.heardMs = performance.now();
      },
      end: () => void this.#works.delete(work),
    };
  }

  /** Something has waited until its deadline, and given up. */
  gaveUp(operation: string, waitsFor: string, waitedForMs: number): void {
    this.#note({ operation, waitsFor, waitedForMs, who: {} });
    this.look();
  }

  /** Looks at what is under way now. */
  look(): void {
    const overdue = this.#overdue();
    for (const each of overdue) this.#note(each);
    const waiting = new Set(overdue.map(({ who }) => who));
    for (const [kind, group] of this.#groups) this.#settle(kind, group, waiting);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #overdue(): Overdue[] {
    const nowMs = performance.now();
    const { deadlineMs, remote } = this.options;
    const isLate = ({ heardMs }: { heardMs: number }) => nowMs - heardMs > deadlineMs;
    const requests = [...remote.underWay].filter(isLate).map((who) => ({
      ...{ who, operation: who.kind, waitsFor: who.what, waitedForMs: nowMs - who.heardMs },
    }));
    // A step that waits for a remote is told of as that request.
    const works = requests.length > 0 ? [] : [...this.#works].filter(isLate);
    return [
      ...requests,
      ...works.map((who) => ({
        ...{ who, operation: who.operation, waitsFor: who.step, waitedForMs: nowMs - who.heardMs },
      })),
    ];
  }

  #note({ operation, waitsFor, waitedForMs, who }: Overdue): void {
    const kind = kindOf(waitsFor);
    const known = this.#groups.get(kind);
    if (known) {
      if (!known.waiting.has(who)) known.count++;
      known.waiting.add(who);
      known.endedAtMs = undefined;
      return;
    }
    if (this.#groups.size >= MOST_KINDS) return;
    const sinceMs = Math.round(Date.now() - waitedForMs);
    this.#groups.set(kind, { operation, waitsFor, sinceMs, count: 1, waiting: new Set([who]) });
    this.options.log.warn("stuck", { operation, waitsFor, waitedForMs: Math.round(waitedForMs) });
  }

  /** Nobody of a group waits any longer, or that was long enough ago to be forgotten. */
  #settle(kind: string, group: Group, waiting: ReadonlySet<object>): void {
    for (const who of group.waiting) if (!waiting.has(who)) group.waiting.delete(who);
    if (group.waiting.size > 0) return;
    const nowMs = Date.now();
    group.endedAtMs ??= nowMs;
    if (nowMs - group.endedAtMs < SHOWN_AFTER_MS) return;
    this.#groups.delete(kind);
    const { waitsFor, count, sinceMs, endedAtMs } = group;
    this.options.log.info("stuck no longer", { waitsFor, count, forMs: endedAtMs - sinceMs });
  }
}

/** The same for all objects of a kind in a remote: `read of "packs/" in s3://bucket`. */
function kindOf(waitsFor: string): string {
  return waitsFor.replace(/"([a-z]+\/)[^"]*"/, '"$1"');
}
