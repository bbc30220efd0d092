/** Records of a remote and versions of the catalog, held against each other. */
import { isDatasetError, messageOf } from "../../errors.js";
import { mapInOrder } from "../../content/in-order.js";
import type { ObjectKey } from "../../remote/remote.js";
import { isFinished } from "../history.js";
import {
  DATASETS_PREFIX,
  type VersionRecord,
  isRecordKey,
  readRecordUnlessDeleted,
  recordKey,
} from "../record.js";
import { type DatasetId, textOfDataset } from "../reference.js";
import type { OpenedRemote, Workspace } from "../workspace.js";
import type { Problems } from "./fsck.js";

const READS_AT_ONCE = 32;

/** Notes what differs. `isCatalogBehind`: the remote tells of versions that the catalog has not heard of. */
export async function checkRecords(
  workspace: Workspace,
  opened: OpenedRemote,
  problems: Problems,
): Promise<{ isCatalogBehind: boolean }> {
  const records = await readRecords(opened, problems);
  const catalog = await workspace.catalog();
  let isCatalogBehind = false;
  for (const record of records.values()) {
    if (!record || (await catalog.versionById(record.id))) continue;
    isCatalogBehind = true;
    const problem = "the catalog has not heard of this version";
    const key = recordKey(record.dataset.id, record.label);
    problems.note(
      { what: "catalog", state: "missing", remote: opened.remote.url, key, problem },
      nameOf(record),
    );
  }
  await checkCatalog(workspace, opened, records, problems);
  return { isCatalogBehind };
}

/** By key: undefined for one that was deleted, or cannot be read. */
async function readRecords(
  { remote }: OpenedRemote,
  problems: Problems,
): Promise<Map<ObjectKey, VersionRecord | undefined>> {
  const keys: ObjectKey[] = [];
  for await (const { key } of remote.list(DATASETS_PREFIX)) if (isRecordKey(key)) keys.push(key);
  const records = new Map<ObjectKey, VersionRecord | undefined>();
  const read = async (key: ObjectKey) => {
    try {
      return { key, record: await readRecordUnlessDeleted(remote, key) };
    } catch (error) {
      if (!isDatasetError(error)) throw error;
      problems.note({ what: "record", state: "damaged", remote: remote.url, key, problem: messageOf(error) });
      return { key, record: undefined };
    }
  };
  for await (const { key, record } of mapInOrder(keys, READS_AT_ONCE, read)) records.set(key, record);
  return records;
}

async function checkCatalog(
  workspace: Workspace,
  { id, remote: { url: remote } }: OpenedRemote,
  records: ReadonlyMap<ObjectKey, VersionRecord | undefined>,
  problems: Problems,
): Promise<void> {
  const catalog = await workspace.catalog();
  for (const dataset of await catalog.listDatasets({ archived: true }))
    for (const version of await catalog.listVersions(dataset.id)) {
      if (version.remoteId !== id || !isFinished(version)) continue;
      const key = recordKey(dataset.id as DatasetId, version.label);
      const name = `${textOfDataset(dataset)}@${version.label}`;
      const record = records.get(key);
      if (!records.has(key))
        problems.note(
          { what: "record", state: "missing", remote, key, problem: "the version has no record" },
          name,
        );
      else if (record && (record.id !== version.id || record.digest !== version.treeDigest))
        problems.note(
          { what: "catalog", state: "different", remote, key, problem: differing(record.id === version.id) },
          name,
        );
    }
}

function differing(isSameVersion: boolean): string {
  const what = isSameVersion ? "another content" : "another version under this label";
  return `the record tells of ${what} than the catalog`;
}

function nameOf({ dataset, label }: VersionRecord): string {
  return `${textOfDataset(dataset)}@${label}`;
}
