/** The step of `migrations.ts` that made the tables of events and watchers. */
import type { ColumnDefinitionBuilder, Kysely } from "kysely";

import type { Tables } from "./schema.js";

export async function createEvents(db: Kysely<Tables>): Promise<void> {
  await db.schema
    .createTable("eventCounter")
    .addColumn("id", "integer", (column) => column.primaryKey().notNull())
    .addColumn("last", "bigint", notNull)
    .execute();
  await db.schema
    .createTable("events")
    .addColumn("number", "bigint", (column) => column.primaryKey().notNull())
    .addColumn("kind", "text", notNull)
    .addColumn("datasetId", "text", notNull)
    .addColumn("project", "text", notNull)
    .addColumn("name", "text", notNull)
    .addColumn("versionId", "text")
    .addColumn("label", "text")
    .addColumn("tag", "text")
    .addColumn("atMs", "bigint", notNull)
    .execute();
  await db.schema
    .createTable("watchers")
    .addColumn("name", "text", (column) => column.primaryKey().notNull())
    .addColumn("position", "bigint", notNull)
    .execute();
  await db.schema
    .createTable("watcherFailures")
    .addColumn("watcher", "text", (column) =>
      column.notNull().references("watchers.name").onDelete("cascade"),
    )
    .addColumn("number", "bigint", notNull)
    .addColumn("problem", "text", notNull)
    .addColumn("atMs", "bigint", notNull)
    .addPrimaryKeyConstraint("watcher_failures_key", ["watcher", "number"])
    .execute();
}

function notNull(column: ColumnDefinitionBuilder): ColumnDefinitionBuilder {
  return column.notNull();
}
