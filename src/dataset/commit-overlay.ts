/** Commits the changes of an overlay as a child of its version: on unmount, from a live mount, and on recovery. */
import { DatasetError } from "../errors.js";
import { type OverlaySnapshot, openSnapshot } from "../fs/overlay/snapshot.js";
import type { Tree } from "../manifest/tree.js";
import { type TreePath, jsonOf } from "../paths.js";
import { type CommitResult, completeCommit, prepareCommit } from "./commit.js";
import { type Draft, createDraft, discardDraft } from "./draft.js";
import { type FoundVersion, findVersion, nameOfVersion } from "./history.js";
import { stageOverlay } from "./overlay-changes.js";
import { type OverlayState, overlayDirectory, writeOverlay } from "./overlays.js";
import { parseDatasetName } from "./reference.js";
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
  /** Id of the snapshot begun in a live mount: what is written later is left to the next commit. */
  snapshot?: string | undefined;
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
  const base = await findVersion(workspace, overlay.base);
  const tree = await openVersionTree(await workspace.cache(), base.version);
  const snapshot = await snapshotOf(workspace, overlay, tree, options.snapshot);
  try {
    refuseFailedWrites(overlay, snapshot);
    if (snapshot.isEmpty) return undefined;
    return await commitSnapshot(workspace, overlay, { base, tree, snapshot }, options);
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
  const parent = await findVersion(workspace, overlay.parent);
  const draft = await createDraft(workspace, parseDatasetName(overlay.dataset), {
    version: options.version,
    parents: [parent.version.id],
    tags: options.tags,
    description: options.message,
    base: overlay.base,
  });
  try {
    const skipped = await stageOverlay(draft.tree, from.tree, from.snapshot, await workspace.cache());
    if (options.strict && skipped.length > 0) throw cannotKeep(skipped);
    writeOverlay(workspace.home, { ...overlay, commit: draft.version.id });
    const openOverlaid = (ino: number) => from.snapshot.openContent(ino);
    const prepared = await prepareCommit(workspace, draft, { ...options, openOverlaid });
    if (prepared.written.edited.treeDigest === parent.version.treeDigest) { await nothing(workspace, draft); return; }
    const result = await completeCommit(workspace, draft, prepared, options);
    return {
      ...result,
      parent: nameOfVersion(parent),
      skipped: skipped.map(jsonOf),
      open: from.snapshot.openFiles().map(jsonOf),
    };
  } catch (error) {
    await discardDraft(workspace, draft);
    throw error;
  }
}

async function nothing(workspace: Workspace, draft: Draft): Promise<undefined> {
  await discardDraft(workspace, draft);
  return undefined;
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
  return new DatasetError("unsupported", { what }, `Cannot commit with --strict: a version cannot hold ${what}`);
}
