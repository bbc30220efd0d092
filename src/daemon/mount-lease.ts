/**
 * What a mount's version needs stays in its remote while it is mounted, even when somebody deletes the version: by a lease,
 * which is put beside the data, renewed, and taken away at the end. Failing at any of it never fails the mount.
 */
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { RemoteId } from "../content/chunk.js";
import { DRAFT_HOLD_MS, MOUNT_HOLD_MS, endLease, putLease } from "../dataset/collect/leases.js";
import { storedRootOf } from "../dataset/collect/stored-root.js";
import type { FoundVersion } from "../dataset/history.js";
import type { Workspace } from "../dataset/workspace.js";
import { messageOf } from "../errors.js";
import type { Log } from "../log.js";

/** A mount that only looks something up, as most do, writes nothing beside the data. */
const FIRST_AFTER_MS = 60_000;
/** A remote out of reach does not keep a mount from ending. */
const END_PATIENCE_MS = 2_000;
const RENEWALS_IN_A_HOLD = 4;

export interface MountLeaseOptions {
  found: FoundVersion;
  mountpoint: string;
  /** Id of the overlay of a writable mount: its lease begins at once, and outlives the process where the overlay does. */
  overlay: string | undefined;
}

export class MountLease {
  readonly #id: string;
  readonly #holdMs: number;
  #timer: NodeJS.Timeout;
  #isPut = false;
  #work: Promise<void> = Promise.resolve();

  constructor(
    private readonly workspace: Workspace,
    private readonly options: MountLeaseOptions,
    private readonly log: Log,
  ) {
    const { overlay } = options;
    this.#id = overlay ?? randomBytes(16).toString("hex");
    this.#holdMs = overlay === undefined ? MOUNT_HOLD_MS : DRAFT_HOLD_MS;
    this.#timer = this.#after(overlay === undefined ? FIRST_AFTER_MS : 0);
  }

  /** @param isDone Whether nothing is left that needs it: no overlay. */
  async end(isDone: boolean): Promise<void> {
    clearTimeout(this.#timer);
    const ending = this.#work.then(() => (isDone && this.#isPut ? this.#take() : undefined));
    await Promise.race([ending, sleep(END_PATIENCE_MS, undefined, { ref: false })]);
  }

  #after(ms: number): NodeJS.Timeout {
    return setTimeout(() => {
      this.#work = this.#renew();
      this.#timer = this.#after(this.#holdMs / RENEWALS_IN_A_HOLD);
    }, ms).unref();
  }

  async #renew(): Promise<void> {
    const { found, mountpoint } = this.options;
    const terms = {
      id: this.#id,
      what: `mount ${mountpoint}`,
      user: this.workspace.user,
      holdMs: this.#holdMs,
    };
    try {
      await putLease(await this.#remote(), { ...terms, roots: storedRootOf(found.version) });
      this.#isPut = true;
    } catch (error) {
      this.log.warn("cannot write a lease", { problem: messageOf(error) });
    }
  }

  async #take(): Promise<void> {
    try {
      await endLease(await this.#remote(), this.#id);
    } catch (error) {
      this.log.warn("cannot end the lease", { problem: messageOf(error) });
    }
  }

  #remote() {
    return this.workspace.remote(this.options.found.version.remoteId as RemoteId);
  }
}
