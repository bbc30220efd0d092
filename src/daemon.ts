/**
 * The process behind one mount. It wires the parts together, answers the control socket, heeds signals, and commits a
 * writable mount when it is unmounted, whoever does that. One process a mount; `varve mount` starts it and waits.
 */
import { randomUUID } from "node:crypto";
import { pathToFileURL } from "node:url";
import { type ControlRequest, type ControlServer, type Report, serveControl } from "./daemon/control.js";
import { type MountState, removeMountState, socketPathOf, writeMountState } from "./daemon/mount-state.js";
import { thisProcess } from "./daemon/process.js";
import {
  type OverlayCommit,
  type OverlayCommitOptions,
  checkLabel,
  commitOverlay,
  isUntouched,
} from "./dataset/commit-overlay.js";
import { findVersion } from "./dataset/history.js";
import type { MountInfo, MountOptions } from "./dataset/mounting.js";
import { diffOverlay } from "./dataset/overlay-diff.js";
import {
  type OverlayState,
  claimOverlay,
  createOverlay,
  findOverlay,
  overlayDirectory,
  releaseOverlay,
  removeOverlay,
  updateOverlay,
} from "./dataset/overlays.js";
import { rootBlockOf } from "./dataset/version-tree.js";
import { Workspace } from "./dataset/workspace.js";
import { DatasetError, messageOf } from "./errors.js";
import { type Failure, failureOf } from "./fs/messages.js";
import { type EndOfMount, type ServedMount, serveKernel } from "./fs/serve.js";
import { serveThroughFuseNative } from "./fs/serve-fuse-native.js";
import type { Home } from "./home.js";
import { type Log, openLog } from "./log.js";

export interface DaemonConfig {
  home: Home;
  logFile: string;
  mountpoint: string;
  versionId: string;
  dataset: string;
  version: string;
  options: MountOptions;
}

export type DaemonReply = { ready: MountInfo } | { failure: Failure };

/** What became of a mount. */
export interface MountOutcome {
  committed: OverlayCommit | undefined;
  /** Why changes were left in the overlay. */
  failure?: unknown;
}

/** How long SIGTERM waits for those who use the mount. Containers are given 10 s before they are killed. */
const CLOSE_WAIT_MS = 8_000;

/** One mount, from the folder being taken to its changes being committed. */
export class MountProcess {
  private served!: ServedMount;
  private overlay: OverlayState | undefined;
  private state!: MountState;
  private control!: ControlServer;
  private commitOptions: OverlayCommitOptions = {};
  private discarding = false;
  private phase: "mounted" | "detached" | "committing" = "mounted";
  private commits: Promise<unknown> = Promise.resolve();
  private terminations = 0;
  /** Somebody still used the mount after SIGTERM when it was cut off, but nobody had a file open for writing. */
  private cutOffWhole = false;
  private outcome!: Promise<MountOutcome>;

  private constructor(
    private readonly config: DaemonConfig,
    private readonly workspace: Workspace,
    private readonly log: Log,
  ) {}

  /** Mounts, and resolves once the folder can be used. @throws {DatasetError} whatever kept it from that */
  static async start(config: DaemonConfig): Promise<MountProcess> {
    const log = openLog(config.logFile);
    const workspace = new Workspace({ home: config.home, notice: (message) => log.warn(message) });
    const mount = new MountProcess(config, workspace, log);
    await mount.begin();
    return mount;
  }

