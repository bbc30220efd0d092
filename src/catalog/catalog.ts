/**
 * The catalog: the database of projects, datasets, versions, tags, metadata and remotes. This file opens and closes
 * it; what can be asked of it stands in `datasets.ts`, `versions.ts`, `version-queries.ts`, `version-search.ts`, `lineage.ts`,
 * `annotations.ts`, `amendments.ts`, `dataset-names.ts`, `known-versions.ts`, `events.ts`, `jobs.ts` and `remotes.ts`. It keeps what it is told: names were checked by whoever took them from outside.
 */
import { type Amendments, amendments } from "./amendments.js";
import { type Annotations, annotations } from "./annotations.js";
import { type DatasetNames, datasetNames } from "./dataset-names.js";
import { type Datasets, datasets } from "./datasets.js";
import { type Events, events } from "./events.js";
import { type Jobs, jobs } from "./jobs.js";
import { type KnownVersions, knownVersions } from "./known-versions.js";
import { type Lineage, lineage } from "./lineage.js";
import { openDatabase } from "./open-database.js";
import { type Remotes, remotes } from "./remotes.js";
import { type VersionQueries, versionQueries } from "./version-queries.js";
import { type VersionSearches, versionSearches } from "./version-search.js";
import { type Versions, versions } from "./versions.js";

export type { Amendment, Change } from "./amendment.js";
export type { StoredAmendment } from "./amendments.js";
export type { Belongings, Metadata } from "./annotations.js";
export type { Dataset, NewDataset } from "./datasets.js";
export type { CatalogEvent } from "./events.js";
export type { JobRow, JobUse } from "./jobs.js";
export type { ParentEdge, SquashedSource } from "./lineage.js";
export type { RemoteRow } from "./remotes.js";
export type { VersionState } from "./schema.js";
export type { VersionRow } from "./version-row.js";
export type { VersionSearch } from "./version-search.js";
export type { ImportedVersion, NewVersion, VersionChanges } from "./versions.js";

export interface Catalog
  extends
    Datasets,
    Versions,
    VersionQueries,
    VersionSearches,
    Lineage,
    Annotations,
    Amendments,
    Events,
    DatasetNames,
    KnownVersions,
    Jobs,
    Remotes {
  /** Twice is the same as once. */
  close(): Promise<void>;
}

export interface CatalogOptions {
  /** Unix ms, for times that are not given. Default `Date.now`. */
  now?: () => number;
}

/**
 * Opens the catalog in a file, which is made with its folder where it is missing, or on a PostgreSQL server by its URL.
 * One that is empty is given tables; an older one is brought to the format of this code. Any number of processes may do so,
 * and write, at once.
 *
 * @param place A path, or `postgres://user@host:port/database` (`postgres/url.ts`).
 * @throws {DatasetError} `format-newer`; `format-damaged` for what is no catalog; of a server also `catalog-failed`,
 *   `catalog-refused`, `not-found`, `deadline`; `unsupported` for a URL of another kind
 */
export async function openCatalog(place: string, { now = Date.now }: CatalogOptions = {}): Promise<Catalog> {
  const { db } = await openDatabase(place);
  let closing: Promise<void> | undefined;
  return {
    ...datasets(db, now),
    ...versions(db, now),
    ...versionQueries(db),
    ...versionSearches(db),
    ...lineage(db),
    ...annotations(db),
    ...jobs(db),
    ...amendments(db),
    ...datasetNames(db),
    ...knownVersions(db),
    ...events(db, now),
    ...remotes(db),
    close: () => (closing ??= db.destroy()),
  };
}
