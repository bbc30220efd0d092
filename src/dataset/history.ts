/**
 * Which versions there are and which one a reference means. The catalog answers; the remote is asked for records that
 * another catalog wrote, and for what became of commits that were cut off after their record.
 */
import type { Catalog, Dataset as DatasetRow, VersionRow } from "../catalog/catalog.js";
import { mapInOrder } from "../content/in-order.js";
import { DatasetError, isDatasetError, messageOf } from "../errors.js";
import type { Remote } from "../remote/remote.js";
import { belongingsOf } from "./belongings.js";
import { takeAmendments } from "./amendment-objects.js";
import { calledNow, refuseFormerName } from "./former-names.js";
import { readName } from "./names.js";
import { readRecordUnlessDeleted, recordKey, recordPrefix, type VersionRecord } from "./record.js";
import {
  type DatasetId,
  type DatasetName,
  type Reference,
  parseReference,
  textOfDataset,
  textOfReference,
} from "./reference.js";
import type { OpenedRemote, Workspace } from "./workspace.js";

export interface FoundVersion {
  dataset: DatasetRow;
  version: VersionRow;
  /** URL of the remote it was found in, where the reference named that and no catalog of the user was asked. */
  remote?: string | undefined;
}

/** Records read at once: each is small, and what costs is the way there and back. */
const READS_AT_ONCE = 32;

/** The version a reference means, finished ones only unless `drafts`. @throws {DatasetError} `not-found`, `bad-input` */
export async function findVersion(
  workspace: Workspace,
  text: string,
  options: { drafts?: boolean } = {},
): Promise<FoundVersion> {
  const reference = parseReference(text);
  const found =
    "id" in reference ? await byId(workspace, reference.id) : await byLabel(workspace, reference, options);
  if (!found) throw noSuchVersion(reference);
  if (found.version.state === "committing") await rollForward(workspace, found);
  if (!options.drafts && !isFinished(found.version)) throw unfinished(found);
  return found;
}

/**
 * A dataset known to the catalog, to one of its remotes, or to `remote`, a URL. Default: the default remote.
 *
 * @throws {DatasetError} `not-found`
 */
export async function findDataset(
  workspace: Workspace,
  name: DatasetName,
  { remote }: { remote?: string | undefined } = {},
): Promise<DatasetRow> {
  const catalog = await workspace.catalog();
  const known = await catalog.findDataset(name.project, name.name);
  if (known) return known;
  await refuseFormerName(workspace, name);
  const adopted = await adopt(workspace, name, remote);
  if (adopted) return adopted;
  const text = textOfDataset(name);
  throw new DatasetError(
    "not-found",
    { what: text },
    `Cannot find the dataset "${text}": this catalog has none; varve versions lists what there is`,
  );
}

/** Versions of a dataset in the order of their labels, others' included. */
export async function versionsOf(workspace: Workspace, dataset: DatasetRow): Promise<VersionRow[]> {
  await refresh(workspace, dataset);
  return (await workspace.catalog()).listVersions(dataset.id);
}

/**
 * Enters into the catalog what other catalogs have written beside the data. A remote out of reach is only noted. Costs each
 * remote a listing of all the dataset's records, since labels are not made in order, and the catalog their labels.
 *
 * @param options.remote Where to look while no version is known. Default: the default remote.
 */
export async function refresh(
  workspace: Workspace,
  dataset: DatasetRow,
  { remote: first }: { remote?: OpenedRemote | undefined } = {},
): Promise<void> {
  if (workspace.isOffline) return;
  const catalog = await workspace.catalog();
  const labels = await catalog.settledLabels(dataset.id);
  const settled = new Set(labels.map((label) => recordKey(dataset.id as DatasetId, label)));
  const urls = (await catalog.remotesOfDataset(dataset.id)).map(({ url }) => url);
  if (urls.length === 0 && first) await takeNews(workspace, first, dataset, settled);
  if (urls.length === 0 && !first) urls.push(workspace.home.defaultRemote);
  for (const url of urls) {
    try {
      await takeNews(workspace, await workspace.openRemote(url), dataset, settled);
    } catch (error) {
      if (!isDatasetError(error)) throw error;
      workspace.notice(`Cannot look for new versions in ${url}: ${messageOf(error)}`);
    }
  }
}

export function isFinished({ state }: VersionRow): boolean {
  return state === "completed" || state === "published";
}

/** `project/name@label` of a version, as messages and `--json` show it. */
export function nameOfVersion({ dataset, version }: FoundVersion): string {
  return `${textOfDataset(dataset)}@${version.label}`;
}

/** Records the catalog has not, by their keys, and what was amended; both at once, since an amendment waits for its version. */
async function takeNews(
  workspace: Workspace,
  opened: OpenedRemote,
  dataset: DatasetRow,
  known: ReadonlySet<string> = new Set(),
): Promise<void> {
  const taken = await Promise.allSettled([
    takeRecords(workspace, opened, dataset, known),
    takeAmendments(workspace, opened, dataset),
  ]);
  for (const one of taken) if (one.status === "rejected") throw one.reason;
}

