/**
 * A draft becomes a version. Durable steps come in the order of trust: packs (`upload.ts`), then ranges, index
 * segments and the root (`write-manifest.ts`), then the version record, created conditionally under its label: the commit point. A crash
 * before it leaves objects nobody names; after it, whoever looks next rolls the catalog forward.
 */
import type { Belongings, Catalog, VersionRow } from "../catalog/catalog.js";
import type { RemoteId } from "../content/chunk.js";
import { DatasetError, isDatasetError, messageOf } from "../errors.js";
import type { EditedTree } from "../manifest/edit.js";
import type { Edit } from "../manifest/entry.js";
import { outlineOf } from "../manifest/outline.js";
import { openRoot } from "../manifest/root.js";
import { requireIdentity } from "../remote/identity.js";
import { type Recording, recording } from "../remote/recording.js";
import { recordedBelongings } from "./belongings.js";
import { atCommitPoint } from "./collect/commit-point.js";
import { noteReferrer } from "./collect/referrers.js";
import { needsOf } from "./commit-needs.js";
import { endDraftLease, hasLeaseLapsed, holdDraft, leasedIn, remotesOfDraft } from "./draft-lease.js";
import { type Draft, closeDraft } from "./draft.js";
import { removeDraftFile } from "./draft-file.js";
import { writeFileMetadata } from "./file-metadata/file-metadata.js";
import { FILE_METADATA_KIND } from "./file-metadata/table.js";
import { importRecord, nameOfVersion, refresh } from "./history.js";
import { type VersionRecord, createRecord, readRecordUnlessDeleted, recordKey } from "./record.js";
import { previewLimits } from "./reports/candidates.js";
import { makePreviews } from "./reports/previews.js";
import { REPORTS_KIND, writeReports } from "./reports/version-reports.js";
import { type DatasetId, type VersionId, textOfDataset } from "./reference.js";
import type { SigningKey } from "./signing/keys.js";
import type { Signing } from "./signing/signatures.js";
import { type UploadDraftOptions, contentBytesSent, uploadDraft } from "./upload-draft.js";
import { inTurn } from "./turn.js";
import type { OpenedRemote, Workspace } from "./workspace.js";
import { type WrittenRoot, writeManifest } from "./write-manifest.js";

export interface CommitOptions extends UploadDraftOptions {
  /** Makes no version under an automatic label where the latest holds the same content, or the same altogether (`tree`). */
  unlessEqual?: "content" | "tree" | undefined;
  publish?: boolean | undefined;
  description?: string | undefined;
}

export interface CommitResult {
  id: string;
  /** `project/name`. */
  dataset: string;
  version: string;
  digest: string;
  contentDigest: string;
  files: number;
  bytes: number;
  added: number;
  modified: number;
  metadata: number;
  removed: number;
  renamed: number;
  /** Of several parents: how many of their edits it does not hold; `overridden()` lists them. */
  overridden?: number | undefined;
  /** Every byte sent to the remote, manifests included. */
  bytesSent: number;
  contentBytesSent: number;
  /** Where a version made offline lies, to be imported elsewhere. */
  bundle?: { folder: string; zip: string } | undefined;
}

/**
 * Uploads what is left, writes the manifest and creates the record. Costs what changed.
 *
 * @throws {DatasetError} `conflict` when a label asked for by name was taken meanwhile; the draft stays
 */
export async function commitDraft(
  workspace: Workspace,
  draft: Draft,
  options: CommitOptions = {},
): Promise<CommitResult> {
  return completeCommit(workspace, draft, await prepareCommit(workspace, draft, options), options);
}

/** What of a version is durable before its record is. */
interface WrittenVersion extends WrittenRoot {
  annexes: Belongings["annexes"];
  /** Where the user's versions are signed. */
  signing: Signing | undefined;
}

/** A commit up to its commit point: everything the record will name is durable in the remote. */
export interface PreparedCommit {
  written: WrittenVersion;
  remote: Recording;
}

/**
 * Uploads what is left and writes the manifest. Nothing anybody else can see has happened then.
 *
 * @param edits What is laid over the draft's base, sorted by key, its content durable. Default: what is staged.
 */
export async function prepareCommit(
  workspace: Workspace,
  draft: Draft,
  options: CommitOptions = {},
  edits?: Iterable<Edit>,
): Promise<PreparedCommit> {
  const key = await signingKeyOf(workspace);
  await requireIdentity(draft.remote.remote, draft.remote.id);
  await holdDraft(workspace, draft);
  await uploadDraft(workspace, draft, options);
  const catalog = await workspace.catalog();
  await catalog.transition(draft.version.id, ["draft", "committing"], "committing");
  const remote = recording(draft.remote.remote);
  const written = await writeManifest(workspace, draft, remote, edits ?? draft.tree.staging.edits());
  const annexes = await writeAnnexes(
    workspace,
    { ...draft, remote: { ...draft.remote, remote } },
    written.rootBytes,
    options,
  );
  const outline = key && outlineOf(openRoot(written.rootBytes));
  const signing = key && outline !== undefined ? { key, outline } : undefined;
  return { remote, written: { ...written, annexes, signing } };
}

