/** Commits the changes of an overlay as a child of its version: on unmount, from a live mount, and on recovery. */
import { DatasetError, messageOf } from "../errors.js";
import { type OverlaySnapshot, openSnapshot } from "../fs/overlay/snapshot.js";
import type { RemoteId } from "../content/chunk.js";
import type { Tree } from "../manifest/tree.js";
import { type TreePath, jsonOf } from "../paths.js";
import { anewWhenCollected } from "./collect/commit-point.js";
import { type CommitResult, completeCommit, prepareCommit } from "./commit.js";
import { parseLabel } from "../catalog/label.js";
import { requireIdentity } from "../remote/identity.js";
import { createDraft, discardDraft } from "./draft.js";
import { type FoundVersion, findVersion, nameOfVersion, refresh } from "./history.js";
import { stageOverlay } from "./overlay-changes.js";
import { type OverlayState, leftOutBy, overlayDirectory, updateOverlay } from "./overlays.js";
import { newVersionId } from "./reference.js";
import type { UploadOptions } from "./upload.js";
import { openVersionTree } from "./version-tree.js";
import type { Workspace } from "./workspace.js";

export interface OverlayCommitOptions extends UploadOptions {
  message?: string | undefined;
  /** Label of the child. Default: the next free one. */
  version?: string | undefined;
  tags?: readonly string[] | undefined;
  publish?: boolean | undefined;
  /** Fails when something cannot be kept in a version (fifos, sockets, devices). */
  strict?: boolean | undefined;
  /** A live mount's snapshot: what is written later is left to the next commit. */
  snapshot?: LiveSnapshot | undefined;
  /** Told of each step as it begins. */
  onStep?: ((step: string) => void) | undefined;
}

export interface LiveSnapshot {
  /** Under which the mount keeps the bytes that are overwritten meanwhile. */
  id: string;
  /** Runs the opening of the snapshot at a moment when nothing in the mount changes. */
  atOneMoment: <T>(open: () => Promise<T>) => Promise<T>;
}

export interface OverlayCommit extends CommitResult {
  /** `project/name@label`. */
  parent: string;
  /** Paths left out: what a version cannot hold. */
  skipped: (string | { bytes: string })[];
  /** Files that were open for writing, committed as they stood. */
  open: (string | { bytes: string })[];
}

/**
 * Commits an overlay. Gives undefined when it changes nothing.
 *
 * @throws {DatasetError} `uncommitted` when a write of the mount has failed, so that a file is short; the overlay stays
 */
export async function commitOverlay(
  workspace: Workspace,
  overlay: OverlayState,
  options: OverlayCommitOptions = {},
): Promise<OverlayCommit | undefined> {
  options.onStep?.("looking for the version that was mounted");
  const base = await findVersion(workspace, overlay.base);
  const tree = await openVersionTree(workspace, base.version);
  options.onStep?.("reading the overlay");
  const open = () => snapshotOf(workspace, overlay, tree, options.snapshot?.id);
  const snapshot = await (options.snapshot ? options.snapshot.atOneMoment(open) : open());
  try {
    refuseFailedWrites(overlay, snapshot);
    if (snapshot.isEmpty) return undefined;
    const from = { base, tree, snapshot };
    return await anewWhenCollected(() => commitSnapshot(workspace, overlay, from, options));
  } finally {
    snapshot.close();
  }
}

/**
 * Refuses a label that a commit cannot have, while there is still time to ask for another.
 *
 * @throws {DatasetError} `bad-input`; `conflict` when it is taken, here or in a remote
 */
export async function checkLabel(workspace: Workspace, overlay: OverlayState, label: string): Promise<void> {
  parseLabel(label);
  const { dataset } = await findVersion(workspace, overlay.base);
  await refresh(workspace, dataset);
  if (!(await (await workspace.catalog()).versionByLabel(dataset.id, label))) return;
  const name = `${overlay.dataset}@${label}`;
  const message = `Cannot commit as "${name}": that version exists already; choose another --version`;
  throw new DatasetError("conflict", { what: name }, message);
}

