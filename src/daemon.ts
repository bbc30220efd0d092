/**
 * The process behind one mount. It wires the parts together, answers the control socket, heeds signals, and commits a
 * writable mount when it is unmounted, whoever does that. One process a mount; `varve mount` starts it and waits.
 */
import { pathToFileURL } from "node:url";
import type { Holder } from "./cache/holders.js";
import type { RemoteId } from "./content/chunk.js";
import { answererOf } from "./daemon/answers.js";
import { holdCache } from "./daemon/cache-hold.js";
import {
  type CacheHits,
  type DaemonConfig,
  type DaemonReply,
  type MountInfo,
  type ShownVersion,
  nameOfShown,
} from "./daemon/config.js";
import { type ControlRequest, type ControlServer, type Report, serveControl } from "./daemon/control.js";
import {
  MOUNT_FORMAT,
  type MountState,
  removeMountState,
  socketPathOf,
  writeMountState,
} from "./daemon/mount-state.js";
import { type MountOutcome, MountedOverlay } from "./daemon/mounted-overlay.js";
import { clearAfter, watchUsers } from "./daemon/idle-end.js";
import { MountLease } from "./daemon/mount-lease.js";
import { removeOldLogs } from "./daemon/old-logs.js";
import { thisProcess } from "./daemon/process.js";
import { type Reported, Reporting } from "./daemon/reporting.js";
import type { OverlayCommit, OverlayCommitOptions } from "./dataset/commit-overlay.js";
import { isSelective, selectOrdinals } from "./dataset/file-metadata/select.js";
import { type FoundVersion, nameOfVersion } from "./dataset/history.js";
import {
  type OverlayState,
  claimOverlay,
  createOverlay,
  findOverlay,
  overlayDirectory,
  removeOverlay,
} from "./dataset/overlays.js";
import { type MissingRemote, missingRemotes } from "./dataset/missing-remotes.js";
import { textOfDataset } from "./dataset/reference.js";
import { type Located, locateVersion, takeIn } from "./dataset/remote-reference.js";
import { tellOfHeads } from "./dataset/heads.js";
import { selectionSource } from "./dataset/subset.js";
import { expectedTree, rootBlockOf } from "./dataset/version-tree.js";
import { Workspace } from "./dataset/workspace.js";
import { DatasetError, messageOf } from "./errors.js";
import { failureOf } from "./failure.js";
import { type EndOfMount, type ServeOptions, type ServedMount, serveKernel } from "./fs/serve.js";
import { serveThroughFuseNative } from "./fs/serve-fuse-native.js";
import { collectLessOften } from "./garbage.js";
import { MountThread } from "./fs/mount-thread.js";
import { type Log, openLog } from "./log.js";
import { programs } from "./programs.js";
import { MiB } from "./units.js";

/** How long SIGTERM waits for those who use the mount. Containers are given 10 s before they are killed. */
const CLOSE_WAIT_MS = 8_000;

/** The worker keeps what it reads itself; the main thread only fetches for it, and commits. */
const FETCH_MEMORY_BYTES = 32 * MiB;

/** What there is before it is known what is mounted. */
interface Means {
  log: Log;
  reporting: Reporting;
  thread: MountThread | undefined;
  tell: (message: string) => void;
}

/** One mount, from the folder being taken to its changes being committed. */
export class MountProcess {
  private served!: ServedMount;
  private overlay: MountedOverlay | undefined;
  private state!: MountState;
  private control!: ControlServer;
  private holder: Holder | undefined;
  private lease: MountLease | undefined;
  private commitOptions: OverlayCommitOptions = {};
  private discarding = false;
  private phase: "mounted" | "detached" = "mounted";
  private terminations = 0;
  /** Somebody still used the mount after SIGTERM when it was cut off, but nobody had a file open for writing. */
  private cutOffWhole = false;
  private outcome!: Promise<MountOutcome>;
  private missing: readonly MissingRemote[] = [];
  private unmerged: readonly string[] = [];

  private constructor(
    private readonly config: DaemonConfig,
    private readonly workspace: Workspace,
    private readonly log: Log,
    private readonly located: Located | undefined,
    private readonly thread: MountThread | undefined,
    private readonly reporting: Reporting,
  ) {}

  /**
   * Mounts, and resolves once the folder can be used.
   *
   * @param notice Told until then what a person should know; the log is told always.
   * @throws {DatasetError} whatever kept it from that
   */
  static async start(config: DaemonConfig, notice: (message: string) => void): Promise<MountProcess> {
    const log = openLog(config.logFile, { level: config.options.logLevel });
    const reporting = new Reporting(log, config.options);
    const thread = config.options.transport === "fuse-native" ? undefined : new MountThread(log);
    let isMounted = false;
    const tell = (message: string) => {
      log.warn(message);
      if (!isMounted) notice(message);
    };
    try {
      const mount = await MountProcess.startWith(config, { log, reporting, thread, tell });
      isMounted = true;
      return mount;
    } catch (error) {
      thread?.send({ type: "stop" });
      reporting.close();
      throw error;
    }
  }

