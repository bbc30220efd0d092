/** From two looks at the figures of a mount to what it does in a second. Plain functions. */
import type { MountFigures } from "../daemon/figures.js";

export interface Rates {
  operationsPerSecond: number;
  readBytesPerSecond: number;
  writtenBytesPerSecond: number;
  /** Of look-ups of blocks; null where there was none. */
  cacheHitPercent: number | null;
  remoteRequestsPerSecond: number;
  /** Of the kernel, and to remotes. */
  requestsWaiting: number;
  remoteRequestsUnderWay: number;
  overlayBytes: number | null;
  residentBytes: number;
  /** Kinds of things that are waited for longer than the deadline. */
  stuck: number;
}

/** @param before An earlier look. Default: the time when it was mounted, so that rates are averages since then. */
export function ratesOf(now: MountFigures, before?: MountFigures): Rates {
  const seconds = Math.max(1, now.atMs - (before?.atMs ?? now.startedAtMs)) / 1000;
  const perSecond = (of: (figures: MountFigures) => number) =>
    Math.max(0, of(now) - (before ? of(before) : 0)) / seconds;
  const hits = perSecond(({ cache }) => cache.hits.memory + cache.hits.disk);
  const misses = perSecond(({ cache }) => cache.misses);
  return {
    operationsPerSecond: perSecond(({ operations }) =>
      sum(Object.values(operations).map(({ count }) => count)),
    ),
    readBytesPerSecond: perSecond(({ readBytes }) => readBytes),
    writtenBytesPerSecond: perSecond(({ writtenBytes }) => writtenBytes),
    cacheHitPercent: hits + misses === 0 ? null : (100 * hits) / (hits + misses),
    remoteRequestsPerSecond: perSecond(({ remote }) => sum(Object.values(remote.calls))),
    requestsWaiting: now.waiting,
    remoteRequestsUnderWay: now.remote.underWay,
    overlayBytes: now.overlay?.bytes ?? null,
    residentBytes: now.process.residentBytes,
    stuck: now.stuck.filter(({ endedAtMs }) => endedAtMs === undefined).length,
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
