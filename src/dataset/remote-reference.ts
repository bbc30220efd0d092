/**
 * References that name their remote, `s3://bucket/prefix#project/name@label`: the version is found from what lies beside
 * the data. The user's catalog is neither needed nor changed, except by `takeIn`.
 */
import type { Dataset as DatasetRow } from "../catalog/catalog.js";
import { compareLabels, isPrerelease } from "../catalog/label.js";
import { DatasetError, isDatasetError } from "../errors.js";
import type { Remote } from "../remote/remote.js";
import { takeAmendments } from "./amendment-objects.js";
import { type FoundVersion, findVersion, importRecord, refresh } from "./history.js";
import { calledNow } from "./former-names.js";
import { readName } from "./names.js";
import { locateOffline } from "./offline-locate.js";
import { type VersionRecord, labelOfKey, readRecord, recordKey, recordPrefix } from "./record.js";
import {
  type DatasetId,
  type DatasetName,
  parseDatasetName,
  parseReference,
  splitReference,
  textOfDataset,
} from "./reference.js";
import type { Workspace } from "./workspace.js";

/** What was found, and the workspace to read it with. */
export interface Located {
  workspace: Workspace;
  found: FoundVersion;
}

/**
 * The version that a reference of either kind means. One in a remote costs four requests, five for the
 * latest, and one for each amendment of its dataset.
 *
 * @throws {DatasetError} as `findVersion`; `remote-failed` where there is no remote
 */
export async function locateVersion(
  workspace: Workspace,
  text: string,
  options: { drafts?: boolean } = {},
): Promise<Located> {
  if (workspace.isOffline) return locateOffline(workspace, text, options);
  const { place, reference } = splitReference(text);
  if (place === undefined) return { workspace, found: await findVersion(workspace, text, options) };
  const { label, ...name } = parseNameAndLabel(reference);
  const { reader, url, opened, dataset } = await openDataset(workspace, place, name);
  for (const key of await keysOfVersion(opened.remote, dataset, label)) {
    const record = await readIfThere(opened.remote, key);
    if (!record) continue;
    await learnRemotes(workspace, reader, record);
    await importRecord(await reader.catalog(), record);
    const { version } = await findVersion(reader, record.id);
    if (label === undefined && version.archived) continue;
    return { workspace: reader, found: { dataset, version, remote: url } };
  }
  throw notThere(`version "${textOfDataset(name)}@${label ?? "latest"}"`, opened.remote);
}

/** A dataset in a remote, with all its versions there. @throws {DatasetError} `not-found` */
export async function locateDataset(
  workspace: Workspace,
  text: string,
): Promise<{ workspace: Workspace; dataset: DatasetRow }> {
  const { place, reference } = splitReference(text);
  const { reader, opened, dataset } = await openDataset(workspace, place ?? "", parseDatasetName(reference));
  await refresh(reader, dataset, { remote: opened });
  return { workspace: reader, dataset };
}

/**
 * The version that a reference means, in the user's catalog: one in a remote is entered there, so that it can be the
 * parent of another.
 *
 * @throws {DatasetError} `conflict` when the catalog has another dataset of that name
 */
export async function takeIn(workspace: Workspace, text: string): Promise<FoundVersion> {
  const { found } = await locateVersion(workspace, text);
  if (found.remote === undefined) return found;
  const opened = await workspace.openRemote(found.remote, { mustExist: true });
  const { remote } = opened;
  const { id, label } = found.version;
  const catalog = await workspace.catalog();
  const known = await catalog.datasetById(found.dataset.id);
  const dataset = known ?? (await catalog.ensureDataset(found.dataset));
  if (dataset.id !== found.dataset.id) throw namesake(dataset, remote);
  await importRecord(catalog, await readRecord(remote, recordKey(dataset.id as DatasetId, label)));
  await takeAmendments(workspace, opened, dataset);
  return findVersion(workspace, id);
}

function parseNameAndLabel(text: string): DatasetName & { label: string | undefined } {
  const reference = parseReference(text);
  if (!("id" in reference)) return reference;
  const message = `Cannot look for the version "${text}" in a remote: write REMOTE#PROJECT/NAME[@LABEL]`;
  throw new DatasetError("bad-input", { value: text }, message);
}

async function openDataset(workspace: Workspace, place: string, name: DatasetName) {
  const url = await workspace.urlOf(place);
  const reader = workspace.readerOf(url);
  const opened = await reader.openRemote(url);
  const named = await readName(opened.remote, name);
  if (!named) throw notThere(`dataset "${textOfDataset(name)}"`, opened.remote);
  const catalog = await reader.catalog();
  const known = (await catalog.datasetById(named.id)) ?? (await catalog.ensureDataset({ ...name, ...named }));
  await takeAmendments(reader, opened, known);
  return { reader, url, opened, dataset: await calledNow(reader, known.id, name) };
}

/** Where to look. The latest is chosen as a catalog would: the highest release, a pre-release only where there is nothing else. */
async function keysOfVersion(
  remote: Remote,
  { id }: DatasetRow,
  label: string | undefined,
): Promise<string[]> {
  if (label !== undefined) return [recordKey(id as DatasetId, label)];
  const labels: string[] = [];
  for await (const { key } of remote.list(recordPrefix(id as DatasetId))) {
    const label = labelOfKey(key);
    if (label !== undefined) labels.push(label);
  }
  const highestFirst = labels.sort(compareLabels).reverse();
  const releases = highestFirst.filter((one) => !isPrerelease(one));
  const others = highestFirst.filter(isPrerelease);
  return [...releases, ...others].map((one) => recordKey(id as DatasetId, one));
}

async function readIfThere(remote: Remote, key: string): Promise<VersionRecord | undefined> {
  try {
    return await readRecord(remote, key);
  } catch (error) {
    if (isDatasetError(error, "object-missing")) return undefined;
    throw error;
  }
}

/** Where the user's catalog knows a remote to lie counts more than where it lay when the record was written. */
async function learnRemotes(workspace: Workspace, reader: Workspace, record: VersionRecord): Promise<void> {
  const catalog = await reader.catalog();
  for (const { id } of record.remotes) {
    if (await reader.knownUrl(id)) continue;
    const url = await workspace.knownUrl(id);
    if (url !== undefined) await catalog.ensureRemote({ id, url });
  }
}

function notThere(what: string, { url }: Remote): DatasetError<"not-found"> {
  return new DatasetError(
    "not-found",
    { what },
    `Cannot find the ${what} in ${url}; varve versions ${url} lists what there is`,
  );
}

function namesake(dataset: DatasetRow, { url }: Remote): DatasetError<"conflict"> {
  const name = textOfDataset(dataset);
  const message = `Cannot enter "${name}" of ${url} into the catalog: it has another dataset of that name`;
  return new DatasetError("conflict", { what: name }, message);
}
