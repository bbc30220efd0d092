/** Who needs a version: jobs that used it under an alias, and versions that have it among their parents. */
import { type FoundVersion, nameOfVersion } from "./history.js";
import type { Workspace } from "./workspace.js";

export interface UsedBy {
  id: string;
  /** `project/name@label`. */
  reference: string;
  /** The last use first. */
  jobs: { id: string; name: string; alias: string; used: string; host: string; command: string }[];
  /** Also drafts; the one made first at the front. */
  children: { id: string; reference: string; state: string }[];
}

/** As far as this catalog knows. Times are ISO 8601. */
export async function usedBy(workspace: Workspace, found: FoundVersion): Promise<UsedBy> {
  const catalog = await workspace.catalog();
  const jobs: UsedBy["jobs"] = [];
  for (const { jobId, alias, usedAtMs } of await catalog.usesOfVersion(found.version.id)) {
    const { name = "", host = "", command = "" } = (await catalog.jobById(jobId)) ?? {};
    jobs.push({ id: jobId, name, alias, used: new Date(usedAtMs).toISOString(), host, command });
  }
  const children: UsedBy["children"] = [];
  for (const version of await catalog.childrenOf(found.version.id)) {
    const dataset = await catalog.datasetById(version.datasetId);
    if (dataset)
      children.push({ id: version.id, reference: nameOfVersion({ dataset, version }), state: version.state });
  }
  return { id: found.version.id, reference: nameOfVersion(found), jobs, children };
}