  private static async startWith(
    config: DaemonConfig,
    { log, reporting, thread, tell }: Means,
  ): Promise<MountProcess> {
    const { onCacheFault } = reporting;
    if (thread) thread.onCacheFault = onCacheFault;
    const workspace = new Workspace({
      home: config.home,
      notice: tell,
      onCacheFault,
      offline: config.options.offline,
      cacheMemoryBytes: config.options.transport === "fuse-native" ? undefined : FETCH_MEMORY_BYTES,
      readDeadlineMs: config.options.deadlineMs,
      outlastsOutages: true,
    });
    const located = await locate(workspace, config);
    const shown = located && shownVersionOf(located.found);
    const mount = new MountProcess({ ...config, shown }, workspace, log, located, thread, reporting);
    await mount.begin();
    return mount;
  }

  get info(): MountInfo {
    const { mountpoint, id, dataset, version, writable } = this.state;
    return { mountpoint, id, dataset, version, writable, missing: this.missing, unmerged: this.unmerged };
  }

  /** Resolves when the mount is gone and its changes are committed or left for `recover`. */
  get ended(): Promise<MountOutcome> {
    return this.outcome;
  }

  /**
   * SIGTERM: unmounts; a mount in use is detached, and committed once its files are closed. A second one leaves the
   * changes for `recover`.
   */
  async terminate(): Promise<void> {
    const isFirst = ++this.terminations === 1;
    try {
      if (isFirst) await this.served.unmount({}).catch(() => this.detach());
      else await this.served.unmount({ force: true });
    } catch (error) {
      this.log.error("cannot unmount", { problem: messageOf(error) });
    }
  }

  private async detach(): Promise<void> {
    await this.served.unmount({ lazy: true });
    this.phase = "detached";
    this.overlay?.note({ state: "detached" });
    setTimeout(() => void this.cutOff(), CLOSE_WAIT_MS).unref();
  }

  private async cutOff(): Promise<void> {
    try {
      const writers = this.overlay ? await this.served.call("openForWriting") : [];
      this.cutOffWhole = (writers as readonly unknown[]).length === 0;
      await this.served.unmount({ force: true });
    } catch (error) {
      this.log.error("cannot cut off", { problem: messageOf(error) });
    }
  }

  private async begin(): Promise<void> {
    const { home, mountpoint, options } = this.config;
    // Before it is mounted: who asked for them in a place that is taken should not go without.
    await this.reporting.serveMetrics(options.metrics);
    [this.missing, this.unmerged] = await Promise.all([this.findMissing(), this.findHeads(), this.serve()]);
    this.holder = holdCache(this.workspace, this.config, this.located?.found, this.log);
    this.lease = this.beginLease();
    this.state = this.stateNow();
    this.control = await serveControl(this.state.socket, (request, report) => this.handle(request, report));
    writeMountState(home, this.state);
    this.outcome = this.served.ended
      .then((end) => this.finish(end))
      .finally(() => {
        removeMountState(home, this.state);
      });
    this.reporting.begin(() => this.reported());
    this.endIdle();
    setImmediate(() => this.removeOldLogs());
    const { writable, transport } = this.state;
    const facts = { mountpoint, version: nameOfShown(this.state), writable, transport };
    this.log.info("mounted", { ...facts, node: process.version });
  }

  private async reported(): Promise<Reported> {
    const { served, overlay, workspace, config } = this;
    const directory = overlay && overlayDirectory(config.home, overlay.id);
    return { served, cache: await workspace.cache(), overlayDirectory: directory };
  }

  /** Where a remote lies, for messages. */
  private urlOf(remote: RemoteId): Promise<string | undefined> {
    const { workspace } = this.located ?? { workspace: this.workspace };
    return workspace.knownUrl(remote);
  }

  private removeOldLogs(): void {
    try {
      removeOldLogs(this.config.home);
    } catch (error) {
      this.log.warn("old logs stay", { problem: messageOf(error) });
    }
  }

  /** Offline nobody is told of it. */
  private beginLease(): MountLease | undefined {
    const { located, config, overlay } = this;
    if (!located || config.options.offline) return undefined;
    const { mountpoint } = config;
    return new MountLease(
      located.workspace,
      { found: located.found, mountpoint, overlay: overlay?.id },
      this.log,
    );
  }

