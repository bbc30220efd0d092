/** What a catalog knows of a dataset at the least cost: for who looks in remotes for what it does not know. */
import type { Kysely } from "kysely";

import type { RemoteRow } from "./remotes.js";
import type { Tables } from "./schema.js";
import { FINISHED } from "./version-row.js";

export interface KnownVersions {
  /** Labels of a dataset's finished versions and of those deleted, in no order: their records tell nothing new. */
  settledLabels(datasetId: string): Promise<string[]>;
  /** The remotes that a dataset's versions of any state were made in, sorted by URL. */
  remotesOfDataset(datasetId: string): Promise<RemoteRow[]>;
}

export function knownVersions(db: Kysely<Tables>): KnownVersions {
  return {
    async settledLabels(datasetId) {
      const finished = db.selectFrom("versions").select("label").where("state", "in", FINISHED);
      const deleted = db.selectFrom("deletedVersions").select("label").where("datasetId", "=", datasetId);
      const settled = finished.where("datasetId", "=", datasetId).unionAll(deleted);
      return (await settled.execute()).map(({ label }) => label);
    },
    remotesOfDataset(datasetId) {
      const ids = db.selectFrom("versions").select("remoteId").where("datasetId", "=", datasetId);
      return db.selectFrom("remotes").selectAll().where("id", "in", ids).orderBy("url").execute();
    },
  };
}
