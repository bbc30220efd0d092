/** What an overlay changed, without uploading anything: `varve diff DIR`. */
import { EMPTY_SHA256, type RemoteId, type Sha256 } from "../content/chunk.js";
import { sha256 } from "../content/hash.js";
import type { TreeDiff } from "../manifest/diff.js";
import { type Edit, EntryType } from "../manifest/entry.js";
import { snapshotOf } from "./commit-overlay.js";
import { DraftTree } from "./draft-tree.js";
import { findVersion } from "./history.js";
import { stageOverlay } from "./overlay-changes.js";
import { recognizeContent, unstored } from "./overlay-content.js";
import { type OverlayState, leftOutBy } from "./overlays.js";
import { Staging } from "./staging.js";
import { diffOf } from "./version-diff.js";
import { editInMemory, loadedTree, openVersionTree } from "./version-tree.js";
import type { Workspace } from "./workspace.js";

/**
 * What a commit would add to the version it is a child of: the one mounted, or the last live commit. Against the first
 * a file written to counts as modified, whatever was written; against the second it is compared by content.
 */
export async function diffOverlay(workspace: Workspace, overlay: OverlayState): Promise<TreeDiff> {
  const cache = await workspace.cache();
  const { version: mounted } = await findVersion(workspace, overlay.base);
  const { version: parent } = await findVersion(workspace, overlay.parent);
  const base = await openVersionTree(workspace, mounted);
  const before = parent.id === mounted.id ? base : await openVersionTree(workspace, parent);
  const remote = mounted.remoteId as RemoteId;
  const snapshot = await snapshotOf(workspace, overlay, base);
  const staging = Staging.open(":memory:");
  try {
    await stageOverlay(new DraftTree(staging, base, cache), base, snapshot, cache, leftOutBy(overlay));
    if (before !== base) {
      const last = { tree: before, remote, createdAtMs: parent.createdAtMs };
      await recognizeContent(staging, (ino) => snapshot.openContent(ino), last, cache);
    }
    const edits = withPlaceholders(staging.edits(), remote);
    const after = await editInMemory(loadedTree(cache, base), edits, remote);
    return await diffOf(before, after.tree, after.load);
  } finally {
    staging.close();
    snapshot.close();
  }
}

/** Content nobody has hashed yet gets a hash that no content has, so that it equals nothing; that of nothing is known. */
function* withPlaceholders(edits: Iterable<Edit>, remote: RemoteId): Iterable<Edit> {
  for (const edit of edits) {
    const isPending = edit.type === EntryType.file && edit.sha256 === ("" as Sha256);
    if (!isPending) yield edit;
    else {
      const isEmpty = edit.sizeBytes === 0;
      const hash = isEmpty ? EMPTY_SHA256 : sha256(Buffer.from(`not hashed yet: ${edit.path}`));
      yield { ...edit, ...unstored(hash, edit.sizeBytes, remote), holes: undefined };
    }
  }
}
