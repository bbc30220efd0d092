/** The record of a finished version, made anew from what the catalog knows of it. */
import type { Catalog, VersionRow } from "../../catalog/catalog.js";
import type { RemoteId } from "../../content/chunk.js";
import { recordedBelongings } from "../belongings.js";
import { FILE_METADATA_KIND } from "../file-metadata/table.js";
import type { FoundVersion } from "../history.js";
import { type VersionRecord, parseRecord } from "../record.js";
import { textOfDataset } from "../reference.js";
import { REPORTS_KIND } from "../reports/version-reports.js";
import { SIGNATURE_KIND } from "../signing/signatures.js";
import type { Workspace } from "../workspace.js";

/** What was amended since stands in it, as the amendments beside it say too. @throws {DatasetError} `format-damaged` where the catalog lacks something */
export async function recordOf(workspace: Workspace, found: FoundVersion): Promise<VersionRecord> {
  const { dataset, version } = found;
  const catalog = await workspace.catalog();
  const { id, label } = version;
  const job = await catalog.jobOfVersion(id);
  const annexes = {
    [FILE_METADATA_KIND]: await catalog.annexesOf(id, FILE_METADATA_KIND),
    [REPORTS_KIND]: await catalog.annexesOf(id, REPORTS_KIND),
    [SIGNATURE_KIND]: await catalog.annexesOf(id, SIGNATURE_KIND),
  };
  const record = {
    format: 1,
    id,
    dataset: { id: dataset.id, project: dataset.project, name: dataset.name },
    label,
    parents: await parentsOf(catalog, id),
    published: version.state === "published",
    description: version.description,
    tags: await catalog.versionTags(id),
    createdBy: version.createdBy,
    ...(job && { job: { id: job.id, name: job.name } }),
    createdAtMs: version.createdAtMs,
    completedAtMs: version.completedAtMs,
    root: { key: version.rootKey, hash: version.rootHash, bytes: version.rootBytes },
    digest: version.treeDigest,
    contentDigest: version.contentDigest,
    files: version.files,
    bytes: version.bytes,
    changes: changesOf(version),
    remotes: await remotesOf(catalog, version),
    ...recordedBelongings({ metadata: await catalog.listMetadata(id), annexes }),
  };
  return parseRecord(Buffer.from(JSON.stringify(record)), `catalog: ${textOfDataset(dataset)}@${label}`);
}

function changesOf({ added, modified, metadataChanged: metadata, removed, renamed }: VersionRow) {
  return { added, modified, metadata, removed, renamed };
}

/** A parent that the catalog does not know is named by its id. */
async function parentsOf(catalog: Catalog, id: string): Promise<VersionRecord["parents"]> {
  const ids = await catalog.parentsOf(id);
  return Promise.all(
    ids.map(async (parent) => {
      const version = await catalog.versionById(parent);
      const dataset = version && (await catalog.datasetById(version.datasetId));
      return { id: parent, dataset: dataset ? textOfDataset(dataset) : "", label: version?.label ?? "" };
    }),
  );
}

async function remotesOf(catalog: Catalog, { id, remoteId }: VersionRow): Promise<VersionRecord["remotes"]> {
  const ids = new Set([remoteId, ...(await catalog.remotesOfVersion(id))]);
  const rows = await Promise.all([...ids].map((each) => catalog.remoteById(each)));
  return rows.flatMap((row) => (row ? [{ id: row.id as RemoteId, url: row.url }] : []));
}
