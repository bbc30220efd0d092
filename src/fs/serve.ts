/**
 * The main thread's side of a mount through the kernel: makes it, feeds the worker that serves it, takes it away. What
 * a mount is for, its lease, its control socket and its commit are the daemon's.
 */
import { closeSync } from "node:fs";

import type { Block } from "../cache/block.js";
import type { Cache } from "../cache/cache.js";
import { messageOf } from "../errors.js";
import { type Log, silentLog } from "../log.js";
import type { ExpectedTree } from "../manifest/outline.js";
import type { NamedVersion } from "./explain/version-facts.js";
import type { WaitingRequest, WorkerData, WorkerFigures } from "./messages.js";
import { type EndOfThread, MountThread } from "./mount-thread.js";
import type { OperationCounts } from "./operation-counts.js";
import type { Answerer } from "./questions.js";
import { syncMount, whileOpen } from "./sync-mount.js";
import { type Guardian, startGuardian } from "./transport/kernel/guardian.js";
import { type KernelMount, mountKernel } from "./transport/kernel/mount.js";
import { isRoot } from "./transport/kernel/mount-options.js";
import { isOnTop } from "./transport/kernel/mounts.js";
import { type UnmountOptions, unmountKernel } from "./transport/kernel/unmount.js";

export interface ServeOptions {
  /** An empty folder. */
  mountpoint: string;
  /** What lists of mounts show: `vision/cifar10@1.2.0`. */
  name: string;
  /** The version to be served, with the block that holds its root and what that must be. Undefined: every version of the catalog. */
  shown: { version: NamedVersion; root: Block; expected?: ExpectedTree | undefined } | undefined;
  /** Which of its entries are shown, one bit an ordinal. Default: all. Of a mount that is only read. */
  subset?: Uint8Array | undefined;
  /** Tells what only the catalog knows. */
  answer: Answerer;
  /** Fetches what the worker misses; the caller closes it after the mount has ended. */
  cache: Cache;
  /** The folder of that cache, which the worker reads by itself. */
  cacheDirectory: string;
  /** Memory of the worker for blocks. Default: as `openLocalBlocks`. */
  memoryBytes?: number | undefined;
  /** Makes the mount writable: changes go to the overlay in this folder. */
  overlayDirectory?: string | undefined;
  /** Let other users in, but not to external files of this machine. Default false: the mounting user alone, even where that is root. */
  allowOther?: boolean | undefined;
  /** Whom entries belong to whose own owners are not shown. Default: the mounting user. */
  uid?: number | undefined;
  gid?: number | undefined;
  /** Nothing in it can be run as a program. Default false. */
  noexec?: boolean | undefined;
  /** Show the owners that entries keep, not the mounting user. Default false. */
  preserveOwner?: boolean | undefined;
  /** Let the kernel read large cached files by itself, where it can: as root, on a mount that is only read. Default true. */
  passthrough?: boolean | undefined;
  /** After this a reader that waits for a remote gets EIO, in milliseconds. Default 60,000. */
  deadlineMs?: number | undefined;
  /** A thread started before, so that it loads while what is to be served is looked for. Default: a new one. */
  thread?: MountThread | undefined;
  /** Default: nothing is logged. */
  log?: Log | undefined;
  /** Told of each request that waited in vain until its deadline. Default: it is logged. */
  onLate?: ((request: WaitingRequest) => void) | undefined;
}

/** How a mount ended. */
export interface EndOfMount {
  /** Cut off rather than unmounted: what programs wrote may not all have arrived. */
  aborted: boolean;
  /** Handles that may have held bytes which never arrived. */
  unflushedHandles: number;
  /** Why serving broke, where it did. */
  failure?: Error | undefined;
}

/** A live mount. */
export interface ServedMount {
  /** Absolute and without links. */
  readonly mountpoint: string;
  /** Resolves once the mount is gone, however that came, and its worker has let go of everything. */
  readonly ended: Promise<EndOfMount>;
  /**
   * Takes the mount away; resolves when the folder is free. Twice is the same as once. With `lazy`, `ended` resolves
   * when the last file in it is closed.
   * @throws {DatasetError} `mount-busy`
   */
  unmount(options?: UnmountOptions): Promise<void>;
  /** Writes back what the kernel still holds, `syncfs(2)`. What is written meanwhile may stay. */
  sync(): Promise<void>;
  /**
   * Runs a method of the overlay in the worker, between two requests of the kernel, fetching what it needs:
   * `beginSnapshot`, `endSnapshot`, `openForWriting`, `failedWrites`, `fact`, `setFact`.
   * @throws {DatasetError} `unsupported` on a mount that is only read
   */
  call(name: string, ...values: readonly unknown[]): Promise<unknown>;
  /** What the kernel has asked for; undefined where nobody counts it. What the kernel keeps or reads by itself is not asked for. */
  readonly counts: OperationCounts | undefined;
  /** What the thread that serves it knows of itself, look-ups of blocks among it. */
  figures(): Promise<WorkerFigures>;
  /**
   * Runs `during` at one moment of the mount: every call of a program that had returned before has arrived in full, and
   * whatever is called later waits. Only what a program writes to a shared mapping may come later than it was written.
   * What runs must be short, and must not touch the mount itself: it would wait for its own end.
   */
  still<T>(during: () => T | Promise<T>): Promise<T>;
}

