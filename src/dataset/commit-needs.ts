/** What a version that is about to be completed needs and nobody else may hold yet. */
import type { RemoteId } from "../content/chunk.js";
import { packKey } from "../content/chunk.js";
import { EntryType } from "../manifest/entry.js";
import type { Recording } from "../remote/recording.js";
import type { ObjectKey } from "../remote/remote.js";
import { attachmentsIn } from "./collect/attachments-of.js";
import type { Needs } from "./collect/commit-point.js";
import { Needed } from "./collect/needed.js";
import { attachmentKey } from "./attachments.js";
import type { Draft } from "./draft.js";
import { refresh } from "./history.js";
import { type VersionRecord, readRecordUnlessDeleted, recordKey } from "./record.js";
import type { DatasetId } from "./reference.js";
import type { Workspace } from "./workspace.js";

/**
 * The objects it has put, the packs its staged files lie in, its attachments; and where a version it is laid over was deleted
 * or repacked meanwhile, all that its tree names.
 *
 * @param put The remote that its manifest was written through.
 */
export async function needsOf(
  workspace: Workspace,
  draft: Draft,
  record: VersionRecord,
  put: Pick<Recording, "calls">,
): Promise<Needs> {
  const needs = new Map<RemoteId, Set<ObjectKey>>();
  const note = (remote: RemoteId, key: ObjectKey) => {
    const keys = needs.get(remote) ?? new Set();
    needs.set(remote, keys.add(key));
  };
  for (const call of put.calls) if (call.startsWith("put ")) note(draft.remote.id, call.slice("put ".length));
  for (const edit of draft.tree.staging.edits())
    if (edit.type === EntryType.file) for (const { remote, pack } of edit.chunks) note(remote, packKey(pack));
  for await (const { remote, sha256, brotli } of attachmentsIn(await workspace.cache(), record))
    note(remote, attachmentKey(brotli?.sha256 ?? sha256));
  if (await isBaseGone(workspace, draft)) await noteTree(workspace, record, note);
  return needs;
}

/**
 * Whether nothing else may hold what the draft took over: a version that it started from was deleted, or repacked since, so
 * that its root names other places.
 */
async function isBaseGone(workspace: Workspace, draft: Draft): Promise<boolean> {
  const { parents, squash, tree, dataset } = draft;
  await refresh(workspace, dataset);
  const catalog = await workspace.catalog();
  const base = tree.staging.fact("base") as string | undefined;
  const others = [...(squash?.layers ?? []), ...(base === undefined ? [] : [base])];
  for (const { version } of parents)
    if ((await catalog.versionById(version.id))?.rootHash !== version.rootHash) return true;
  for (const id of [...parents.map(({ version }) => version.id), ...others])
    if (!(await isAsRecorded(workspace, id))) return true;
  return false;
}

async function isAsRecorded(workspace: Workspace, id: string): Promise<boolean> {
  const version = await (await workspace.catalog()).versionById(id);
  if (!version) return false;
  const remote = await workspace.remote(version.remoteId as RemoteId);
  const key = recordKey(version.datasetId as DatasetId, version.label);
  const record = await readRecordUnlessDeleted(remote, key);
  return record?.id === id && record.root.hash === version.rootHash;
}

async function noteTree(
  workspace: Workspace,
  { root, remotes }: VersionRecord,
  note: (remote: RemoteId, key: ObjectKey) => void,
): Promise<void> {
  for (const { id } of remotes) {
    const needed = new Needed(workspace, id);
    await needed.addRoot({ remote: remotes[0]!.id, ...root });
    for (const key of needed.keys) note(id, key);
  }
}
