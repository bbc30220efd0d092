/** The history of a version that was found in a remote, gathered from records into the catalog of its reader. */
import { isDatasetError } from "../errors.js";
import type { OpenedRemote, Workspace } from "./workspace.js";
import { takeAmendments } from "./amendment-objects.js";
import { type FoundVersion, importRecord, recordsOf } from "./history.js";
import { readName } from "./names.js";
import type { VersionRecord } from "./record.js";
import { type DatasetName, parseDatasetName, textOfDataset } from "./reference.js";

/** A dataset to be looked for in a remote, by its URL. */
interface Place {
  url: string;
  /** `project/name`. */
  dataset: string;
}

/**
 * Enters the ancestors of a version, and all else their datasets hold. Costs a listing a dataset and a request a version,
 * many at once. A branch that leads into a remote out of reach ends there.
 */
export async function gatherLineage(
  reader: Workspace,
  { dataset, version, remote }: FoundVersion,
): Promise<void> {
  const records = new Map<string, VersionRecord>();
  const asked = new Set<string>();
  let places: Place[] = [{ url: remote!, dataset: textOfDataset(dataset) }];
  while (places.length > 0) {
    for (const place of places) {
      asked.add(textOf(place));
      for (const record of await recordsAt(reader, place)) records.set(record.id, record);
    }
    places = missingPlaces(records, version.id).filter((place) => !asked.has(textOf(place)));
  }
}

/** Where parents may be whose records are not there yet, of a version and its ancestors. */
function missingPlaces(records: ReadonlyMap<string, VersionRecord>, start: string): Place[] {
  const places = new Map<string, Place>();
  const ids = new Set([start]);
  for (const id of ids) {
    const { parents = [], remotes = [] } = records.get(id) ?? {};
    for (const parent of parents) {
      ids.add(parent.id);
      if (records.has(parent.id)) continue;
      for (const place of remotes.map(({ url }) => ({ url, dataset: parent.dataset })))
        places.set(textOf(place), place);
    }
  }
  return [...places.values()];
}

async function recordsAt(reader: Workspace, { url, dataset }: Place): Promise<VersionRecord[]> {
  try {
    return await takeRecords(reader, await reader.openRemote(url), parseDatasetName(dataset));
  } catch (error) {
    if (!isDatasetError(error)) throw error;
    return [];
  }
}

async function takeRecords(
  reader: Workspace,
  opened: OpenedRemote,
  name: DatasetName,
): Promise<VersionRecord[]> {
  const { remote } = opened;
  const named = await readName(remote, name);
  if (!named) return [];
  const catalog = await reader.catalog();
  const known = await catalog.datasetById(named.id);
  const dataset = known ?? (await catalog.ensureDataset({ ...name, ...named }));
  const records: VersionRecord[] = [];
  for await (const record of recordsOf(remote, named.id)) {
    await importRecord(catalog, record);
    records.push(record);
  }
  await takeAmendments(reader, opened, dataset);
  return records;
}

function textOf({ url, dataset }: Place): string {
  return `${url}#${dataset}`;
}
