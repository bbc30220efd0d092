/** The steps of `migrations.ts` that made the tables of amendments, of deleted versions and of former names. */
import type { ColumnDefinitionBuilder, Kysely } from "kysely";

import type { Tables } from "./schema.js";

export async function createAmendments(db: Kysely<Tables>): Promise<void> {
  for (const table of ["datasets", "versions"] as const)
    await db.schema
      .alterTable(table)
      .addColumn("archived", "integer", (column) => column.notNull().defaultTo(0))
      .execute();
  await db.schema
    .createTable("amendmentPositions")
    .addColumn("datasetId", "text", ofDataset)
    .addColumn("remoteId", "text", notNull)
    .addColumn("number", "bigint", notNull)
    .addPrimaryKeyConstraint("amendment_positions_key", ["datasetId", "remoteId"])
    .execute();
  await db.schema
    .createTable("amendedFields")
    .addColumn("datasetId", "text", ofDataset)
    .addColumn("subjectId", "text", notNull)
    .addColumn("field", "text", notNull)
    .addColumn("stampMs", "bigint", notNull)
    .addColumn("amendmentId", "text", notNull)
    .addPrimaryKeyConstraint("amended_fields_key", ["subjectId", "field"])
    .execute();
  await db.schema
    .createIndex("amended_fields_dataset")
    .on("amendedFields")
    .columns(["datasetId", "stampMs"])
    .execute();
  await db.schema
    .createTable("keptAmendments")
    .addColumn("datasetId", "text", ofDataset)
    .addColumn("remoteId", "text", notNull)
    .addColumn("number", "bigint", notNull)
    .addColumn("versionId", "text")
    .addColumn("content", "text", notNull)
    .addPrimaryKeyConstraint("kept_amendments_key", ["datasetId", "remoteId", "number"])
    .execute();
}

export async function createDeletedVersions(db: Kysely<Tables>): Promise<void> {
  await db.schema
    .createTable("deletedVersions")
    .addColumn("versionId", "text", (column) => column.primaryKey().notNull())
    .addColumn("datasetId", "text", ofDataset)
    .addColumn("label", "text", notNull)
    .addColumn("canonicalLabel", "text", notNull)
    .addColumn("labelOrder", "text", notNull)
    .addColumn("deletedAtMs", "bigint", notNull)
    .execute();
  await db.schema
    .createIndex("deleted_versions_order")
    .on("deletedVersions")
    .columns(["datasetId", "labelOrder"])
    .execute();
  await db.schema
    .createTable("formerNames")
    .addColumn("project", "text", notNull)
    .addColumn("name", "text", notNull)
    .addColumn("datasetId", "text", ofDataset)
    .addPrimaryKeyConstraint("former_names_key", ["project", "name", "datasetId"])
    .execute();
}

function notNull(column: ColumnDefinitionBuilder): ColumnDefinitionBuilder {
  return column.notNull();
}

/** A column whose rows go when their dataset goes. */
function ofDataset(column: ColumnDefinitionBuilder): ColumnDefinitionBuilder {
  return column.notNull().references("datasets.id").onDelete("cascade");
}
