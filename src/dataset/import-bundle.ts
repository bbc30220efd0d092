/**
 * Brings the versions of a bundle into the user's catalog and remote, each once and under its own id. A version is made
 * as any other: its changes against its parents are staged, their content read from the bundle, held against its
 * hashes and stored anew; before its record is created its digest must be that of the bundle.
 */
import { statSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { DatasetError, isDatasetError } from "../errors.js";
import type { Remote } from "../remote/remote.js";
import { zipUrlOf } from "../remote/zip/zip.js";
import { type BundledVersion, readBundle } from "./bundle.js";
import { type CommitResult, completeCommit, prepareCommit } from "./commit.js";
import { type Draft, closeDraft, createDraft, discardDraft } from "./draft.js";
import { findDataset, findVersion, importRecord, isFinished, nameOfVersion, refresh } from "./history.js";
import { stageBundled } from "./import-staging.js";
import { copyBelongings } from "./import-belongings.js";
import { DATASETS_PREFIX, type VersionRecord, isRecordKey, readRecord } from "./record.js";
import { textOfDataset } from "./reference.js";
import { damaged } from "./stored-json.js";
import { discardCutOff } from "./transient-drafts.js";
import { unmarkTransient } from "./transient-mark.js";
import type { UploadOptions } from "./upload.js";
import { uploadDraft } from "./upload-draft.js";
import type { OpenedRemote, Workspace } from "./workspace.js";

export interface ImportOptions extends UploadOptions {
  /** Where the data goes. Default: where the first parent lies, else the user's default remote. */
  remote?: string | undefined;
  /** Default true, and there is no other way: a version without its bytes would be of no use. */
  upload?: boolean | undefined;
  /** Default true. Else the last version of the bundle stays a draft. */
  finalize?: boolean | undefined;
}

/** What became of one version of a bundle. */
export interface ImportedBundleVersion {
  id: string;
  /** What it is called here: `project/name@label`. */
  reference: string;
  /** What it was called in the bundle. */
  was: string;
  /** `known`: it had been imported before. */
  outcome: "imported" | "draft" | "known";
  committed?: CommitResult | undefined;
}

interface Source {
  reader: Workspace;
  bundle: OpenedRemote;
}

/**
 * @param path A bundle's folder, or its zip.
 * @throws {DatasetError} `not-found` for no bundle, or a parent that is not known here; `conflict` for a label asked for by name
 *   that is taken, or a parent that is another; `format-damaged`, `format-newer`, `content-damaged`, `unsupported`, `offline`
 */
export async function importBundle(
  workspace: Workspace,
  path: string,
  options: ImportOptions = {},
): Promise<ImportedBundleVersion[]> {
  checkImport(workspace, path, options);
  const url = placeOf(path);
  const reader = workspace.readerOf(url);
  const source = { reader, bundle: await reader.openRemote(url, { mustExist: true }) };
  const listed = await readBundle(source.bundle.remote);
  const records = await recordsIn(source.bundle.remote);
  const finished = listed.flatMap((version) => {
    const record = records.get(version.id);
    return record ? [{ version, record }] : [];
  });
  if (finished.length === 0) throw nothingFinished(path);
  const imported: ImportedBundleVersion[] = [];
  for (const [index, { version, record }] of finished.entries()) {
    const finalize = (options.finalize ?? true) || index < finished.length - 1;
    const known = await findImported(workspace, record, options);
    imported.push(
      known ?? (await importVersion(workspace, source, version, record, { ...options, finalize })),
    );
  }
  return imported;
}

async function importVersion(
  workspace: Workspace,
  source: Source,
  version: BundledVersion,
  record: VersionRecord,
  options: ImportOptions,
): Promise<ImportedBundleVersion> {
  await checkParents(workspace, version, record);
  await learnVersion(workspace, source, record);
  const { dataset, id, job } = record;
  const bundled = await findVersion(source.reader, id);
  const tags = await (await source.reader.catalog()).versionTags(id);
  const { description } = bundled.version;
  const draft = await createDraft(workspace, dataset, {
    id,
    version: version.labelIsAutomatic ? undefined : record.label,
    parents: version.parents.map((parent) => parent.id),
    remote: options.remote,
    tags,
    description,
    job,
    transient: true,
  });
  try {
    await stageBundled(workspace, draft, bundled.version);
    await copyBelongings(workspace, draft, record, source.bundle.id);
    const publish = bundled.version.state === "published";
    return await settle(workspace, draft, record, { ...options, publish });
  } catch (error) {
    await discardDraft(workspace, draft);
    throw error;
  }
}

async function settle(
  workspace: Workspace,
  draft: Draft,
  record: VersionRecord,
  options: ImportOptions & { publish: boolean },
): Promise<ImportedBundleVersion> {
  const { id } = record;
  const was = textOf(record);
  if (!options.finalize) {
    await uploadDraft(workspace, draft, options);
    unmarkTransient(draft.tree.staging);
    closeDraft(draft);
    const { dataset, version } = draft;
    return { id, reference: nameOfVersion({ dataset, version }), was, outcome: "draft" };
  }
  const prepared = await prepareCommit(workspace, draft, options);
  const { treeDigest } = prepared.written.edited;
  if (treeDigest !== record.digest) throw otherTree(record, treeDigest);
  const committed = await completeCommit(workspace, draft, prepared, options);
  return { id, reference: `${committed.dataset}@${committed.version}`, was, outcome: "imported", committed };
}

/** What a version of a bundle became when it was imported before, by whatever catalog. */
async function findImported(
  workspace: Workspace,
  record: VersionRecord,
  { remote }: ImportOptions,
): Promise<ImportedBundleVersion | undefined> {
  const catalog = await workspace.catalog();
  const byId = async () => {
    const version = await catalog.versionById(record.id);
    const dataset = version && (await catalog.datasetById(version.datasetId));
    return dataset && { dataset, version };
  };
  let found = await byId();
  if (found && !isFinished(found.version)) {
    await discardCutOff(workspace, found.dataset); // Of an import that was killed.
    found = await byId();
  }
  if (!found) {
    const dataset = await knownDataset(workspace, record, remote);
    if (dataset) await refresh(workspace, dataset);
    found = await byId();
  }
  return found && { id: record.id, reference: nameOfVersion(found), was: textOf(record), outcome: "known" };
}

async function knownDataset(workspace: Workspace, { dataset }: VersionRecord, remote: string | undefined) {
  try {
    return await findDataset(workspace, dataset, { remote });
  } catch (error) {
    if (isDatasetError(error, "not-found")) return undefined;
    throw error;
  }
}

/** Each parent must be here, and be what it was when the bundle was made. @throws {DatasetError} `not-found`, `conflict` */
async function checkParents(
  workspace: Workspace,
  { parents }: BundledVersion,
  record: VersionRecord,
): Promise<void> {
  const named = record.parents.map(({ id }) => id);
  if (named.join() !== parents.map(({ id }) => id).join()) throw damaged(`the record of ${textOf(record)}`);
  for (const parent of parents) {
    const version = await findParent(workspace, parent);
    if (!version || !isFinished(version)) throw parentMissing(record, parent.reference);
    if (version.treeDigest !== parent.digest) throw otherParent(record, parent.reference);
  }
}

async function findParent(workspace: Workspace, { id, reference }: { id: string; reference: string }) {
  const catalog = await workspace.catalog();
  const known = await catalog.versionById(id);
  if (known) return known;
  try {
    await findVersion(workspace, reference); // So that the remotes of its dataset are asked.
  } catch (error) {
    if (!isDatasetError(error, "not-found")) throw error;
  }
  return catalog.versionById(id);
}

/**
 * Enters the version into the catalog of the bundle's reader. Its bytes lie in the bundle, and in remotes the user knows:
 * a bundle cannot make varve speak to any other.
 *
 * @throws {DatasetError} `not-found` for another remote
 */
async function learnVersion(
  workspace: Workspace,
  { reader, bundle }: Source,
  record: VersionRecord,
): Promise<void> {
  const catalog = await reader.catalog();
  for (const { id, url } of record.remotes) {
    if (id === bundle.id) continue;
    const known = await workspace.knownUrl(id);
    if (known === undefined) throw remoteMissing(record, url);
    await catalog.ensureRemote({ id, url: known });
  }
  const dataset = await catalog.ensureDataset(record.dataset);
  await importRecord(catalog, record);
  await refresh(reader, dataset); // What was amended since.
}

async function recordsIn(remote: Remote): Promise<Map<string, VersionRecord>> {
  const records = new Map<string, VersionRecord>();
  for await (const { key } of remote.list(DATASETS_PREFIX)) {
    if (!isRecordKey(key)) continue;
    const record = await readRecord(remote, key);
    records.set(record.id, record);
  }
  return records;
}

function checkImport(workspace: Workspace, path: string, { upload = true }: ImportOptions): void {
  if (workspace.isOffline) {
    const message =
      "Cannot import a bundle: varve is offline (--offline, VARVE_OFFLINE), and its data goes to a remote";
    throw new DatasetError("offline", { what: path }, message);
  }
  if (upload) return;
  const message = "Cannot import a bundle without upload: its versions would have no bytes";
  throw new DatasetError("bad-input", { value: "upload" }, message);
}

/** @throws {DatasetError} `not-found` */
function placeOf(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found)
    throw new DatasetError(
      "not-found",
      { what: path },
      `Cannot import "${path}": there is no such file or folder`,
    );
  return found.isDirectory() ? pathToFileURL(resolve(path)).href : zipUrlOf(resolve(path));
}

