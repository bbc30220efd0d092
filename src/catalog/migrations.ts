/**
 * How the tables came to be, step by step. A step that has been released is never edited: a change is a further step.
 * Steps are the same for SQLite and PostgreSQL, so they are written in what both have:
 *
 * - Columns are `integer` (32 bits on PostgreSQL: positions and 0 or 1), `bigint` (times, sizes, counts), `text` or `blob`.
 *   `postgres/column-types.ts` makes `text` sort bytewise there and `blob` a `bytea`; nothing else is translated.
 * - Ids are made by the code, never by the database. A row is found by a primary key that is written down.
 * - Names of indexes and constraints are unique in the whole catalog. No foreign key leads to a table of a later step.
 * - Kysely's builders only. What changes rows sets every column it needs: there is no `replace`, no `rowid`, no `pragma`.
 *   Comparing and sorting text is bytewise; `like` heeds case on one of them only. Text holds no NUL on PostgreSQL.
 * - A transaction may run again from its start, and several may read what another is about to change: what reads before it
 *   writes is one transaction. In one, nothing goes on after a statement failed (PostgreSQL refuses), so look before you
 *   insert, or say `onConflict`.
 * - A new table stands in `TABLES` of `schema.ts` too, after those it refers to: `varve catalog copy` goes by that list.
 */
import type { ColumnDefinitionBuilder, Kysely } from "kysely";

import { DatasetError } from "../errors.js";
import { newerFormat } from "../format.js";
import { createAmendments, createDeletedVersions } from "./migrations-of-amendments.js";
import type { CatalogDatabase } from "./database.js";
import { createEvents } from "./migrations-of-events.js";
import type { Tables } from "./schema.js";

type Step = (db: Kysely<Tables>) => Promise<void>;

const STEPS: readonly Step[] = [
  createDatasets,
  createVersions,
  createRemotes,
  createVersionRemotes,
  createVersionAnnexes,
  createJobs,
  createVersionSources,
  createAmendments,
  createDeletedVersions,
  createEvents,
];

/** The newest format of a catalog that this code reads and writes. */
export const CATALOG_FORMAT = STEPS.length;

/**
 * Brings a catalog to `CATALOG_FORMAT`; one that is there already costs one read. Twenty processes may do this at once.
 *
 * @throws {DatasetError} `format-newer`; `format-damaged` for a database that is something else
 */
export async function migrate({ db, name, alone }: CatalogDatabase): Promise<void> {
  // A database without the table fails here; what else may be wrong with it fails again below.
  const format = await formatOf(db).catch(() => 0);
  if (format < CATALOG_FORMAT) await alone((trx) => takeSteps(trx, name));
  else checkFormat(format, name);
}

async function takeSteps(db: Kysely<Tables>, name: string): Promise<void> {
  const format = await startFormat(db, name);
  checkFormat(format, name);
  for (const step of STEPS.slice(format)) await step(db);
  await db.updateTable("catalogFormat").set({ version: CATALOG_FORMAT }).execute();
}

/** The format a catalog has; a new database is given the table that says so, with 0. */
async function startFormat(db: Kysely<Tables>, name: string): Promise<number> {
  const tables = await db.introspection.getTables();
  if (tables.some((table) => table.name === "catalog_format")) return formatOf(db);
  if (tables.length > 0) throw notACatalog(name, "it is a database of something else");
  await db.schema.createTable("catalogFormat").addColumn("version", "integer", notNull).execute();
  await db.insertInto("catalogFormat").values({ version: 0 }).execute();
  return 0;
}

async function formatOf(db: Kysely<Tables>): Promise<number> {
  const row = await db.selectFrom("catalogFormat").select("version").executeTakeFirst();
  return row?.version ?? 0;
}

function checkFormat(version: number, name: string): void {
  if (version > CATALOG_FORMAT) throw newerFormat(`catalog "${name}"`, version, CATALOG_FORMAT, name);
}

function notACatalog(what: string, problem: string): DatasetError<"format-damaged"> {
  const message = `Cannot open the catalog "${what}": ${problem}`;
  return new DatasetError("format-damaged", { what }, message);
}

