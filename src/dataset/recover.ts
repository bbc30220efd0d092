/** What a mount left uncommitted: listed, committed, mounted again, exported to a folder, or thrown away. */
import { lstatSync, mkdirSync, readdirSync } from "node:fs";
import { resolve } from "node:path";
import { compareLabels } from "../catalog/label.js";
import type { RemoteId } from "../content/chunk.js";
import type { MountInfo, MountOptions } from "../daemon/config.js";
import { readMountState } from "../daemon/mount-state.js";
import { isAlive } from "../daemon/process.js";
import { DatasetError, isDatasetError, messageOf } from "../errors.js";
import { findMount } from "../fs/transport/kernel/mounts.js";
import type { Home } from "../home.js";
import {
  type OverlayCommit,
  type OverlayCommitOptions,
  commitOverlay,
  snapshotOf,
} from "./commit-overlay.js";
import { endDraftLease } from "./draft-lease.js";
import { exportOverlay } from "./export-overlay.js";
import { forgetDraft } from "./draft-file.js";
import { type FoundVersion, findVersion, isFinished, refresh } from "./history.js";
import { mountVersion } from "./mounting.js";
import { type OverlayState, claimOverlay, listOverlays, releaseOverlay, removeOverlay } from "./overlays.js";
import { textOfDataset } from "./reference.js";
import { openVersionTree } from "./version-tree.js";
import type { Workspace } from "./workspace.js";

export interface Recoverable {
  /** Id of the overlay. */
  id: string;
  dataset: string;
  /** Label of the version that was mounted. */
  version: string;
  mountpoint: string;
  /** How many paths the overlay touches; null when the version below it cannot be read now. */
  changes: number | null;
  state: OverlayState["state"];
  reason: string | undefined;
  /** The process that still has it: a mount taken away while files in it are open. */
  pid: number | null;
}

/** Overlays without a mount: their process died, their commit failed, or their folder was taken away under open files. */
export async function recoverable(workspace: Workspace): Promise<Recoverable[]> {
  const { home } = workspace;
  const left = listOverlays(home).filter((overlay) => !isAlive(overlay) || isDetached(home, overlay));
  return Promise.all(left.map((overlay) => describe(workspace, overlay)));
}

/** Whether a mount that is still served is no longer at its folder: it ends when the last file in it is closed. */
function isDetached(home: Home, overlay: OverlayState): boolean {
  if (overlay.state === "committing") return false;
  return (
    findMount(overlay.mountpoint) === undefined ||
    readMountState(home, overlay.mountpoint)?.pid !== overlay.pid
  );
}

/**
 * Commits an overlay, as its unmount asked for and `options` say otherwise; it is gone afterwards. Gives undefined when
 * it changed nothing.
 *
 * @throws {DatasetError} `uncommitted` with what kept it from that; `conflict` while another process has it
 */
export async function recoverCommit(
  workspace: Workspace,
  overlay: OverlayState,
  options: OverlayCommitOptions = {},
): Promise<OverlayCommit | undefined> {
  const { home } = workspace;
  const claimed = claimOverlay(home, overlay, { state: "committing" });
  try {
    const earlier = await cutOffCommit(workspace, claimed);
    const parent = earlier ? earlier.version.id : claimed.parent;
    const wanted = withoutTaken({ ...claimed.asked, ...given(options) }, earlier);
    const committed = await commitOverlay(workspace, { ...claimed, parent }, wanted);
    removeOverlay(home, overlay.id);
    await endOverlayLease(workspace, overlay);
    return committed ?? (earlier && commitOf(earlier, claimed));
  } catch (error) {
    releaseOverlay(home, overlay.id, { state: "uncommitted", reason: messageOf(error) });
    throw stillUncommitted(overlay, error);
  }
}

/** One that cannot be ended runs out by itself. */
async function endOverlayLease(workspace: Workspace, { id, base }: OverlayState): Promise<void> {
  const version = await (await workspace.catalog()).versionById(base);
  if (version) await endDraftLease(workspace, id, [version.remoteId as RemoteId]);
}

/** Options that say something; `undefined` says nothing. */
function given(options: OverlayCommitOptions): OverlayCommitOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

