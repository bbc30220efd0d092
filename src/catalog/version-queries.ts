/** Reading versions: by id, by label, by lineage. Nothing here writes. */
import type { Kysely } from "kysely";

import type { Tables, VersionState } from "./schema.js";
import { FINISHED, VERSION_COLUMNS, type VersionRow, findByLabel, findVersion } from "./version-row.js";

export interface VersionQueries {
  versionById(id: string): Promise<VersionRow | undefined>;
  /** The version whose label means the same: `1.0` finds `v1.0.0`. @throws {DatasetError} `bad-input` */
  versionByLabel(datasetId: string, label: string): Promise<VersionRow | undefined>;
  /** The versions of a dataset, of all states or the given ones, the lowest label first. */
  listVersions(
    datasetId: string,
    filter?: { states?: readonly VersionState[] | undefined },
  ): Promise<VersionRow[]>;
  /** The highest label among finished versions that are not archived; a pre-release only where there is nothing else. */
  latestVersion(datasetId: string): Promise<VersionRow | undefined>;
  /** Files and bytes of all finished versions together, each counted as if it were alone. */
  finishedTotals(): Promise<{ files: number; bytes: number }>;
  /** The ids of a version's parents, in order. This catalog need not know them. */
  parentsOf(versionId: string): Promise<string[]>;
  /** The versions that have this one among their parents, in any state, the one made first at the front. */
  childrenOf(versionId: string): Promise<VersionRow[]>;
  /** The finished versions of a dataset that have no finished child in it and are not archived, the lowest label first. */
  finishedLeaves(datasetId: string): Promise<VersionRow[]>;
  /** The drafts that a user of this name made, also those being completed, the last one at the front. */
  draftsOf(createdBy: string): Promise<VersionRow[]>;
}

export function versionQueries(db: Kysely<Tables>): VersionQueries {
  const versions = db.selectFrom("versions").select(VERSION_COLUMNS);

  return {
    versionById: (id) => findVersion(db, id),
    versionByLabel: async (datasetId, label) => findByLabel(db, datasetId, label),
    listVersions(datasetId, { states } = {}) {
      const all = versions.where("datasetId", "=", datasetId).orderBy("labelOrder");
      return (states ? all.where("state", "in", states) : all).execute();
    },
    latestVersion: (datasetId) =>
      versions
        .where("datasetId", "=", datasetId)
        .where("state", "in", FINISHED)
        .where("archived", "=", 0)
        .orderBy("prerelease")
        .orderBy("labelOrder", "desc")
        .limit(1)
        .executeTakeFirst(),
    async finishedTotals() {
      const sums = db
        .selectFrom("versions")
        .where("state", "in", FINISHED)
        .select(({ fn }) => [
          fn.sum<number | null>("files").as("files"),
          fn.sum<number | null>("bytes").as("bytes"),
        ]);
      const { files, bytes } = await sums.executeTakeFirstOrThrow();
      return { files: Number(files), bytes: Number(bytes) };
    },
    async parentsOf(versionId) {
      const parents = db.selectFrom("versionParents").select("parentId").where("versionId", "=", versionId);
      return (await parents.orderBy("position").execute()).map(({ parentId }) => parentId);
    },
    childrenOf(versionId) {
      const children = db.selectFrom("versionParents").select("versionId").where("parentId", "=", versionId);
      return versions.where("id", "in", children).orderBy("createdAtMs").orderBy("labelOrder").execute();
    },
    finishedLeaves(datasetId) {
      const parents = db
        .selectFrom("versionParents")
        .innerJoin("versions as child", "child.id", "versionParents.versionId")
        .select("versionParents.parentId")
        .where("child.datasetId", "=", datasetId)
        .where("child.state", "in", FINISHED);
      const finished = versions
        .where("datasetId", "=", datasetId)
        .where("state", "in", FINISHED)
        .where("archived", "=", 0);
      return finished.where("id", "not in", parents).orderBy("labelOrder").execute();
    },
    draftsOf: (createdBy) =>
      versions
        .where("state", "in", ["draft", "committing"])
        .where("createdBy", "=", createdBy)
        .orderBy("createdAtMs", "desc")
        .orderBy("labelOrder", "desc")
        .execute(),
  };
}