async function createDatasets(db: Kysely<Tables>): Promise<void> {
  await db.schema
    .createTable("projects")
    .addColumn("id", "text", primaryKey)
    .addColumn("name", "text", (column) => column.notNull().unique())
    .execute();
  await db.schema
    .createTable("datasets")
    .addColumn("id", "text", primaryKey)
    .addColumn("projectId", "text", (column) => column.notNull().references("projects.id"))
    .addColumn("name", "text", notNull)
    .addColumn("createdAtMs", "bigint", notNull)
    .addUniqueConstraint("datasets_name", ["projectId", "name"])
    .execute();
  await db.schema
    .createTable("datasetTags")
    .addColumn("datasetId", "text", ownedBy("datasets.id"))
    .addColumn("tag", "text", notNull)
    .addPrimaryKeyConstraint("dataset_tags_key", ["datasetId", "tag"])
    .execute();
}

async function createVersions(db: Kysely<Tables>): Promise<void> {
  await createVersionsTable(db);
  await db.schema.createIndex("versions_order").on("versions").columns(["datasetId", "labelOrder"]).execute();
  // In the order in which `latestVersion` looks: releases before pre-releases, the highest first.
  await db.schema
    .createIndex("versions_latest")
    .on("versions")
    .columns(["datasetId", "prerelease", "labelOrder desc"])
    .execute();
  await db.schema.createIndex("versions_state").on("versions").columns(["state", "createdAtMs"]).execute();
  await db.schema
    .createTable("versionParents")
    .addColumn("versionId", "text", ownedBy("versions.id"))
    .addColumn("position", "integer", notNull)
    .addColumn("parentId", "text", notNull)
    .addPrimaryKeyConstraint("version_parents_key", ["versionId", "position"])
    .execute();
  await db.schema.createIndex("version_parents_parent").on("versionParents").column("parentId").execute();
  await db.schema
    .createTable("versionTags")
    .addColumn("versionId", "text", ownedBy("versions.id"))
    .addColumn("tag", "text", notNull)
    .addPrimaryKeyConstraint("version_tags_key", ["versionId", "tag"])
    .execute();
  await db.schema
    .createTable("versionMetadata")
    .addColumn("versionId", "text", ownedBy("versions.id"))
    .addColumn("name", "text", notNull)
    .addColumn("type", "text", notNull)
    .addColumn("value", "blob", notNull) // The one type that PostgreSQL calls otherwise (bytea).
    .addPrimaryKeyConstraint("version_metadata_key", ["versionId", "name"])
    .execute();
}

function createVersionsTable(db: Kysely<Tables>): Promise<void> {
  return db.schema
    .createTable("versions")
    .addColumn("id", "text", primaryKey)
    .addColumn("datasetId", "text", (column) => column.notNull().references("datasets.id"))
    .addColumn("label", "text", notNull)
    .addColumn("canonicalLabel", "text", notNull)
    .addColumn("labelOrder", "text", notNull)
    .addColumn("prerelease", "integer", notNull)
    .addColumn("state", "text", notNull)
    .addColumn("description", "text", notNull)
    .addColumn("createdBy", "text", notNull)
    .addColumn("createdAtMs", "bigint", notNull)
    .addColumn("completedAtMs", "bigint")
    .addColumn("remoteId", "text", notNull)
    .addColumn("rootKey", "text")
    .addColumn("rootHash", "text")
    .addColumn("rootBytes", "bigint")
    .addColumn("treeDigest", "text")
    .addColumn("contentDigest", "text")
    .addColumn("files", "bigint")
    .addColumn("bytes", "bigint")
    .addColumn("added", "bigint")
    .addColumn("modified", "bigint")
    .addColumn("metadataChanged", "bigint")
    .addColumn("removed", "bigint")
    .addColumn("renamed", "bigint")
    .addUniqueConstraint("versions_label", ["datasetId", "canonicalLabel"])
    .execute();
}