async function takeRecords(
  workspace: Workspace,
  { remote }: OpenedRemote,
  dataset: DatasetRow,
  known: ReadonlySet<string>,
): Promise<void> {
  const catalog = await workspace.catalog();
  for await (const record of recordsOf(remote, dataset.id as DatasetId, known))
    await importRecord(catalog, record);
}

/** The records of a dataset in a remote but those of deleted versions, in the order of their keys, but for the keys in `except`. */
export async function* recordsOf(
  remote: Remote,
  dataset: DatasetId,
  except: ReadonlySet<string> = new Set(),
): AsyncIterable<VersionRecord> {
  const keys: string[] = [];
  for await (const { key } of remote.list(recordPrefix(dataset))) if (!except.has(key)) keys.push(key);
  for await (const record of mapInOrder(keys, READS_AT_ONCE, (key) => readRecordUnlessDeleted(remote, key)))
    if (record) yield record;
}

/** Enters a record found in a remote; one the catalog has already changes nothing. */
export async function importRecord(catalog: Catalog, record: VersionRecord): Promise<void> {
  const { id, dataset, root, changes } = record;
  for (const { id: remoteId, url } of record.remotes)
    if (!(await catalog.remoteById(remoteId))) await catalog.ensureRemote({ id: remoteId, url });
  await catalog.importVersion({
    id,
    datasetId: dataset.id,
    label: record.label,
    state: record.published ? "published" : "completed",
    description: record.description,
    createdBy: record.createdBy,
    createdAtMs: record.createdAtMs,
    completedAtMs: record.completedAtMs,
    remoteId: record.remotes[0]!.id,
    rootKey: root.key,
    rootHash: root.hash,
    rootBytes: root.bytes,
    treeDigest: record.digest,
    contentDigest: record.contentDigest,
    files: record.files,
    bytes: record.bytes,
    added: changes.added,
    modified: changes.modified,
    metadataChanged: changes.metadata,
    removed: changes.removed,
    renamed: changes.renamed,
    parents: record.parents.map((parent) => parent.id),
    tags: record.tags,
    remotes: record.remotes.map((remote) => remote.id),
    belongings: belongingsOf(record),
    job: record.job,
    sources: record.squashedFrom?.map(({ id: sourceId, ...name }) => ({ sourceId, ...name })),
  });
}

/** A commit cut off after its record is a version; only this catalog has not heard of it. */
async function rollForward(workspace: Workspace, found: FoundVersion): Promise<void> {
  await refresh(workspace, found.dataset);
  found.version = (await byId(workspace, found.version.id))?.version ?? found.version;
}

async function byId(workspace: Workspace, id: string): Promise<FoundVersion | undefined> {
  const catalog = await workspace.catalog();
  const version = await catalog.versionById(id);
  const dataset = version && (await catalog.datasetById(version.datasetId));
  return dataset && { dataset, version };
}

async function byLabel(
  workspace: Workspace,
  reference: DatasetName & { label: string | undefined },
  options: { drafts?: boolean },
): Promise<FoundVersion | undefined> {
  const dataset = await findDataset(workspace, reference);
  const catalog = await workspace.catalog();
  if (reference.label === undefined) {
    await refresh(workspace, dataset);
    await calledNow(workspace, dataset.id, reference);
    const latest = await catalog.latestVersion(dataset.id);
    return latest && { dataset, version: latest };
  }
  const known = await catalog.versionByLabel(dataset.id, reference.label);
  if (known && (isFinished(known) || options.drafts)) return { dataset, version: known };
  await refresh(workspace, dataset);
  const version = await catalog.versionByLabel(dataset.id, reference.label);
  return version && { dataset, version };
}

/** A dataset this catalog has never seen but one of its remotes names. */
async function adopt(
  workspace: Workspace,
  name: DatasetName,
  remote: string | undefined,
): Promise<DatasetRow | undefined> {
  if (workspace.isOffline) return undefined;
  const catalog = await workspace.catalog();
  const urls = new Set((await catalog.listRemotes()).map(({ url }) => url));
  const opened = [await (remote === undefined ? workspace.defaultRemote() : workspace.openRemote(remote))];
  for (const url of urls) opened.push(await workspace.openRemote(url));
  for (const one of opened) {
    const named = await readName(one.remote, name);
    if (named === undefined) continue;
    const known = await catalog.datasetById(named.id);
    const dataset = known ?? (await catalog.ensureDataset({ ...name, ...named }));
    await takeNews(workspace, one, dataset);
    return calledNow(workspace, dataset.id, name);
  }
  return undefined;
}

function noSuchVersion(reference: Reference): DatasetError<"not-found"> {
  const text = textOfReference(reference);
  const hint = "id" in reference ? "" : `; varve versions ${textOfDataset(reference)} lists what there is`;
  return new DatasetError("not-found", { what: text }, `Cannot find the version "${text}"${hint}`);
}

function unfinished(found: FoundVersion): DatasetError<"version-unfinished"> {
  const name = nameOfVersion(found);
  const message = `Cannot read the version "${name}": it is ${found.version.state === "committing" ? "being completed" : "a draft"}; varve finalize completes it`;
  return new DatasetError("version-unfinished", { version: name }, message);
}
