/**
 * Where the catalogs of tests' users lie: in a file of the user's home, or with `VARVE_TEST_CATALOG=postgres` in the
 * environment in a database of their own on one server; and what tests do to a catalog behind its users' backs, on either.
 */
import { existsSync, rmSync } from "node:fs";

import SqliteDatabase from "better-sqlite3";

import { openCatalog } from "../../src/catalog/catalog.js";
import { isCatalogUrl } from "../../src/catalog/database.js";
import type { Home } from "../../src/home.js";
import type { Scope } from "./cleanup.js";
import { postgresServer } from "./postgres.js";

/** What is about the file that a catalog on SQLite is, and why. All else runs on PostgreSQL too. */
const SQLITE_ONLY = {
  "default place": "it is about where the catalog's file lies when nothing says so",
  "damaged file": "it damages the catalog's file",
  "full disk": "it is about the disk that the catalog's file lies on",
  "count of statements":
    "it counts statements as SQLite is given them; those of PostgreSQL are the same ones",
} as const;

/** For `skip` of a test that is about the catalog's file. */
export function onlyOnSqlite(what: keyof typeof SQLITE_ONLY): string | false {
  return isOnPostgres() && `only on SQLite: ${SQLITE_ONLY[what]}`;
}

/** A new database with an empty catalog where tests run on PostgreSQL; else nothing, for the file of a user's home. */
export async function testCatalog(scope: Scope): Promise<string | undefined> {
  return isOnPostgres() ? (await postgresServer()).newCatalogWithTables(scope) : undefined;
}

/** Leaves a user with no catalog, or with a database that is as empty as a new one. */
export async function loseCatalog({ catalogPath }: Home): Promise<void> {
  if (isCatalogUrl(catalogPath))
    await changeCatalog(catalogPath, "drop schema public cascade; create schema public");
  else for (const suffix of ["", "-wal", "-shm"]) rmSync(catalogPath + suffix, { force: true });
}

/** Whether a user's catalog knows of no dataset. No file is made to find out; on a server, who looks makes the tables. */
export async function isCatalogUntouched({ catalogPath }: Home): Promise<boolean> {
  if (!isCatalogUrl(catalogPath)) return !existsSync(catalogPath);
  const catalog = await openCatalog(catalogPath);
  const datasets = await catalog.listDatasets({ archived: true });
  await catalog.close();
  return datasets.length === 0;
}

/** Runs statements that both databases know, in one transaction. */
export async function changeCatalog(place: string, statements: string): Promise<void> {
  if (isCatalogUrl(place)) {
    await (await postgresServer()).sql(place, statements);
    return;
  }
  const catalog = new SqliteDatabase(place);
  try {
    catalog.transaction(() => catalog.exec(statements))();
  } finally {
    catalog.close();
  }
}

function isOnPostgres(): boolean {
  return process.env["VARVE_TEST_CATALOG"] === "postgres";
}