export const DEFAULT_DEADLINE_MS = 60_000;

/**
 * Mounts a version, or every one, through the kernel and serves it until it is unmounted. `process.exit` hangs while it is served:
 * unmount first.
 *
 * @throws {DatasetError} `mountpoint-unfit`, `mount-refused`; `format-damaged` when the version cannot be opened; what the cache throws
 */
export async function serveKernel(options: ServeOptions): Promise<ServedMount> {
  const { mountpoint, name, cache, allowOther, noexec, overlayDirectory, log = silentLog } = options;
  const { thread = new MountThread(log) } = options;
  thread.onLate = options.onLate;
  try {
    thread.open(await dataOf(options), cache, options.answer);
    await thread.ready;
    const mount = await mountKernel(mountpoint, {
      source: name,
      writable: overlayDirectory !== undefined,
      allowOther,
      noexec,
    });
    return new KernelServedMount(thread, mount, log);
  } catch (error) {
    thread.send({ type: "stop" });
    throw error;
  }
}

class KernelServedMount implements ServedMount {
  readonly mountpoint: string;
  readonly ended: Promise<EndOfMount>;
  readonly #guardian: Guardian;
  #isForced = false;
  #stillness: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly thread: MountThread,
    private readonly mount: KernelMount,
    private readonly log: Log,
  ) {
    this.mountpoint = mount.record.path;
    this.#guardian = startGuardian(mount.record);
    this.ended = thread.ended.then((end) => this.#clear(end));
    thread.send({ type: "serve", device: mount.device });
  }

  async unmount(options: UnmountOptions = {}): Promise<void> {
    this.#isForced ||= options.force ?? false;
    // By itself the worker lets go only when the kernel does, which an ordinary user may be unable to bring about.
    if (options.force) this.thread.send({ type: "stop" });
    await unmountKernel(this.mount.record, options);
  }

  sync(): Promise<void> {
    return syncMount(this.mountpoint);
  }

  call(name: string, ...values: readonly unknown[]): Promise<unknown> {
    return this.thread.call(name, values);
  }

  get counts(): OperationCounts {
    return this.thread.counts;
  }

  figures(): Promise<WorkerFigures> {
    return this.thread.figures();
  }

  still<T>(during: () => T | Promise<T>): Promise<T> {
    const result = this.#stillness.then(() => this.#pauseFor(during));
    this.#stillness = result.catch(() => undefined);
    return result;
  }

  /**
   * First what there is to write back, which may take long; then what came meanwhile, while programs wait; and once more
   * for a write that was on its way when they were stopped.
   */
  #pauseFor<T>(during: () => T | Promise<T>): Promise<T> {
    return whileOpen(this.mountpoint, async (sync) => {
      await sync();
      try {
        await this.thread.hold();
        await sync();
        await sync();
        await this.thread.pause();
        return await during();
      } finally {
        this.thread.resume();
      }
    });
  }

  /** Closing the connection fails what still waits; a mount that nobody serves any more is taken from its folder. */
  async #clear({ aborted, ...end }: EndOfThread): Promise<EndOfMount> {
    closeSync(this.mount.device);
    const left = isOnTop(this.mount.record);
    if (left)
      await unmountKernel(this.mount.record, { lazy: true }).catch((error: unknown) => this.#stays(error));
    if (!isOnTop(this.mount.record)) this.#guardian.dismiss(); // Else it tries once more when this process ends.
    return { ...end, aborted: aborted || left || this.#isForced || end.unflushedHandles > 0 };
  }

  #stays(error: unknown): void {
    this.log.error("dead mount stays", { mountpoint: this.mountpoint, problem: messageOf(error) });
  }
}

/** Fetches a version's root, so that one that cannot be had is not mounted. */
export async function fetchShown({ shown, cache }: ServeOptions): Promise<WorkerData["shown"]> {
  return shown && { ...shown, root: await cache.read(shown.root) };
}

async function dataOf(options: ServeOptions): Promise<WorkerData> {
  const { subset, cacheDirectory, memoryBytes, overlayDirectory } = options;
  const shown = await fetchShown(options);
  const { preserveOwner = false, deadlineMs = DEFAULT_DEADLINE_MS } = options;
  const canPass = shown !== undefined && overlayDirectory === undefined && isRoot();
  const passthrough = canPass && (options.passthrough ?? true);
  const { uid = process.getuid?.() ?? 0, gid = process.getgid?.() ?? 0 } = options;
  const isShared = options.allowOther;
  const given = { shown, subset, cacheDirectory, memoryBytes, overlayDirectory };
  return { ...given, deadlineMs, passthrough, uid, gid, preserveOwner, isShared };
}