async function createRemotes(db: Kysely<Tables>): Promise<void> {
  await db.schema
    .createTable("remotes")
    .addColumn("id", "text", primaryKey)
    .addColumn("name", "text", (column) => column.unique())
    .addColumn("url", "text", notNull)
    .execute();
}

async function createVersionRemotes(db: Kysely<Tables>): Promise<void> {
  await db.schema
    .createTable("versionRemotes")
    .addColumn("versionId", "text", ownedBy("versions.id"))
    .addColumn("position", "integer", notNull)
    .addColumn("remoteId", "text", notNull)
    .addPrimaryKeyConstraint("version_remotes_key", ["versionId", "position"])
    .execute();
  await db.schema.createIndex("version_remotes_remote").on("versionRemotes").column("remoteId").execute();
}

async function createVersionAnnexes(db: Kysely<Tables>): Promise<void> {
  const bytesUnlessSaid = (column: ColumnDefinitionBuilder) => column.notNull().defaultTo("bytes");
  await db.schema.alterTable("versionMetadata").addColumn("form", "text", bytesUnlessSaid).execute();
  await db.schema.alterTable("versionMetadata").addColumn("attachment", "text").execute();
  await db.schema
    .createTable("versionAnnexes")
    .addColumn("versionId", "text", ownedBy("versions.id"))
    .addColumn("kind", "text", notNull)
    .addColumn("position", "integer", notNull)
    .addColumn("value", "text", notNull)
    .addPrimaryKeyConstraint("version_annexes_key", ["versionId", "kind", "position"])
    .execute();
}

async function createJobs(db: Kysely<Tables>): Promise<void> {
  await db.schema
    .createTable("jobs")
    .addColumn("id", "text", primaryKey)
    .addColumn("name", "text", notNull)
    .addColumn("command", "text", notNull)
    .addColumn("host", "text", notNull)
    .addColumn("startedBy", "text", notNull)
    .addColumn("startedAtMs", "bigint", notNull)
    .execute();
  await db.schema
    .createTable("jobParameters")
    .addColumn("jobId", "text", ownedBy("jobs.id"))
    .addColumn("name", "text", notNull)
    .addColumn("value", "text", notNull)
    .addPrimaryKeyConstraint("job_parameters_key", ["jobId", "name"])
    .execute();
  await db.schema
    .createTable("jobUses")
    .addColumn("jobId", "text", ownedBy("jobs.id"))
    .addColumn("alias", "text", notNull)
    .addColumn("versionId", "text", notNull)
    .addColumn("reference", "text", notNull)
    .addColumn("usedAtMs", "bigint", notNull)
    .addPrimaryKeyConstraint("job_uses_key", ["jobId", "alias", "versionId"])
    .execute();
  await db.schema.createIndex("job_uses_version").on("jobUses").column("versionId").execute();
  await db.schema
    .createTable("versionJobs")
    .addColumn("versionId", "text", (column) => ownedBy("versions.id")(column).primaryKey())
    .addColumn("jobId", "text", notNull)
    .addColumn("jobName", "text", notNull)
    .execute();
  await db.schema.createIndex("version_jobs_job").on("versionJobs").column("jobId").execute();
}

async function createVersionSources(db: Kysely<Tables>): Promise<void> {
  await db.schema
    .createTable("versionSources")
    .addColumn("versionId", "text", ownedBy("versions.id"))
    .addColumn("position", "integer", notNull)
    .addColumn("sourceId", "text", notNull)
    .addColumn("dataset", "text", notNull)
    .addColumn("label", "text", notNull)
    .addPrimaryKeyConstraint("version_sources_key", ["versionId", "position"])
    .execute();
}

function primaryKey(column: ColumnDefinitionBuilder): ColumnDefinitionBuilder {
  return column.primaryKey().notNull(); // SQLite takes null for a key of text unless told otherwise.
}

function notNull(column: ColumnDefinitionBuilder): ColumnDefinitionBuilder {
  return column.notNull();
}

/** A column whose rows go when their owner goes. */
function ownedBy(owner: string): (column: ColumnDefinitionBuilder) => ColumnDefinitionBuilder {
  return (column) => column.notNull().references(owner).onDelete("cascade");
}