  /** A mount that was made for others ends without them. */
  private endIdle(): void {
    const { endsWithout } = this.config.options;
    if (!endsWithout) return;
    const stop = watchUsers(endsWithout, () => this.served.unmount({}));
    void this.served.ended.finally(stop);
  }

  private async findMissing(): Promise<MissingRemote[]> {
    return this.located ? missingRemotes(this.located.workspace, this.located.found) : [];
  }

  private async findHeads(): Promise<readonly string[]> {
    const { sought } = this.config;
    if (sought === undefined || !this.located) return [];
    return tellOfHeads(this.located.workspace, sought, this.located.found.dataset);
  }

  private async serve(): Promise<void> {
    const { home, mountpoint, options } = this.config;
    const { located } = this;
    const version = located && (await shownOf(located));
    const overlay = overlayOf(this.config);
    try {
      const serve = options.transport === "fuse-native" ? serveThroughFuseNative : serveKernel;
      this.served = await serve({
        mountpoint,
        name: options.source ?? version?.version.reference ?? "varve",
        shown: version,
        subset: await this.subset(),
        answer: located?.found.remote
          ? answererOf(located.workspace, located.found)
          : answererOf(this.workspace),
        cache: await this.workspace.cache(),
        cacheDirectory: home.cacheDir,
        thread: this.thread,
        log: this.log,
        allowOther: options.allowOther,
        uid: options.uid,
        gid: options.gid,
        noexec: options.noexec,
        deadlineMs: options.deadlineMs,
        passthrough: options.passthrough,
        onLate: (request) => void this.reporting.gaveUp(request, (id) => this.urlOf(id)),
        // A writable mount shows what will be committed, owners included.
        preserveOwner: overlay !== undefined || options.preserveOwner === true,
        overlayDirectory: overlay && overlayDirectory(home, overlay.id),
      });
    } catch (error) {
      if (overlay && options.overlay === undefined) removeOverlay(home, overlay.id);
      throw error;
    }
    this.overlay = overlay && new MountedOverlay(this.workspace, overlay, this.log, this.reporting.watchdog);
  }

  /** Which entries are shown, where not all are. */
  private async subset(): Promise<Uint8Array | undefined> {
    const { located, config } = this;
    if (!located || !isSelective(config.options)) return undefined;
    const source = await selectionSource(located.workspace, located.found);
    const { bits, files } = await selectOrdinals(source, config.options);
    this.log.info("selected", { files });
    return bits;
  }

  private stateNow(): MountState {
    const { home, mountpoint, shown, options } = this.config;
    return {
      format: MOUNT_FORMAT,
      mountpoint,
      ...thisProcess(),
      ...(shown ?? { id: null, dataset: null, version: null }),
      writable: this.overlay !== undefined,
      ...(this.overlay && { overlay: this.overlay.id }),
      transport: options.transport ?? "kernel",
      socket: socketPathOf(home, mountpoint),
      startedAtMs: Date.now(),
      logFile: this.config.logFile,
      metrics: this.reporting.metricsUrl,
    };
  }

  private async handle({ operation, arguments: given }: ControlRequest, report: Report): Promise<unknown> {
    switch (operation) {
      case "status":
        return {
          ...this.state,
          phase: this.overlay?.phase ?? this.phase,
          committed: this.overlay?.committed,
          ...(given["cache"] === true && { cache: await this.cacheHits() }),
          stuck: this.reporting.watchdog.stuck,
        };
      case "figures":
        return this.reporting.figures();
      case "metrics":
        return { text: await this.reporting.metricsText() };
      case "diff":
        await this.served.sync();
        return this.requireOverlay("compare").diff();
      case "commit":
        return { committed: (await this.commitLive({ ...given, onProgress: report })) ?? null };
      case "discard":
        this.requireOverlay("discard the changes of");
        return this.unmount({ discard: true }, report);
      case "unmount":
        return this.unmount({ ...given, discard: given["discard"] === true }, report);
    }
  }

  private async cacheHits(): Promise<CacheHits> {
    const { misses, fetched } = (await this.workspace.cache()).stats();
    const { memory, disk } = (await this.served.figures()).hits;
    return { hits: memory + disk, misses, fetchedBytes: fetched.bytes, requests: fetched.requests };
  }

