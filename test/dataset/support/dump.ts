/** All a catalog holds but drafts, jobs and watches, and the names a user gave to remotes, to be compared whole. */
import type { Catalog } from "../../../src/catalog/catalog.js";
import type { Workspace } from "../../../src/dataset/workspace.js";

export async function dump(workspace: Workspace) {
  const catalog = await workspace.catalog();
  const datasets = await Promise.all(
    (await catalog.listDatasets({ archived: true })).map(async (dataset) => ({
      ...dataset,
      tags: await catalog.datasetTags(dataset.id),
      versions: await versionsIn(catalog, dataset.id),
    })),
  );
  const remotes = (await catalog.listRemotes()).map(({ id, url }) => ({ id, url }));
  return { projects: await catalog.listProjects(), datasets, remotes };
}

async function versionsIn(catalog: Catalog, dataset: string): Promise<unknown[]> {
  const rows = await catalog.listVersions(dataset, { states: ["completed", "published"] });
  return Promise.all(
    rows.map(async (row) => ({
      ...row,
      parents: await catalog.parentsOf(row.id),
      tags: await catalog.versionTags(row.id),
      metadata: await catalog.listMetadata(row.id),
      fileMetadata: await catalog.annexesOf(row.id, "fileMetadata"),
      reports: await catalog.annexesOf(row.id, "reports"),
      remotes: await catalog.remotesOfVersion(row.id),
    })),
  );
}
