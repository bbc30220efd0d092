/** What of the catalog lies in one remote. */
import type { RemoteId } from "../content/chunk.js";
import { type FoundVersion, isFinished } from "./history.js";
import type { Workspace } from "./workspace.js";

/** All finished versions whose record lies in a remote. */
export async function versionsIn(workspace: Workspace, remote: RemoteId): Promise<FoundVersion[]> {
  const catalog = await workspace.catalog();
  const found: FoundVersion[] = [];
  for (const dataset of await catalog.listDatasets({ archived: true }))
    for (const version of await catalog.listVersions(dataset.id))
      if (version.remoteId === remote && isFinished(version)) found.push({ dataset, version });
  return found;
}
