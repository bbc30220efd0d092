/**
 * PostgreSQL under Kysely, for a catalog that a team shares. Loaded when a catalog has such a URL, and the driver with it.
 * Transactions are repeated when they collide with others or lose their connection before they were to be committed.
 */
import {
  CamelCasePlugin,
  type DatabaseIntrospector,
  type Dialect,
  HandleEmptyInListsPlugin,
  Kysely,
  type KyselyPlugin,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type TableMetadata,
  type Transaction,
  type TransactionBuilder,
  replaceWithNoncontingentExpression,
  sql,
} from "kysely";
import { Pool } from "pg";

import { DatasetError } from "../../errors.js";
import type { CatalogDatabase } from "../database.js";
import type { Tables } from "../schema.js";
import { ColumnTypes, VALUE_TYPES } from "./column-types.js";
import { ServerDriver } from "./driver.js";
import { explainServer, hasNoTls, isBusy, isCollision, isDuplicate, isLost } from "./failures.js";
import { patiently } from "./patiently.js";
import { type ServerUrl, parseServerUrl, withoutTls } from "./url.js";

/** Commands ask one thing after another; a mount asks a few at once. A hundred processes have to fit on a server. */
const POOL_MAX = 4;
/** For mounts, which live for days and ask seldom. */
const IDLE_MS = 10_000;
const QUERY_DEADLINE_MS = 60_000;
/** As often as this another may have made the same row just before; then it is a bug. */
const DUPLICATES_MAX = 10;
/** Any number that nobody else in the database takes: "varve" in ASCII. */
const MIGRATION_LOCK = 0x7661_7276_65;

/**
 * Connects to the server. What fails because it is down fails at once; one that is starting or full is waited for.
 *
 * @throws {DatasetError} `catalog-failed`, `catalog-refused`, `not-found`, `deadline`; `bad-input`, `unsupported` for the URL
 */
export async function openPostgres(url: string): Promise<CatalogDatabase> {
  const server = parseServerUrl(url);
  const name = server.shown;
  const pool = await connect(server);
  const db = new ServerCatalog(pool, name);
  return { db, name, alone: (work) => alone(db, name, work) };
}

async function connect(server: ServerUrl): Promise<Pool> {
  const pool = poolOf(server);
  try {
    const first = await patiently(server.shown, isBusy, () => pool.connect());
    first.release();
    return pool;
  } catch (error) {
    await pool.end();
    const hasTls = !(error instanceof DatasetError && hasNoTls(error.cause));
    if (!hasTls && server.mayDoWithoutTls) return connect(withoutTls(server));
    throw explainServer(error, server.shown);
  }
}

function poolOf({ connectionString, connectDeadlineMs }: ServerUrl): Pool {
  const pool = new Pool({
    connectionString,
    application_name: "varve",
    connectionTimeoutMillis: connectDeadlineMs,
    query_timeout: QUERY_DEADLINE_MS,
    max: POOL_MAX,
    idleTimeoutMillis: IDLE_MS,
    allowExitOnIdle: true,
    keepAlive: true,
    types: VALUE_TYPES,
  });
  // Who uses the connection hears of it by the answer that fails; an idle one is dropped.
  pool.on("error", () => {});
  pool.on("connect", (client) => client.on("error", () => {}));
  return pool;
}

/** Kysely whose transactions are repeated. */
class ServerCatalog extends Kysely<Tables> {
  readonly #name: string;

  constructor(pool: Pool, name: string) {
    super({
      dialect: {
        createDriver: () => new ServerDriver(pool, name),
        createAdapter: () => new PostgresAdapter(),
        createQueryCompiler: () => new PostgresQueryCompiler(),
        createIntrospector: (db) => new SchemaIntrospector(db),
      },
      plugins: [new CamelCasePlugin(), new ColumnTypes(), noneOf()],
    });
    this.#name = name;
  }

  override transaction(): TransactionBuilder<Tables> {
    const builder = super.transaction();
    const once = builder.execute.bind(builder);
    builder.execute = <T>(work: (trx: Transaction<Tables>) => Promise<T>): Promise<T> =>
      patiently(this.#name, mayPass, () => once(work));
    return builder;
  }
}

/** A list of nothing holds nothing, as in SQLite; PostgreSQL has no way to write it. */
function noneOf(): KyselyPlugin {
  return new HandleEmptyInListsPlugin({ strategy: replaceWithNoncontingentExpression });
}

function mayPass(error: unknown, attempt: number): boolean {
  return isCollision(error) || isLost(error) || (isDuplicate(error) && attempt < DUPLICATES_MAX);
}

/** Sees the tables of the schema in which a catalog is made, not of others in the database; no views of extensions. */
class SchemaIntrospector extends PostgresIntrospector implements DatabaseIntrospector {
  constructor(private readonly database: Parameters<Dialect["createIntrospector"]>[0]) {
    super(database);
  }

  override async getTables(): Promise<TableMetadata[]> {
    const current = await sql<{ schema: string | null }>`select current_schema() as "schema"`.execute(
      this.database,
    );
    const schema = current.rows[0]?.schema;
    return (await super.getTables()).filter((table) => table.schema === schema && !table.isView);
  }
}

/** The lock comes first, and each statement sees what was committed before it: so also what who had the lock has done. */
async function alone(
  db: Kysely<Tables>,
  name: string,
  work: (trx: Kysely<Tables>) => Promise<void>,
): Promise<void> {
  const transaction = db.transaction().setIsolationLevel("read committed");
  await patiently(name, isLost, () =>
    transaction.execute(async (trx) => {
      await sql`select pg_advisory_xact_lock(${sql.lit(MIGRATION_LOCK)})`.execute(trx);
      await work(trx);
    }),
  );
}
