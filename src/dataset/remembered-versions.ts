/**
 * Versions that the cache remembers: with what was fetched ahead lies the record of its version, so that it can be
 * mounted though neither its remote nor a catalog that knows it can be reached. Only in a cache that is ours alone: in
 * one that others write to, a name could come to mean something else.
 */
import { canonicalLabel, compareLabels, isPrerelease } from "../catalog/label.js";
import type { RemoteId } from "../content/chunk.js";
import { isDatasetError } from "../errors.js";
import { type FoundVersion, findVersion, importRecord } from "./history.js";
import { type VersionRecord, parseRecord, readRecord, recordKey } from "./record.js";
import { type DatasetId, type Reference, parseReference, splitReference } from "./reference.js";
import type { Located } from "./remote-reference.js";
import type { Workspace } from "./workspace.js";

/** A record, and the URL of the remote it was found in. */
interface Remembered {
  url: string;
  record: VersionRecord;
}

const NOTE = "version ";

/** Costs one request the first time. A record that cannot be had is no failure: the version can be read all the same. */
export async function rememberVersion(
  workspace: Workspace,
  { dataset, version, remote }: FoundVersion,
): Promise<void> {
  const housekeeping = workspace.housekeeping();
  const name = NOTE + version.id;
  if (!housekeeping.isPrivate || housekeeping.pins.notes().has(name)) return;
  const url = remote ?? (await workspace.knownUrl(version.remoteId));
  if (url === undefined) return;
  try {
    const holding = await workspace.remote(version.remoteId as RemoteId);
    const record = await readRecord(holding, recordKey(dataset.id as DatasetId, version.label));
    housekeeping.pins.note(name, JSON.stringify({ url, record }));
  } catch (error) {
    if (!isDatasetError(error)) throw error;
  }
}

/** The version that a reference of either kind means, among those remembered; to be read with the workspace given. */
export async function locateRemembered(workspace: Workspace, text: string): Promise<Located | undefined> {
  const { place, reference } = splitReference(text);
  const url = place === undefined ? undefined : await workspace.urlOf(place);
  const inPlace = remembered(workspace).filter((each) => url === undefined || each.url === url);
  const found = theOneMeant(inPlace, parseReference(reference));
  if (!found) return undefined;
  const reader = workspace.readerOf(found.url);
  const catalog = await reader.catalog();
  const dataset = await catalog.ensureDataset(found.record.dataset);
  await importRecord(catalog, found.record);
  const { version } = await findVersion(reader, found.record.id);
  return { workspace: reader, found: { dataset, version, remote: found.url } };
}

/** What other processes, or another varve, wrote so that it cannot be read is not remembered. */
function remembered(workspace: Workspace): Remembered[] {
  const housekeeping = workspace.housekeeping();
  if (!housekeeping.isPrivate) return [];
  return [...housekeeping.pins.notes()].flatMap(([name, value]) => {
    if (!name.startsWith(NOTE)) return [];
    try {
      const { url, record } = JSON.parse(value) as Remembered;
      return [{ url, record: parseRecord(Buffer.from(JSON.stringify(record)), name) }];
    } catch {
      return [];
    }
  });
}

function theOneMeant(versions: readonly Remembered[], reference: Reference): Remembered | undefined {
  if ("id" in reference) return versions.find(({ record }) => record.id === reference.id);
  const { project, name, label } = reference;
  const ofDataset = versions.filter(
    ({ record: { dataset } }) => dataset.project === project && dataset.name === name,
  );
  if (label !== undefined)
    return ofDataset.find(({ record }) => canonicalLabel(record.label) === canonicalLabel(label));
  const releases = ofDataset.filter(({ record }) => !isPrerelease(record.label));
  const candidates = releases.length > 0 ? releases : ofDataset;
  return candidates.sort((a, b) => compareLabels(a.record.label, b.record.label)).at(-1);
}
