/**
 * A catalog copied into another, empty one, from SQLite to PostgreSQL or back: all rows of all `TABLES`, in one transaction
 * of each, so that the copy is of one moment and there is all of it or nothing.
 */
import { existsSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";

import { type Kysely, sql } from "kysely";

import { DatasetError } from "../errors.js";
import { isCatalogUrl } from "./database.js";
import { openDatabase } from "./open-database.js";
import { TABLES, type Tables } from "./schema.js";

export interface CatalogCopy {
  /** The place it was copied to, as messages show it. */
  to: string;
  /** Rows of each table. */
  rows: Record<TableName, number>;
  /** Whether everything was there already, so that nothing was written. */
  already: boolean;
}

type TableName = keyof typeof TABLES;
type Row = Record<string, unknown>;

const TABLE_NAMES = Object.keys(TABLES) as TableName[];
/** PostgreSQL takes 65,535 values in a statement, SQLite 32,766; the widest table has under 30 columns. */
const PAGE_ROWS = 500;

/**
 * @param from Path or URL of a catalog that is there.
 * @param to Path or URL of one that holds nothing, or the same. It is made where it is missing.
 * @throws {DatasetError} `conflict` for one that holds something else; `not-found`; as `openCatalog`
 */
export async function copyCatalog(from: string, to: string): Promise<CatalogCopy> {
  if (!isCatalogUrl(from) && !existsSync(from)) throw noCatalog(from);
  if (from === to) throw ontoItself(to);
  const source = await openDatabase(from);
  try {
    const target = await openDatabase(to);
    try {
      return await target.db
        .transaction()
        .execute((there) => source.db.transaction().execute((here) => copyTables(here, there, target.name)));
    } finally {
      await target.db.destroy();
    }
  } finally {
    await source.db.destroy();
  }
}

async function copyTables(from: Kysely<Tables>, to: Kysely<Tables>, name: string): Promise<CatalogCopy> {
  const isEmpty = (await countRows(to)).every(([, count]) => count === 0);
  if (isEmpty) for (const table of TABLE_NAMES) await copyTable(from, to, table);
  const differing = await firstDifference(from, to);
  if (differing !== undefined) throw isEmpty ? badCopy(name, differing) : notEmpty(name, differing);
  const rows = Object.fromEntries(await countRows(to)) as Record<TableName, number>;
  return { to: name, rows, already: !isEmpty };
}

async function copyTable(from: Kysely<Tables>, to: Kysely<Tables>, table: TableName): Promise<void> {
  for await (const rows of pagesOf(from, table)) {
    const columns = Object.keys(rows[0]!);
    const values = rows.map((row) => sql`(${sql.join(columns.map((column) => row[column]))})`);
    const names = sql.join(columns.map((column) => sql.ref(column)));
    await sql`insert into ${sql.table(table)} (${names}) values ${sql.join(values)}`.execute(to);
  }
}

/** The first table whose rows are not the same in both, by content. */
async function firstDifference(a: Kysely<Tables>, b: Kysely<Tables>): Promise<TableName | undefined> {
  for (const table of TABLE_NAMES) {
    const others = pagesOf(b, table);
    for await (const rows of pagesOf(a, table))
      if (!isDeepStrictEqual(rows, (await others.next()).value)) return table;
    if (!(await others.next()).done) return table;
  }
  return undefined;
}

/** All rows of a table in the order of its key, never empty pages. */
async function* pagesOf(db: Kysely<Tables>, table: TableName): AsyncGenerator<Row[], undefined> {
  const key: readonly string[] = TABLES[table];
  const columns = sql.join(key.map((column) => sql.ref(column)));
  let last: Row | undefined;
  do {
    const seen = last;
    const beyond = seen ? sql`where (${columns}) > (${sql.join(key.map((column) => seen[column]))})` : sql``;
    const page = sql<Row>`select * from ${sql.table(table)} ${beyond} order by ${columns} limit ${sql.lit(PAGE_ROWS)}`;
    const { rows } = await page.execute(db);
    if (rows.length > 0) yield rows;
    last = rows.length === PAGE_ROWS ? rows.at(-1) : undefined;
  } while (last);
}

function countRows(db: Kysely<Tables>): Promise<[TableName, number][]> {
  return Promise.all(
    TABLE_NAMES.map(async (table): Promise<[TableName, number]> => {
      const counted = await sql<{ count: number }>`select count(*) as count from ${sql.table(table)}`.execute(
        db,
      );
      return [table, Number(counted.rows[0]?.count)];
    }),
  );
}

function noCatalog(path: string): DatasetError<"not-found"> {
  const what = `catalog "${path}"`;
  return new DatasetError("not-found", { what }, `Cannot copy the ${what}: there is no such file`);
}

function ontoItself(place: string): DatasetError<"bad-input"> {
  const message = "Cannot copy a catalog onto itself: give two places";
  return new DatasetError("bad-input", { value: isCatalogUrl(place) ? "TO" : place }, message);
}

function notEmpty(name: string, table: TableName): DatasetError<"conflict"> {
  const what = `catalog "${name}"`;
  const message = `Cannot copy into the ${what}: it holds something else already (first seen in its ${table}); give an empty one`;
  return new DatasetError("conflict", { what }, message);
}

function badCopy(name: string, table: TableName): DatasetError<"format-damaged"> {
  const message = `Cannot copy into the catalog "${name}": what came to lie there is not what was read (${table}); nothing was kept`;
  return new DatasetError("format-damaged", { what: name }, message);
}
