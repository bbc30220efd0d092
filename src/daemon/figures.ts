/** What a mount counts and holds, in numbers: for `varve status --watch`, and for metrics. Read when it is asked for, and then only. */
import { readdirSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Cache, CacheStats } from "../cache/cache.js";
import type { CacheFault } from "../cache/disk.js";
import { dataFolder } from "../fs/overlay/data-files.js";
import type { WaitingRequest, WorkerFigures } from "../fs/messages.js";
import type { FileSystemFigures } from "../fs/operation-counts.js";
import type { ServedMount } from "../fs/serve.js";
import { nameOfOpcode } from "../fs/transport/kernel/protocol.js";
import { remoteActivity } from "../remote/activity.js";
import type { Stuck, Watchdog } from "./watchdog.js";

export interface MountFigures {
  /** When, by Unix time, and since when everything is counted. */
  atMs: number;
  startedAtMs: number;
  /** By the kernel's names of operations; none where the transport does not count them. */
  operations: Record<string, Omit<FileSystemFigures["operations"][number], "opcode">>;
  readBytes: number;
  writtenBytes: number;
  /** Requests of the kernel that wait for something from outside, and the oldest of them. */
  waiting: number;
  waitsFor: readonly WaitingRequest[];
  stuck: readonly Stuck[];
  cache: {
    hits: { memory: number; disk: number };
    misses: number;
    fetchedBytes: number;
    requests: number;
    /** Blocks fetched before they were asked for, and those of them that then were. */
    aheadBlocks: number;
    usedAheadBlocks: number;
    memoryBytes: number;
    disk: CacheStats["disk"];
    /** What it has mended. */
    faults: Record<CacheFault, number>;
  };
  remote: {
    /** Calls that ended, as `read done`, and those under way. */
    calls: Record<string, number>;
    underWay: number;
    retries: number;
    /** Attempts that failed, by what they failed with. */
    faults: Record<string, number>;
  };
  /** Of a writable mount: its data files and journal, as they take room on the disk. */
  overlay: { files: number; bytes: number } | null;
  process: {
    residentBytes: number;
    heapBytes: number;
    externalBytes: number;
    descriptors: number;
    threads: number;
    cpuSeconds: number;
  };
  /** Handles that may be written to. */
  writers: number;
}

export interface Counted {
  served: ServedMount;
  cache: Cache;
  watchdog: Watchdog;
  cacheFaults: Record<CacheFault, number>;
  startedAtMs: number;
  overlayDirectory: string | undefined;
}

const NOTHING_COUNTED: FileSystemFigures = { operations: [], readBytes: 0, writtenBytes: 0, waiting: 0 };

/** Costs a few milliseconds; an overlay with many files a few more. */
export async function figuresOf(counted: Counted): Promise<MountFigures> {
  const { served, cache, watchdog, cacheFaults, startedAtMs, overlayDirectory } = counted;
  const [worker, overlay] = await Promise.all([
    served.figures(),
    overlayDirectory === undefined ? null : overlaySize(overlayDirectory),
  ]);
  const { operations, ...bytes } = served.counts?.figures() ?? NOTHING_COUNTED;
  return {
    ...{ atMs: Date.now(), startedAtMs, ...bytes },
    operations: Object.fromEntries(
      operations.map(({ opcode, ...figures }) => [nameOfOpcode(opcode), figures]),
    ),
    waitsFor: worker.waiting,
    stuck: watchdog.stuck,
    cache: { ...cacheFigures(cache.stats(), worker), faults: { ...cacheFaults } },
    remote: {
      calls: Object.fromEntries(remoteActivity.ended),
      underWay: remoteActivity.underWay.size,
      retries: remoteActivity.retries,
      faults: Object.fromEntries(remoteActivity.faults),
    },
    overlay,
    process: processFigures(),
    writers: worker.writers,
  };
}

function cacheFigures(
  { misses, fetched, memory, disk }: CacheStats,
  worker: WorkerFigures,
): Omit<MountFigures["cache"], "faults"> {
  return {
    hits: worker.hits,
    ...{ misses, fetchedBytes: fetched.bytes, requests: fetched.requests, disk },
    aheadBlocks: worker.ahead.blocks,
    usedAheadBlocks: worker.ahead.usedBlocks,
    memoryBytes: memory.bytes + worker.memory.bytes,
  };
}

function processFigures(): MountFigures["process"] {
  const { rss, heapUsed, external } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  return {
    residentBytes: rss,
    heapBytes: heapUsed,
    externalBytes: external,
    descriptors: countOf("/proc/self/fd"),
    threads: countOf("/proc/self/task"),
    cpuSeconds: (user + system) / 1e6,
  };
}

/** Sizes are asked for so many files; the others count as these do on average. */
const SAMPLED_FILES = 2_000;
/** The unit of `st_blocks`. */
const STAT_BLOCK_BYTES = 512;

async function overlaySize(directory: string): Promise<{ files: number; bytes: number }> {
  const data = dataFolder(directory);
  const [names, others] = await Promise.all([readdir(data).catch(() => []), readdir(directory)]);
  const sampled = await sizesOf(data, names.slice(0, SAMPLED_FILES));
  const average = sampled / Math.max(1, Math.min(SAMPLED_FILES, names.length));
  const journal = await sizesOf(
    directory,
    others.filter((name) => name.startsWith("journal")),
  );
  return { files: names.length, bytes: Math.round(journal + average * names.length) };
}

async function sizesOf(folder: string, names: readonly string[]): Promise<number> {
  const sizes = names.map((name) =>
    stat(join(folder, name)).then(
      ({ blocks }) => blocks * STAT_BLOCK_BYTES,
      () => 0, // It was removed meanwhile.
    ),
  );
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

/** Names in a folder of /proc; 0 where there is none. */
function countOf(folder: string): number {
  try {
    return readdirSync(folder).length;
  } catch {
    return 0;
  }
}
