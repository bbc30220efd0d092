/** The overlay of a writable mount while its process lives: its commits, and what is left of it for `recover`. */
import { randomUUID } from "node:crypto";

import {
  type OverlayCommit,
  type OverlayCommitOptions,
  checkLabel,
  commitOverlay,
  isUntouched,
} from "../dataset/commit-overlay.js";
import { diffOverlay } from "../dataset/overlay-diff.js";
import { type OverlayState, releaseOverlay, removeOverlay, updateOverlay } from "../dataset/overlays.js";
import type { Workspace } from "../dataset/workspace.js";
import { DatasetError, messageOf } from "../errors.js";
import type { EndOfMount, ServedMount } from "../fs/serve.js";
import type { Log } from "../log.js";
import type { TreeDiff } from "../manifest/diff.js";
import type { Watchdog } from "./watchdog.js";

/** What became of a mount. */
export interface MountOutcome {
  committed: OverlayCommit | undefined;
  /** Why changes were left in the overlay. */
  failure?: unknown;
}

/** How a mount ended, and what its owner wants of the changes. */
export interface EndOfChanges {
  end: EndOfMount;
  /** Cut off after SIGTERM while somebody still used it, but nobody had a file open for writing. */
  cutOffWhole: boolean;
  /** Throw the changes away. */
  discard: boolean;
  commit: OverlayCommitOptions;
}

export class MountedOverlay {
  #commits: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly workspace: Workspace,
    private state: OverlayState,
    private readonly log: Log,
    private readonly watchdog: Watchdog,
  ) {}

  get id(): string {
    return this.state.id;
  }

  get phase(): OverlayState["state"] {
    return this.state.state;
  }

  /** Label of the last live commit. */
  get committed(): string | undefined {
    return this.state.committed;
  }

  /** Writes down what has become of it, for whoever finds it later. */
  note(changes: Partial<OverlayState>): void {
    this.state = updateOverlay(this.workspace.home, this.id, changes);
  }

  diff(): Promise<TreeDiff> {
    return diffOverlay(this.workspace, this.state);
  }

  /** Refuses a label the commit cannot have. @throws {DatasetError} `bad-input`, `conflict` */
  checkLabel(label: string): Promise<void> {
    return checkLabel(this.workspace, this.state, label);
  }

  /** Commits what there is now, after what is under way; the next commit is a child of this one. */
  commitLive(served: ServedMount, options: OverlayCommitOptions): Promise<OverlayCommit | undefined> {
    const work = this.#commits.then(() => this.#commitSnapshot(served, options));
    this.#commits = work.catch(() => undefined);
    return work;
  }

  /** Commits, removes or leaves the changes of a mount that is gone, once live commits are through. Fails never. */
  async finish({ end, cutOffWhole, discard, commit }: EndOfChanges): Promise<MountOutcome> {
    await this.#commits;
    try {
      const isWhole = !end.aborted || (cutOffWhole && end.unflushedHandles === 0);
      if (discard || (await isUntouched(this.workspace, this.state))) this.#remove();
      else if (isWhole && !end.failure) return { committed: await this.#commitAtEnd(commit) };
      else throw cutOff(this.id, end);
      return { committed: undefined };
    } catch (error) {
      return this.#leave(error);
    }
  }

  /** The failure of a mount whose changes were left here. */
  uncommitted(failure: unknown): DatasetError<"uncommitted"> {
    const overlay = this.id;
    const message = `Unmounted "${this.state.mountpoint}" but left its changes uncommitted: ${messageOf(failure)}; varve recover ${overlay} goes on with them`;
    return new DatasetError("uncommitted", { overlay }, message);
  }

  async #commitSnapshot(
    served: ServedMount,
    options: OverlayCommitOptions,
  ): Promise<OverlayCommit | undefined> {
    const id = randomUUID();
    const atOneMoment = <T>(open: () => Promise<T>) =>
      served.still(async () => {
        await served.call("beginSnapshot", id);
        return open();
      });
    try {
      const committed = await this.#commit({ ...options, snapshot: { id, atOneMoment } });
      if (committed) this.note({ parent: committed.id, committed: committed.version });
      return committed;
    } finally {
      await served.call("endSnapshot", id);
    }
  }

  async #commitAtEnd(options: OverlayCommitOptions): Promise<OverlayCommit | undefined> {
    this.note({ state: "committing", asked: askedOf(options) });
    const committed = await this.#commit(options);
    this.#remove();
    return committed;
  }

  /** Commits, with every step in the log and watched. */
  async #commit(options: OverlayCommitOptions): Promise<OverlayCommit | undefined> {
    const work = this.watchdog.watch("commit");
    let step = "beginning";
    const onStep = (next: string) => {
      step = next;
      work.at(`commit: ${next}`);
      this.log.info("commit", { step });
    };
    const onProgress: OverlayCommitOptions["onProgress"] = (progress) => {
      work.at(`commit: ${step}`);
      options.onProgress?.(progress);
    };
    try {
      const committed = await commitOverlay(this.workspace, this.state, { ...options, onStep, onProgress });
      const { version = null, bytesSent = 0 } = committed ?? {};
      this.log.info("committed", { version, bytesSent });
      return committed;
    } finally {
      work.end();
    }
  }

  #remove(): void {
    removeOverlay(this.workspace.home, this.id);
  }

  #leave(failure: unknown): MountOutcome {
    const reason = messageOf(failure);
    this.log.error("left uncommitted", { overlay: this.id, reason });
    try {
      releaseOverlay(this.workspace.home, this.id, { state: "uncommitted", reason });
    } catch (error) {
      this.log.error("cannot write down why", { overlay: this.id, problem: messageOf(error) });
    }
    return { committed: undefined, failure };
  }
}

/** What a later commit of the same changes should know of what this one was asked for. */
function askedOf({ message, version, tags, publish }: OverlayCommitOptions): OverlayState["asked"] {
  return { message, version, tags: tags && [...tags], publish };
}

function cutOff(overlay: string, end: EndOfMount): DatasetError<"uncommitted"> {
  const count = end.unflushedHandles;
  const files = count === 1 ? "1 file was" : `${count} files were`;
  const message = end.failure
    ? `serving it broke: ${end.failure.message}`
    : `the mount was cut off${count > 0 ? ` while ${files} open for writing` : ""}`;
  return new DatasetError("uncommitted", { overlay }, message);
}
