/** What an overlay changed, without uploading or hashing anything: `varve diff DIR`. */
import { Codec, type Sha256 } from "../content/chunk.js";
import { sha256 } from "../content/hash.js";
import type { TreeDiff } from "../manifest/diff.js";
import { type Edit, EntryType, type FileEntry } from "../manifest/entry.js";
import type { RemoteId } from "../content/chunk.js";
import { snapshotOf } from "./commit-overlay.js";
import { DraftTree } from "./draft-tree.js";
import { findVersion } from "./history.js";
import { stageOverlay } from "./overlay-changes.js";
import { type OverlayState, leftOutBy } from "./overlays.js";
import { Staging } from "./staging.js";
import { diffOf } from "./version-diff.js";
import { editInMemory, loadedTree, openVersionTree } from "./version-tree.js";
import type { Workspace } from "./workspace.js";

/** Compares the overlay's tree with the version it lies over. A file written to counts as modified, whatever was written. */
export async function diffOverlay(workspace: Workspace, overlay: OverlayState): Promise<TreeDiff> {
  const cache = await workspace.cache();
  const { version } = await findVersion(workspace, overlay.base);
  const base = await openVersionTree(cache, version);
  const snapshot = await snapshotOf(workspace, overlay, base);
  const staging = Staging.open(":memory:");
  try {
    await stageOverlay(new DraftTree(staging, base, cache), base, snapshot, cache, leftOutBy(overlay));
    const remote = version.remoteId as RemoteId;
    const edits = withPlaceholders(staging.edits(), remote);
    const after = await editInMemory(loadedTree(cache, base), edits, remote);
    return await diffOf(base, after.tree, after.load);
  } finally {
    staging.close();
    snapshot.close();
  }
}

/** Content nobody has hashed yet gets a hash that no content has, so that it equals nothing. */
function* withPlaceholders(edits: Iterable<Edit>, remote: RemoteId): Iterable<Edit> {
  for (const edit of edits) {
    const pending = edit.type === EntryType.file && edit.sha256 === ("" as Sha256);
    yield pending ? placeholder(edit, remote) : edit;
  }
}

function placeholder(entry: FileEntry, remote: RemoteId): FileEntry {
  const { sizeBytes } = entry;
  const hash = sha256(Buffer.from(`not hashed yet: ${entry.path}`));
  const chunk = { hash, sizeBytes, remote, pack: hash, offset: 0, storedBytes: sizeBytes, codec: Codec.raw };
  return { ...entry, sha256: hash, chunks: sizeBytes > 0 ? [chunk] : [], holes: undefined };
}