/** Whether an overlay was never changed, so that nothing is lost with it. */
export async function isUntouched(workspace: Workspace, overlay: OverlayState): Promise<boolean> {
  const base = await findVersion(workspace, overlay.base);
  const tree = await openVersionTree(workspace, base.version);
  const snapshot = await snapshotOf(workspace, overlay, tree);
  try {
    return snapshot.isEmpty;
  } finally {
    snapshot.close();
  }
}

/** The overlay as it stands now, read without disturbing a mount that serves it. */
export async function snapshotOf(
  workspace: Workspace,
  overlay: OverlayState,
  tree: Tree,
  snapshot?: string,
): Promise<OverlaySnapshot> {
  const cache = await workspace.cache();
  return openSnapshot(overlayDirectory(workspace.home, overlay.id), { tree, cache }, { snapshot });
}

async function commitSnapshot(
  workspace: Workspace,
  overlay: OverlayState,
  from: { base: FoundVersion; tree: Tree; snapshot: OverlaySnapshot },
  options: OverlayCommitOptions,
): Promise<OverlayCommit | undefined> {
  options.onStep?.("making a draft");
  const parent = await findVersion(workspace, overlay.parent);
  const remoteId = parent.version.remoteId as RemoteId;
  await requireIdentity(await workspace.remote(remoteId), remoteId); // It may have been away since it was mounted.
  const id = newVersionId();
  // Before there is anything of it: whoever finds a commit that was cut off can tell how far it came.
  updateOverlay(workspace.home, overlay.id, { commit: id });
  const draft = await createDraft(workspace, parent.dataset, {
    id,
    version: options.version,
    parents: [parent.version.id],
    tags: options.tags,
    description: options.message,
    base: overlay.base,
    transient: true,
  });
  try {
    options.onStep?.("comparing with the version that was mounted");
    const skipped = await stageOverlay(
      draft.tree,
      from.tree,
      from.snapshot,
      await workspace.cache(),
      leftOutBy(overlay),
    );
    if (options.strict && skipped.length > 0) throw cannotKeep(skipped);
    const openOverlaid = (ino: number) => from.snapshot.openContent(ino);
    options.onStep?.("sending content and manifest");
    const prepared = await prepareCommit(workspace, draft, { ...options, openOverlaid });
    if (prepared.written.edited.treeDigest === parent.version.treeDigest) {
      await discardDraft(workspace, draft);
      return undefined;
    }
    options.onStep?.("creating the record");
    const result = await completeCommit(workspace, draft, prepared, options);
    return {
      ...result,
      parent: nameOfVersion(parent),
      skipped: skipped.map(jsonOf),
      open: from.snapshot.openFiles().map(jsonOf),
    };
  } catch (error) {
    await discardDraft(workspace, draft).catch((left: unknown) => {
      workspace.notice(`Cannot discard the draft ${draft.version.label}: ${messageOf(left)}`);
    });
    throw error;
  }
}

/** Nothing is committed that a failed write left short (design: a buffered write that fails later is silent). */
function refuseFailedWrites(overlay: OverlayState, snapshot: OverlaySnapshot): void {
  const failed = snapshot.failedWrites().map((path) => JSON.stringify(jsonOf(path)));
  if (failed.length === 0) return;
  const message =
    `Cannot commit the overlay "${overlay.id}": writing failed and left short ${failed.join(", ")}; ` +
    `varve recover ${overlay.id} --mount DIR lets you write them again or delete them`;
  throw new DatasetError("uncommitted", { overlay: overlay.id }, message);
}

function cannotKeep(paths: readonly TreePath[]): DatasetError<"unsupported"> {
  const what = paths.map((path) => JSON.stringify(jsonOf(path))).join(", ");
  return new DatasetError(
    "unsupported",
    { what },
    `Cannot commit with --strict: a version cannot hold ${what}`,
  );
}