/** The label that was asked for is not asked for again when the commit that was cut off has it. */
function withoutTaken(
  options: OverlayCommitOptions,
  earlier: FoundVersion | undefined,
): OverlayCommitOptions {
  const { version } = options;
  const isTaken = version !== undefined && earlier && compareLabels(version, earlier.version.label) === 0;
  return isTaken ? { ...options, version: undefined } : options;
}

function stillUncommitted(overlay: OverlayState, cause: unknown): DatasetError<"uncommitted"> {
  if (isDatasetError(cause, "uncommitted")) return cause;
  const message = `Cannot commit the overlay "${overlay.id}", which stays as it is: ${messageOf(cause)}`;
  return new DatasetError("uncommitted", { overlay: overlay.id }, message, { cause });
}

/** Mounts an overlay again where its changes can be looked at and continued. */
export async function recoverMount(
  workspace: Workspace,
  overlay: OverlayState,
  mountpoint: string,
  options: MountOptions = {},
): Promise<MountInfo> {
  const base = await findVersion(workspace, overlay.base);
  return mountVersion(workspace, base, mountpoint, { ...options, writable: true, overlay: overlay.id });
}

/** Writes the files an overlay changed or added into an empty folder. Gives how many. */
export async function recoverExport(
  workspace: Workspace,
  overlay: OverlayState,
  folder: string,
): Promise<number> {
  const target = resolve(folder);
  mkdirSync(target, { recursive: true });
  if (!lstatSync(target).isDirectory() || readdirSync(target).length > 0) {
    const message = `Cannot export to "${folder}": it is not an empty folder`;
    throw new DatasetError("bad-input", { value: folder }, message);
  }
  const base = await findVersion(workspace, overlay.base);
  const tree = await openVersionTree(workspace, base.version);
  const snapshot = await snapshotOf(workspace, overlay, tree);
  try {
    return await exportOverlay(snapshot, tree, await workspace.cache(), target);
  } finally {
    snapshot.close();
  }
}

export function recoverDiscard(workspace: Workspace, overlay: OverlayState): void {
  claimOverlay(workspace.home, overlay, { state: "uncommitted" });
  removeOverlay(workspace.home, overlay.id);
}

/** What the overlay's last commit became: a version, when it was cut off after its record; else its draft is dropped. */
async function cutOffCommit(workspace: Workspace, overlay: OverlayState): Promise<FoundVersion | undefined> {
  const { dataset } = await findVersion(workspace, overlay.base);
  await refresh(workspace, dataset);
  const version = overlay.commit && (await (await workspace.catalog()).versionById(overlay.commit));
  if (!version) return undefined;
  if (isFinished(version)) return { dataset, version };
  await forgetDraft(workspace, version.id);
  return undefined;
}

/** A commit that had happened before anybody could be told of it. */
function commitOf({ dataset, version }: FoundVersion, overlay: OverlayState): OverlayCommit {
  const {
    id,
    label,
    treeDigest,
    contentDigest,
    files,
    bytes,
    added,
    modified,
    metadataChanged,
    removed,
    renamed,
  } = version;
  return {
    id,
    dataset: textOfDataset(dataset),
    version: label,
    digest: treeDigest ?? "",
    contentDigest: contentDigest ?? "",
    files: files ?? 0,
    bytes: bytes ?? 0,
    added: added ?? 0,
    modified: modified ?? 0,
    metadata: metadataChanged ?? 0,
    removed: removed ?? 0,
    renamed: renamed ?? 0,
    bytesSent: 0,
    contentBytesSent: 0,
    parent: `${overlay.dataset}@${overlay.version}`,
    skipped: [],
    open: [],
  };
}

async function describe(workspace: Workspace, overlay: OverlayState): Promise<Recoverable> {
  const { id, dataset, version, mountpoint, state, reason, pid } = overlay;
  const changes = await countChanges(workspace, overlay).catch(() => null);
  return { id, dataset, version, mountpoint, changes, state, reason, pid: isAlive(overlay) ? pid : null };
}

async function countChanges(workspace: Workspace, overlay: OverlayState): Promise<number> {
  const base = await findVersion(workspace, overlay.base);
  const tree = await openVersionTree(workspace, base.version);
  const snapshot = await snapshotOf(workspace, overlay, tree);
  try {
    let changes = 0;
    const each = snapshot.changes()[Symbol.asyncIterator]();
    while (!(await each.next()).done) changes++;
    return changes;
  } finally {
    snapshot.close();
  }
}
