/**
 * The catalog: the database of projects, datasets, versions, tags, metadata and remotes. This file opens and closes
 * it; what can be asked of it stands in `datasets.ts`, `versions.ts`, `version-queries.ts`, `version-search.ts`, `lineage.ts`,
 * `annotations.ts`, `amendments.ts`, `jobs.ts` and `remotes.ts`. It keeps what it is told: names were checked by whoever took them from outside.
 */
import { DatasetError } from "../errors.js";
import { type Amendments, amendments } from "./amendments.js";
import { type Annotations, annotations } from "./annotations.js";
import { type Datasets, datasets } from "./datasets.js";
import { type Jobs, jobs } from "./jobs.js";
import { type Lineage, lineage } from "./lineage.js";
import { migrate } from "./migrations.js";
import { type Remotes, remotes } from "./remotes.js";
import { openSqlite } from "./sqlite.js";
import { type VersionQueries, versionQueries } from "./version-queries.js";
import { type VersionSearches, versionSearches } from "./version-search.js";
import { type Versions, versions } from "./versions.js";

export type { Amendment, Change } from "./amendment.js";
export type { StoredAmendment } from "./amendments.js";
export type { Belongings, Metadata } from "./annotations.js";
export type { Dataset, NewDataset } from "./datasets.js";
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
 * Opens the catalog in the file `path`, which is made with its folder where it is missing and brought to the format of
 * this code where it is older. Any number of processes may do so, and write, at once.
 *
 * @throws {DatasetError} `format-newer`; `format-damaged` for a file that is no catalog; `unsupported` for a URL
 */
export async function openCatalog(path: string, { now = Date.now }: CatalogOptions = {}): Promise<Catalog> {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(path)) throw noServers(path);
  const db = await openSqlite(path);
  try {
    await migrate(db, path);
  } catch (error) {
    await db.destroy();
    throw error;
  }
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
    ...remotes(db),
    close: () => (closing ??= db.destroy()),
  };
}

/** The URL may hold a password, so only its scheme is shown. */
function noServers(url: string): DatasetError<"unsupported"> {
  const what = `${url.slice(0, url.indexOf(":"))}:// catalogs`;
  const message = `Cannot open the catalog: this version of varve has no ${what} yet; give the path of a file`;
  return new DatasetError("unsupported", { what }, message);
}