/** What signs the version: asked first, so that a key that cannot be used is told of before anything is sent. */
async function signingKeyOf({ home }: Workspace): Promise<SigningKey | undefined> {
  return home.signingKey === undefined
    ? undefined
    : (await import("./signing/key-files.js")).signingKey(home);
}

async function writeAnnexes(
  workspace: Workspace,
  draft: Draft,
  rootBytes: Uint8Array,
  { preview, openOverlaid }: CommitOptions,
): Promise<Belongings["annexes"]> {
  const limits = previewLimits(preview);
  const previews = limits ? await makePreviews(draft, limits, openOverlaid) : [];
  return {
    [FILE_METADATA_KIND]: await writeFileMetadata(workspace, draft, rootBytes, draft.remote),
    [REPORTS_KIND]: await writeReports(draft, draft.remote, previews),
  };
}

/** Creates the record, the commit point, and completes the catalog's row. */
export async function completeCommit(
  workspace: Workspace,
  draft: Draft,
  { remote, written }: PreparedCommit,
  options: CommitOptions = {},
): Promise<CommitResult> {
  const counted = { ...draft, remote: { ...draft.remote, remote } };
  const sent = contentBytesSent(draft);
  const create = async () => {
    const made = await createRecordUnderFreeLabel(workspace, counted, { remote, written }, options);
    await complete(workspace, draft, made);
    return made;
  };
  const record = await (options.unlessEqual ? inTurn(workspace.home, draft.dataset.id, create) : create());
  const { overridden } = written;
  return {
    ...resultOf(record),
    ...(overridden !== undefined && { overridden }),
    bytesSent: remote.sentBytes + sent,
    contentBytesSent: sent,
  };
}

/** Creates the record; when another catalog took an automatic label meanwhile, takes the next. */
async function createRecordUnderFreeLabel(
  workspace: Workspace,
  draft: Draft,
  { remote, written }: PreparedCommit,
  options: CommitOptions,
): Promise<VersionRecord> {
  const automatic = draft.tree.staging.fact("labelAutomatic") === true;
  for (let { version } = draft; ;) {
    if (automatic && options.unlessEqual) await refuseEqual(workspace, draft, written, options.unlessEqual);
    const record = await recordOf(workspace, { ...draft, version }, written, options);
    try {
      await requireIdentity(draft.remote.remote, draft.remote.id);
      await createAtPoint(workspace, draft, record, remote);
      return record;
    } catch (error) {
      if (!isDatasetError(error, "object-exists")) throw error;
      const key = recordKey(record.dataset.id, record.label);
      const existing = await readRecordUnlessDeleted(draft.remote.remote, key);
      if (existing?.id === record.id) return existing;
      if (!automatic) throw labelTaken(record);
      version = await nextFree(workspace, draft, version);
    }
  }
}

/** Creates the record when all it names is there to stay. @throws {DatasetError} `object-exists`; `collected` */
async function createAtPoint(
  workspace: Workspace,
  draft: Draft,
  record: VersionRecord,
  put: Recording,
): Promise<void> {
  const { remote } = draft.remote;
  if (workspace.isOffline) {
    await createRecord(remote, record); // Nobody collects in a bundle.
    return;
  }
  const remotes = await remotesOfDraft(workspace, draft);
  await tellOthers(workspace, draft, record);
  const { id: version, label } = record;
  const point = { kind: "record" as const, key: recordKey(record.dataset.id, label), version, label };
  const needs = () => needsOf(workspace, draft, record, put);
  const commit = { remotes, point, lease: version, hasLapsed: hasLeaseLapsed(draft), needs };
  await atCommitPoint(workspace, commit, () => createRecord(remote, record));
}

/** Other remotes learn that a version in this one needs them; who may not write there leaves that to their graces. */
async function tellOthers(
  workspace: Workspace,
  { remote: own }: Draft,
  { remotes }: VersionRecord,
): Promise<void> {
  for (const { id } of remotes.filter((each) => each.id !== own.id))
    try {
      await noteReferrer(await workspace.remote(id), own);
    } catch (error) {
      if (!isDatasetError(error)) throw error;
      workspace.notice(`Nothing tells a remote that this version needs it: ${messageOf(error)}`);
    }
}