function textOf({ dataset, label }: VersionRecord): string {
  return `${textOfDataset(dataset)}@${label}`;
}

function nothingFinished(path: string): DatasetError<"not-found"> {
  const message = `Cannot import "${path}": no version in it is finished; varve finalize --offline completes one`;
  return new DatasetError("not-found", { what: path }, message);
}

function parentMissing(record: VersionRecord, parent: string): DatasetError<"not-found"> {
  const message = `Cannot import "${textOf(record)}": its parent ${parent} is not known here; import its bundle first, or varve catalog rebuild its remote`;
  return new DatasetError("not-found", { what: parent }, message);
}

function otherParent(record: VersionRecord, parent: string): DatasetError<"conflict"> {
  const message = `Cannot import "${textOf(record)}": its parent ${parent} has another digest here than where the bundle was made`;
  return new DatasetError("conflict", { what: parent }, message);
}

function remoteMissing(record: VersionRecord, url: string): DatasetError<"not-found"> {
  const message = `Cannot import "${textOf(record)}": some of it lies in ${url}, a remote this catalog does not know; varve remote add NAME URL tells of it`;
  return new DatasetError("not-found", { what: url }, message);
}

function otherTree(record: VersionRecord, got: string): DatasetError<"content-damaged"> {
  const what = textOf(record);
  const message = `Cannot import "${what}": its files are not what its digest says`;
  return new DatasetError("content-damaged", { what, wanted: record.digest, got }, message);
}
