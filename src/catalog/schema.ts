/**
 * The tables of the catalog as Kysely sees them. Units: `…AtMs` is Unix time in milliseconds, UTC; `bytes` counts
 * bytes of content, `files` and what follows it count entries. Ids are 32 hex characters, hashes and digests 64.
 * Columns are integer, text or blob only, and a missing value is null, so that SQLite and PostgreSQL hold the same.
 * In the database names are in snake case (`created_at_ms`); text sorts bytewise (PostgreSQL: collation "C").
 */

import type { AmendmentTables } from "./schema-of-amendments.js";
import type { EventTables } from "./schema-of-events.js";

/** `committing`: its label is reserved and its bytes are on their way. `completed` and `published` never change. */
export type VersionState = "draft" | "committing" | "completed" | "published" | "failed";

export interface Tables extends AmendmentTables, EventTables {
  catalogFormat: CatalogFormatTable;
  projects: ProjectsTable;
  datasets: DatasetsTable;
  datasetTags: DatasetTagsTable;
  versions: VersionsTable;
  versionParents: VersionParentsTable;
  versionTags: VersionTagsTable;
  versionMetadata: VersionMetadataTable;
  versionAnnexes: VersionAnnexesTable;
  remotes: RemotesTable;
  versionRemotes: VersionRemotesTable;
  jobs: JobsTable;
  jobParameters: JobParametersTable;
  jobUses: JobUsesTable;
  versionJobs: VersionJobsTable;
  versionSources: VersionSourcesTable;
}

/**
 * All tables that hold what the catalog knows, each after those it refers to, with the columns of its primary key in the
 * order of that key: what `varve catalog copy` goes by.
 */
export const TABLES = {
  projects: ["id"],
  datasets: ["id"],
  datasetTags: ["datasetId", "tag"],
  versions: ["id"],
  versionParents: ["versionId", "position"],
  versionTags: ["versionId", "tag"],
  versionMetadata: ["versionId", "name"],
  versionAnnexes: ["versionId", "kind", "position"],
  remotes: ["id"],
  versionRemotes: ["versionId", "position"],
  jobs: ["id"],
  jobParameters: ["jobId", "name"],
  jobUses: ["jobId", "alias", "versionId"],
  versionJobs: ["versionId"],
  versionSources: ["versionId", "position"],
  amendmentPositions: ["datasetId", "remoteId"],
  amendedFields: ["subjectId", "field"],
  keptAmendments: ["datasetId", "remoteId", "number"],
  deletedVersions: ["versionId"],
  formerNames: ["project", "name", "datasetId"],
  eventCounter: ["id"],
  events: ["number"],
  watchers: ["name"],
  watcherFailures: ["watcher", "number"],
} as const satisfies Record<Exclude<keyof Tables, "catalogFormat">, readonly string[]>;

/** One row: which migrations have been made. */
export interface CatalogFormatTable {
  version: number;
}

export interface ProjectsTable {
  id: string;
  name: string;
}

export interface DatasetsTable {
  id: string;
  projectId: string;
  name: string;
  createdAtMs: number;
  /** 1 when lists leave it out, else 0. */
  archived: number;
}

export interface DatasetTagsTable {
  datasetId: string;
  tag: string;
}

export interface VersionsTable {
  id: string;
  datasetId: string;
  /** As somebody wrote it. */
  label: string;
  /** Completed with zeros, without a `v`; unique in its dataset. */
  canonicalLabel: string;
  /** Sorts as labels do (`labelOrder`). */
  labelOrder: string;
  /** 1 when the label has a pre-release part, else 0. */
  prerelease: number;
  state: VersionState;
  description: string;
  createdBy: string;
  createdAtMs: number;
  completedAtMs: number | null;
  /** The remote its record and root lie in. */
  remoteId: string;
  rootKey: string | null;
  rootHash: string | null;
  rootBytes: number | null;
  treeDigest: string | null;
  contentDigest: string | null;
  files: number | null;
  bytes: number | null;
  /** Entries by what happened to them since the parents. */
  added: number | null;
  modified: number | null;
  metadataChanged: number | null;
  removed: number | null;
  renamed: number | null;
  /** 1 when lists leave it out and `latest` never means it, else 0. */
  archived: number;
}

/** `parentId` may be a version this catalog has not heard of. `position` counts from 0. */
export interface VersionParentsTable {
  versionId: string;
  position: number;
  parentId: string;
}

export interface VersionTagsTable {
  versionId: string;
  tag: string;
}

/** `type` is a media type; `form` says what was put in, as the caller knows it. */
export interface VersionMetadataTable {
  versionId: string;
  name: string;
  type: string;
  form: string;
  /** Empty where the bytes lie elsewhere. */
  value: Uint8Array;
  /** JSON that says where. */
  attachment: string | null;
}

/** What belongs to a version beside its tree, by kind, in order. `position` counts from 0; `value` is JSON its kind knows. */
export interface VersionAnnexesTable {
  versionId: string;
  kind: string;
  position: number;
  value: string;
}

export interface RemotesTable {
  id: string;
  name: string | null;
  url: string;
}

/** Where a finished version's bytes may lie: its own remote at position 0, then those its history brought along. */
export interface VersionRemotesTable {
  versionId: string;
  position: number;
  remoteId: string;
}

/** What calls varve. `id` is the caller's own (`VARVE_JOB_ID`) or 32 hex characters. */
export interface JobsTable {
  id: string;
  name: string;
  /** Its command line, without what URLs hold of credentials. */
  command: string;
  host: string;
  startedBy: string;
  startedAtMs: number;
}

export interface JobParametersTable {
  jobId: string;
  name: string;
  value: string;
}

/** A version that a job used under an alias. The catalog need not know it: `reference` is what it was called then. */
export interface JobUsesTable {
  jobId: string;
  alias: string;
  versionId: string;
  reference: string;
  usedAtMs: number;
}

/** Which job made a version. The catalog need not know that job. */
export interface VersionJobsTable {
  versionId: string;
  jobId: string;
  jobName: string;
}

/** What a finished version was squashed from, by the names of then: `dataset` is `project/name`. They may be no more. */
export interface VersionSourcesTable {
  versionId: string;
  position: number;
  sourceId: string;
  dataset: string;
  label: string;
}
