/**
 * Changes what may change of a finished version or a dataset, and tells others: beside the data first, then in the catalog.
 * A version's amendment lies where its record lies; a dataset's in every remote that holds versions of it.
 */
import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import type { Change, Dataset as DatasetRow, VersionRow } from "../catalog/catalog.js";
import type { RemoteId } from "../content/chunk.js";
import { DatasetError, isDatasetError, messageOf } from "../errors.js";
import { writeAmendment } from "./amendment-objects.js";
import { isFinished } from "./history.js";
import { textOfDataset } from "./reference.js";
import type { Workspace } from "./workspace.js";

/**
 * Makes a change to a version (the one `change` names) or to a whole dataset. Costs a listing and two requests a remote.
 * A draft has no record yet: its change stays in the catalog until the record tells it.
 *
 * @throws {DatasetError} `not-found`; `offline`, `remote-failed`, `remote-refused` when no remote could be told
 */
export async function amend(workspace: Workspace, dataset: DatasetRow, change: Change): Promise<void> {
  if (change.version === undefined) return amendDataset(workspace, dataset, change);
  const catalog = await workspace.catalog();
  const version = await catalog.versionById(change.version);
  if (version?.datasetId !== dataset.id) throw notOfDataset(dataset, change.version);
  if (!isFinished(version)) return catalog.changeDraft(dataset.id, change);
  await write(workspace, dataset, version.remoteId, { id: newAmendmentId(), change });
}

/** One out of reach is told nothing: who reads only that one learns of it when the change is made again. */
async function amendDataset(workspace: Workspace, dataset: DatasetRow, change: Change): Promise<void> {
  const id = newAmendmentId();
  const remotes = await remotesOfDataset(workspace, dataset);
  const failures: unknown[] = [];
  for (const remoteId of remotes)
    try {
      await write(workspace, dataset, remoteId, { id, change });
    } catch (error) {
      if (!isDatasetError(error)) throw error;
      failures.push(error);
    }
  if (failures.length === remotes.length) throw failures[0] ?? nowhere(dataset);
  for (const failure of failures)
    workspace.notice(`One remote of "${textOfDataset(dataset)}" was not told: ${messageOf(failure)}`);
}

async function write(
  workspace: Workspace,
  dataset: DatasetRow,
  remoteId: string,
  amendment: { id: string; change: Change },
): Promise<void> {
  const id = remoteId as RemoteId;
  const remote = await workspace.remote(id);
  await writeAmendment(workspace, { id, remote }, dataset, amendment);
  if (!workspace.isOffline) return;
  const { zipBundle } = await import("./bundle-zip.js");
  await zipBundle(fileURLToPath(remote.url)); // The zip is what is carried away.
}

/** Ids of the remotes that hold versions of a dataset, or will, those of the oldest labels first. */
export async function remotesOfDataset(workspace: Workspace, dataset: DatasetRow): Promise<RemoteId[]> {
  const versions: VersionRow[] = await (await workspace.catalog()).listVersions(dataset.id);
  return [...new Set(versions.map(({ remoteId }) => remoteId as RemoteId))];
}

function newAmendmentId(): string {
  return randomBytes(16).toString("hex");
}

function notOfDataset(dataset: DatasetRow, id: string): DatasetError<"not-found"> {
  const what = `version "${id}"`;
  const message = `Cannot change the ${what}: "${textOfDataset(dataset)}" has no such version`;
  return new DatasetError("not-found", { what }, message);
}

function nowhere(dataset: DatasetRow): DatasetError<"not-found"> {
  const what = textOfDataset(dataset);
  return new DatasetError("not-found", { what }, `Cannot change "${what}": it has no version yet`);
}