  get info(): MountInfo {
    const { mountpoint, id, dataset, version, writable } = this.state;
    return { mountpoint, id, dataset, version, writable };
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
    this.note({ state: "detached" });
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

  private note(changes: Partial<OverlayState>): void {
    if (this.overlay) this.overlay = updateOverlay(this.config.home, this.overlay.id, changes);
  }

  private async begin(): Promise<void> {
    const { home, mountpoint, versionId, dataset, version, options } = this.config;
    const { transport = "kernel" } = options;
    const found = await findVersion(this.workspace, versionId);
    if (options.overlay !== undefined)
      this.overlay = claimOverlay(home, findOverlay(home, options.overlay), { mountpoint, state: "mounted" });
    else if (options.writable)
      this.overlay = createOverlay(home, { base: versionId, dataset, version, mountpoint, transport });
    try {
      const cache = await this.workspace.cache();
      const serve = transport === "fuse-native" ? serveThroughFuseNative : serveKernel;
      this.served = await serve({
        mountpoint,
        name: `${dataset}@${version}`,
        root: rootBlockOf(found.version),
        cache,
        cacheDirectory: home.cacheDir,
        log: this.log,
        allowOther: options.allowOther,
        deadlineMs: options.deadlineMs,
        // A writable mount shows what will be committed, owners included.
        preserveOwner: this.overlay !== undefined || options.preserveOwner === true,
        overlayDirectory: this.overlay && overlayDirectory(home, this.overlay.id),
      });
    } catch (error) {
      if (this.overlay && options.overlay === undefined) removeOverlay(home, this.overlay.id);
      throw error;
    }
    this.state = this.stateOf(versionId);
    this.control = await serveControl(this.state.socket, (request, report) => this.handle(request, report));
    writeMountState(home, this.state);
    this.outcome = this.served.ended
      .then((end) => this.finish(end))
      .finally(() => {
        removeMountState(home, this.state);
      });
    this.log.info("mounted", { mountpoint, version: `${dataset}@${version}`, writable: this.state.writable });
  }

  private stateOf(id: string): MountState {
    const { home, mountpoint, dataset, version, options } = this.config;
    return {
      format: 1,
      mountpoint,
      ...thisProcess(),
      id,
      dataset,
      version,
      writable: this.overlay !== undefined,
      ...(this.overlay && { overlay: this.overlay.id }),
      transport: options.transport ?? "kernel",
      socket: socketPathOf(home, mountpoint),
      startedAtMs: Date.now(),
    };
  }

  private async handle({ operation, arguments: given }: ControlRequest, report: Report): Promise<unknown> {
    switch (operation) {
      case "status":
        return { ...this.state, phase: this.phase };
      case "diff":
        await this.served.sync();
        return diffOverlay(this.workspace, this.requireOverlay("compare"));
      case "commit":
        return { committed: (await this.commitLive(given, report)) ?? null };
      case "discard":
        this.requireOverlay("discard the changes of");
        return this.unmount({ discard: true }, report);
      case "unmount":
        return this.unmount({ ...given, discard: given["discard"] === true }, report);
    }
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
    if (this.overlay && options.version !== undefined && !force && !discard)
      await checkLabel(this.workspace, this.overlay, options.version);
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
  private async commitLive(
    options: OverlayCommitOptions,
    report: Report,
  ): Promise<OverlayCommit | undefined> {
    this.requireOverlay();
    const work = this.commits.then(async () => {
      await this.served.sync();
      const id = randomUUID();
      const atOneMoment = <T>(open: () => Promise<T>) =>
        this.served.still(async () => {
          await this.served.call("beginSnapshot", id);
          return open();
        });
      try {
        const given = { ...options, snapshot: { id, atOneMoment }, onProgress: report };
        const committed = await commitOverlay(this.workspace, this.requireOverlay(), given);
        if (committed) this.note({ parent: committed.id });
        return committed;
      } finally {
        await this.served.call("endSnapshot", id);
      }
    });
    this.commits = work.catch(() => undefined);
    return work;
  }

  private async finish(end: EndOfMount): Promise<MountOutcome> {
    this.log.info("unmounted", { ...end });
    await this.commits;
    if (!this.overlay) return { committed: undefined };
    try {
      const isWhole = !end.aborted || (this.cutOffWhole && end.unflushedHandles === 0);
      if (this.discarding || (await isUntouched(this.workspace, this.overlay)))
        removeOverlay(this.config.home, this.overlay.id);
      else if (isWhole && !end.failure) return { committed: await this.commitAtEnd(this.overlay) };
      else throw cutOff(this.overlay, end);
      return { committed: undefined };
    } catch (error) {
      return this.leave(this.overlay, error);
    }
  }

  private async commitAtEnd({ id }: OverlayState): Promise<OverlayCommit | undefined> {
    this.phase = "committing";
    this.note({ state: "committing", asked: askedOf(this.commitOptions) });
    const committed = await commitOverlay(this.workspace, this.requireOverlay(), this.commitOptions);
    this.log.info("committed", { version: committed?.version ?? null });
    removeOverlay(this.config.home, id);
    return committed;
  }

  private leave({ id }: OverlayState, failure: unknown): MountOutcome {
    const reason = messageOf(failure);
    this.log.error("left uncommitted", { overlay: id, reason });
    try {
      releaseOverlay(this.config.home, id, { state: "uncommitted", reason });
    } catch (error) {
      this.log.error("cannot write down why", { overlay: id, problem: messageOf(error) });
    }
    return { committed: undefined, failure };
  }

  /** The failure of a mount whose changes were left in its overlay. */
  uncommitted(failure: unknown): DatasetError<"uncommitted"> {
    const overlay = this.overlay!.id;
    const message = `Unmounted "${this.config.mountpoint}" but left its changes uncommitted: ${messageOf(failure)}; varve recover ${overlay} goes on with them`;
    return new DatasetError("uncommitted", { overlay }, message);
  }

  private requireOverlay(attempt = "commit"): OverlayState {
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
    await this.control.close();
    await this.workspace.close();
  }
}

/** What a later commit of the same changes should know of what this one was asked for. */
function askedOf({ message, version, tags, publish }: OverlayCommitOptions): OverlayState["asked"] {
  return { message, version, tags: tags && [...tags], publish };
}

function cutOff(overlay: OverlayState, end: EndOfMount): DatasetError<"uncommitted"> {
  const count = end.unflushedHandles;
  const files = count === 1 ? "1 file was" : `${count} files were`;
  const message = end.failure
    ? `serving it broke: ${end.failure.message}`
    : `the mount was cut off${count > 0 ? ` while ${files} open for writing` : ""}`;
  return new DatasetError("uncommitted", { overlay: overlay.id }, message);
}

/** The detached process: its configuration comes, and its readiness goes, over the channel to its parent. */
async function main(): Promise<void> {
  const config = await new Promise<DaemonConfig>((resolve) => process.once("message", resolve));
  const tell = (reply: DaemonReply) =>
    new Promise<void>((resolve) => process.send?.(reply, undefined, undefined, () => resolve()));
  try {
    const mount = await MountProcess.start(config);
    for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const)
      process.on(signal, () => void mount.terminate());
    await tell({ ready: mount.info });
    process.disconnect();
    const { failure } = await mount.ended;
    await mount.close();
    process.exit(failure === undefined ? 0 : 1);
  } catch (error) {
    await tell({ failure: failureOf(error) });
    process.exit(1);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await main();