/** Another catalog may have made an equal version under a label below the one reserved here. @throws {DatasetError} `version-equal` */
async function refuseEqual(
  workspace: Workspace,
  { dataset, remote }: Draft,
  { edited }: WrittenRoot,
  by: "content" | "tree",
): Promise<void> {
  await refresh(workspace, dataset, { remote });
  const latest = await (await workspace.catalog()).latestVersion(dataset.id);
  const isEqual =
    by === "tree" ? latest?.treeDigest === edited.treeDigest : latest?.contentDigest === edited.contentDigest;
  if (!latest || !isEqual) return;
  const version = nameOfVersion({ dataset, version: latest });
  throw new DatasetError("version-equal", { version }, `Nothing changed since ${version}`);
}

/** Learns of the versions that others made, before which this one gives way, and takes the number it then has. */
async function nextFree(workspace: Workspace, draft: Draft, version: VersionRow): Promise<VersionRow> {
  await refresh(workspace, draft.dataset);
  const catalog = await workspace.catalog();
  const now = await catalog.versionById(version.id);
  return now && now.label !== version.label ? now : catalog.relabelVersion(version.id);
}

async function recordOf(
  workspace: Workspace,
  draft: Draft,
  { edited, root, changes, annexes, signing }: WrittenVersion,
  options: CommitOptions,
): Promise<VersionRecord> {
  const { dataset, version, remote } = draft;
  const catalog = await workspace.catalog();
  const job = await catalog.jobOfVersion(version.id);
  const record: VersionRecord = {
    format: 1,
    id: version.id as VersionId,
    dataset: { id: dataset.id as DatasetId, project: dataset.project, name: dataset.name },
    label: version.label,
    parents: draft.parents.map((parent) => ({
      id: parent.version.id,
      dataset: textOfDataset(parent.dataset),
      label: parent.version.label,
    })),
    ...(draft.squash && { squashedFrom: [...draft.squash.sources] }),
    published: options.publish ?? false,
    // It may have been described since the draft was opened.
    description: options.description ?? (await catalog.versionById(version.id))?.description ?? "",
    tags: await catalog.versionTags(version.id),
    createdBy: version.createdBy,
    ...(job && { job }),
    createdAtMs: version.createdAtMs,
    completedAtMs: Date.now(),
    root,
    digest: edited.treeDigest,
    contentDigest: edited.contentDigest,
    files: edited.totals.files + edited.totals.links,
    bytes: edited.totals.contentBytes,
    changes,
    remotes: await remotesOf(catalog, remote, draft, edited),
    ...recordedBelongings({ metadata: await catalog.listMetadata(version.id), annexes }),
  };
  return signing ? (await import("./signing/signatures.js")).signedRecord(record, signing) : record;
}

/**
 * The version's own remote, then those where ranges and chunks of its history may lie. Segments alone do not tell: one
 * that was merged lies in one remote and names chunks of several.
 */
async function remotesOf(
  catalog: Catalog,
  own: OpenedRemote,
  draft: Draft,
  edited: EditedTree,
): Promise<VersionRecord["remotes"]> {
  const ids = new Set<RemoteId>([own.id]);
  if (draft.squash) return rowsOf(catalog, ids); // Where its sources lay elsewhere they were copied.
  for (const { remote } of [...edited.ranges, ...draft.segments]) ids.add(remote);
  for (const { version } of draft.parents)
    for (const id of [version.remoteId, ...(await catalog.remotesOfVersion(version.id))])
      ids.add(id as RemoteId);
  return rowsOf(catalog, ids);
}

async function rowsOf(catalog: Catalog, ids: Iterable<RemoteId>): Promise<VersionRecord["remotes"]> {
  const rows = await Promise.all([...ids].map((id) => catalog.remoteById(id)));
  return rows.flatMap((row) => (row ? [{ id: row.id as RemoteId, url: row.url }] : []));
}

/** The catalog row turns completed and the draft's file goes. */
async function complete(workspace: Workspace, draft: Draft, record: VersionRecord): Promise<void> {
  await importRecord(await workspace.catalog(), record);
  const leased = leasedIn(draft.tree.staging);
  closeDraft(draft);
  removeDraftFile(draft.tree.staging.file);
  await endDraftLease(workspace, record.id, leased);
}

function resultOf(record: VersionRecord): Omit<CommitResult, "bytesSent" | "contentBytesSent"> {
  const { id, label, digest, contentDigest, files, bytes, changes } = record;
  return {
    id,
    dataset: textOfDataset(record.dataset),
    version: label,
    digest,
    contentDigest,
    files,
    bytes,
    ...changes,
  };
}

function labelTaken(record: VersionRecord): DatasetError<"conflict"> {
  const name = `${textOfDataset(record.dataset)}@${record.label}`;
  const message = `Cannot commit "${name}": somebody else made that version meanwhile; choose another --version`;
  return new DatasetError("conflict", { what: name }, message);
}
