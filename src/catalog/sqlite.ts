/**
 * SQLite under Kysely. Three things differ from Kysely's own dialect: a transaction takes the write lock when it
 * begins (a plain `begin` fails at once with SQLITE_BUSY_SNAPSHOT when another process writes first); a locked
 * database is waited for without blocking the event loop, so two catalogs of one process can wait for each other; and
 * what SQLite reports becomes a failure of ours.
 */
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import SqliteDatabase from "better-sqlite3";
import {
  CamelCasePlugin,
  CompiledQuery,
  type DatabaseConnection,
  Kysely,
  type QueryResult,
  SqliteDialect,
  SqliteDriver,
} from "kysely";

import { DatasetError, errnoOf, messageOf } from "../errors.js";
import { ensureFile } from "../home.js";
import { diskFull, explainSqlite } from "../sqlite-failure.js";
import type { CatalogDatabase } from "./database.js";
import type { Tables } from "./schema.js";

/** Longest wait for other writers of the catalog. Each holds the lock for some milliseconds. */
const LOCK_DEADLINE_MS = 30_000;
/** A pause is random below this: several waiters come back at different times. */
const LOCK_PAUSE_MS = 15;
const IN_MEMORY = ":memory:";

/**
 * Opens a database file, made with its folder where it is missing. `destroy()` closes it.
 *
 * @throws {DatasetError} `format-damaged` for a file that is no database; `source-unreadable`, `disk-full`, `deadline`
 */
export async function openSqlite(path: string): Promise<CatalogDatabase> {
  const database = openFile(path);
  try {
    await prepare(database, path);
  } catch (error) {
    database.close();
    throw error;
  }
  const dialect = new CatalogDialect(database, path);
  const db = new Kysely<Tables>({ dialect, plugins: [new CamelCasePlugin()] });
  return { db, name: path, alone: (work) => db.transaction().execute(work) };
}

function openFile(path: string): SqliteDatabase.Database {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    if (path !== IN_MEMORY) ensureFile(path);
    return new SqliteDatabase(path, { timeout: 0 }); // We wait ourselves, see `untilFree`.
  } catch (error) {
    throw explain(error, path);
  }
}

/** `synchronous = full`: in WAL, the default may lose the last commits to a power loss, and a draft's row is its only trace. */
async function prepare(database: SqliteDatabase.Database, path: string): Promise<void> {
  await untilFree(path, () => {
    database.pragma("journal_mode = wal");
    database.pragma("synchronous = full");
    database.pragma("foreign_keys = on");
  });
}

class CatalogDialect extends SqliteDialect {
  readonly #database: SqliteDatabase.Database;
  readonly #path: string;

  constructor(database: SqliteDatabase.Database, path: string) {
    super({ database });
    this.#database = database;
    this.#path = path;
  }

  override createDriver(): CatalogDriver {
    return new CatalogDriver(this.#database, this.#path);
  }
}

class CatalogDriver extends SqliteDriver {
  readonly #database: SqliteDatabase.Database;
  readonly #path: string;

  constructor(database: SqliteDatabase.Database, path: string) {
    super({ database });
    this.#database = database;
    this.#path = path;
  }

  override async acquireConnection(): Promise<DatabaseConnection> {
    return patientConnection(await super.acquireConnection(), this.#path);
  }

  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw("begin immediate"));
  }

  /** Of some failures, as of a full disk, SQLite has rolled back itself; failing now would hide what had failed. */
  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    if (this.#database.inTransaction) await super.rollbackTransaction(connection);
  }
}

/** Repeats a statement while the database is locked. Inside a transaction, which has the lock, none is. */
function patientConnection(connection: DatabaseConnection, path: string): DatabaseConnection {
  return {
    executeQuery: <R>(query: CompiledQuery): Promise<QueryResult<R>> =>
      untilFree(path, () => connection.executeQuery<R>(query)),
    streamQuery: (query, chunkSize) => connection.streamQuery(query, chunkSize),
  };
}

async function untilFree<T>(path: string, work: () => T | Promise<T>): Promise<T> {
  const startMs = performance.now();
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isLocked(error)) throw explain(error, path);
      if (performance.now() - startMs > LOCK_DEADLINE_MS) throw lockedTooLong(path, error);
    }
    await sleep(Math.random() * LOCK_PAUSE_MS);
  }
}

function isLocked(error: unknown): boolean {
  return errnoOf(error)?.startsWith("SQLITE_BUSY") ?? false;
}

function lockedTooLong(path: string, cause: unknown): DatasetError<"deadline"> {
  const what = `catalog "${path}"`;
  const message = `Gave up on the ${what}: another process has held it for ${LOCK_DEADLINE_MS / 1000} s`;
  return new DatasetError("deadline", { waitedForMs: LOCK_DEADLINE_MS, what }, message, { cause });
}

/** Making its folder may fail, too. */
function explain(cause: unknown, path: string): unknown {
  const file = { what: "catalog", path };
  const code = errnoOf(cause) ?? "";
  if (/^(ENOSPC|EDQUOT)$/.test(code)) return diskFull(file, cause);
  if (!/^E[A-Z]+$/.test(code)) return explainSqlite(cause, file);
  const message = `Cannot use the catalog "${path}": ${messageOf(cause)}`;
  return new DatasetError("source-unreadable", { path }, message, { cause });
}