  /**
   * Takes the folder away, then waits for the commit.
   *
   * @throws {DatasetError} `mount-busy`, `bad-input`, `conflict`: the mount stays; `uncommitted`: the overlay stays
   */
  private async unmount(
    { force, discard, ...options }: OverlayCommitOptions & { force?: boolean; discard?: boolean },
    report: Report,
  ): Promise<{ committed: OverlayCommit | null }> {
    if (options.version !== undefined && !force && !discard) await this.overlay?.checkLabel(options.version);
    this.commitOptions = { ...options, onProgress: report };
    this.discarding = discard ?? false;
    try {
      await this.served.unmount({ force: force ?? false });
    } catch (error) {
      this.commitOptions = {};
      this.discarding = false;
      throw error;
    }
    const { committed, failure } = await this.outcome;
    if (failure !== undefined) throw this.uncommitted(failure);
    return { committed: committed ?? null };
  }

  /** Commits what there is now and goes on serving; the next commit is a child of this one. */
  private commitLive(options: OverlayCommitOptions): Promise<OverlayCommit | undefined> {
    return this.requireOverlay().commitLive(this.served, options);
  }

  private async finish(end: EndOfMount): Promise<MountOutcome> {
    this.log.info("unmounted", { ...end });
    const { cutOffWhole, discarding: discard, commitOptions: commit } = this;
    return (await this.overlay?.finish({ end, cutOffWhole, discard, commit })) ?? { committed: undefined };
  }

  /** The failure of a mount whose changes were left in its overlay. */
  uncommitted(failure: unknown): DatasetError<"uncommitted"> {
    return this.requireOverlay().uncommitted(failure);
  }

  private requireOverlay(attempt = "commit"): MountedOverlay {
    if (this.overlay) return this.overlay;
    const { mountpoint } = this.config;
    throw new DatasetError(
      "read-only",
      { path: mountpoint },
      `Cannot ${attempt} "${mountpoint}": it is mounted to be read`,
    );
  }

  /** Lets those who asked have their answers, then lets go of everything. */
  async close(): Promise<void> {
    const { failure } = await this.outcome;
    await Promise.all([this.control.close(), this.lease?.end(failure === undefined)]);
    this.reporting.close();
    this.holder?.release();
    const { mountpoint, options } = this.config;
    if (options.endsWithout) clearAfter(options.endsWithout, mountpoint);
    await this.workspace.close();
  }
}

/** A version that is sought to be written over must be in the catalog: its child will name it. */
async function locate(
  workspace: Workspace,
  { shown, sought, options }: DaemonConfig,
): Promise<Located | undefined> {
  if (sought !== undefined && options.writable) return { workspace, found: await takeIn(workspace, sought) };
  const reference = sought ?? shown?.id;
  return reference === undefined ? undefined : locateVersion(workspace, reference);
}

function shownVersionOf({ dataset, version }: FoundVersion): ShownVersion {
  return { id: version.id, dataset: textOfDataset(dataset), version: version.label };
}

/** @throws {DatasetError} `untrusted` where it must be signed and is not */
async function shownOf({ workspace, found }: Located): Promise<NonNullable<ServeOptions["shown"]>> {
  return {
    version: { id: found.version.id, reference: nameOfVersion(found) },
    root: rootBlockOf(found.version),
    expected: await expectedTree(workspace, found.version),
  };
}

/** The overlay of a writable mount: one to go on with, or a new one. */
function overlayOf({ home, mountpoint, shown, options }: DaemonConfig): OverlayState | undefined {
  const { transport = "kernel" } = options;
  if (options.overlay !== undefined)
    return claimOverlay(home, findOverlay(home, options.overlay), { mountpoint, state: "mounted" });
  if (!options.writable || !shown) return undefined;
  const { id: base, dataset, version } = shown;
  return createOverlay(home, { base, dataset, version, mountpoint, transport });
}

/** The detached process: its configuration comes, and its readiness goes, over the channel to its parent. */
async function main(): Promise<void> {
  collectLessOften();
  const leave = () => process.exit();
  process.once("disconnect", leave);
  const config = await new Promise<DaemonConfig>((resolve) => process.once("message", resolve));
  process.off("disconnect", leave);
  const tell = (reply: DaemonReply) =>
    new Promise<void>((resolve) => process.send?.(reply, undefined, undefined, () => resolve()));
  try {
    const notice = (message: string) => void tell({ notice: message });
    const mount = await MountProcess.start(config, notice);
    for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const)
      process.on(signal, () => void mount.terminate());
    await tell({ ready: mount.info });
    // Who wanted the mount was killed before it was told of it.
    if (process.connected) process.disconnect();
    else void mount.terminate();
    const { failure } = await mount.ended;
    await mount.close();
    process.exit(failure === undefined ? 0 : 1);
  } catch (error) {
    await tell({ failure: failureOf(error) });
    process.exit(1);
  }
}

if (pathToFileURL(process.argv[1] ?? "").href === programs.daemon.href) await main();
