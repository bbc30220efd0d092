/**
 * A dataset of its own, mounted to be written by a process of its own: committed while it lives, unmounted and mounted
 * again, killed and recovered. Asked over its socket as the command line asks, without starting that each time.
 */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { askMount } from "../../src/daemon/client.js";
import { readMountState } from "../../src/daemon/mount-state.js";
import { isAlive } from "../../src/daemon/process.js";
import { Dataset } from "../../src/dataset/dataset.js";
import { abandonedOverlays } from "../../src/dataset/overlays.js";
import { recoverMount } from "../../src/dataset/recover.js";
import { Workspace } from "../../src/dataset/workspace.js";
import { homeOf } from "../../src/home.js";
import { detachBelow, mountsBelow } from "../support/mounts.js";
import { killQuietly } from "../support/processes.js";
import { layOut } from "./first-tree.js";
import { type TreeState, treeOfVersion } from "./tree.js";

const DATASET = "lab/model";
const END_WAIT_MS = 60_000;

/** A user with one dataset, whose first version all mounts begin with. */
export class ModelHome {
  readonly workspace: Workspace;
  /** The label of that version. */
  first = "";

  private constructor(folder: string) {
    const home = homeOf({ VARVE_HOME: join(folder, "home") });
    this.workspace = new Workspace({ home, notice: () => undefined });
  }

  /** @param folder An empty one. */
  static async begin(folder: string): Promise<ModelHome> {
    const home = new ModelHome(folder);
    const source = join(folder, "source");
    layOut(source);
    const dataset = await Dataset.create(DATASET, { workspace: home.workspace });
    await dataset.syncFolder(source);
    await dataset.upload();
    home.first = (await dataset.finalize()).version;
    return home;
  }

  close(): Promise<void> {
    return this.workspace.close();
  }
}

export class WritableMount {
  readonly #workspace: Workspace;
  /** The version that was made last. */
  #label: string;

  /** @param path Where it is to show: an empty folder. */
  constructor(
    { workspace, first }: ModelHome,
    readonly path: string,
  ) {
    this.#workspace = workspace;
    this.#label = first;
  }

  async begin(): Promise<void> {
    await (await this.#dataset()).mount(this.path, { writable: true });
  }

  /** Commits what there is, and goes on. */
  async commit(): Promise<void> {
    this.#note(await this.#ask("commit"));
  }

  /** Commits by unmounting, and mounts the child. */
  async remount(): Promise<void> {
    await this.unmount();
    await this.begin();
  }

  async unmount(): Promise<void> {
    const { pid } = this.#state();
    this.#note(await this.#ask("unmount"));
    await this.#gone(pid);
  }

  /** Kills the process, and mounts what it left. */
  async crash(): Promise<void> {
    const { pid } = this.#state();
    process.kill(pid, "SIGKILL");
    await this.#gone(pid);
    const left = abandonedOverlays(this.#workspace.home).find(({ mountpoint }) => mountpoint === this.path);
    if (!left) throw new Error(`nothing is left of the mount at ${this.path}`);
    await recoverMount(this.#workspace, left, this.path);
  }

  /** What the last version holds. */
  async lastVersion(): Promise<TreeState> {
    return treeOfVersion(await this.#dataset());
  }

  /** Ends it as it is. */
  close(): void {
    const state = readMountState(this.#workspace.home, this.path);
    if (state) killQuietly(state.pid);
    detachBelow(this.path);
  }

  #dataset(): Promise<Dataset> {
    return Dataset.get(`${DATASET}@${this.#label}`, { workspace: this.#workspace });
  }

  #ask(operation: "commit" | "unmount"): Promise<unknown> {
    return askMount(this.#workspace.home, this.path, { operation, arguments: {} });
  }

  #note(answer: unknown): void {
    const { committed } = answer as { committed: { version: string } | null };
    this.#label = committed?.version ?? this.#label;
  }

  #state() {
    const state = readMountState(this.#workspace.home, this.path);
    if (!state) throw new Error(`nothing is mounted at ${this.path}`);
    return state;
  }

  async #gone(pid: number): Promise<void> {
    const deadline = performance.now() + END_WAIT_MS;
    while (isRunning(pid) || mountsBelow(this.path).length > 0) {
      if (performance.now() > deadline) throw new Error(`process ${pid} or its mount does not go away`);
      await sleep(5);
    }
  }
}

function isRunning(pid: number): boolean {
  return isAlive({ pid, startTicks: 0 });
}
