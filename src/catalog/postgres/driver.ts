/**
 * Connections and transactions for Kysely. A transaction is serializable: it is as if nobody else were there, or it is
 * undone; those who were undone then go one after another, which takes less than meeting again. A connection that failed is not given back to the pool. What is asked alone, outside of a transaction, is asked
 * again when the connection was lost, unless it changes something; whole transactions are repeated by who runs them
 * (`open.ts`).
 */
import type { CompiledQuery, DatabaseConnection, Driver, QueryResult, TransactionSettings } from "kysely";
import type { Pool, PoolClient, QueryResultRow } from "pg";

import { isBusy, isCollision, isDuplicate, isLate, isLost, unknownOutcome } from "./failures.js";
import { patiently } from "./patiently.js";

/** Longest wait for a lock of another, as in `sqlite.ts`; and longest that a process which has stopped may hold one. */
const TRANSACTION_LIMITS =
  "set local lock_timeout = '30s'; set local idle_in_transaction_session_timeout = '60s'";

/** Any number that nobody else in the database takes for a lock: "turn" in ASCII. */
const TURN_LOCK = 0x7475_726e;
/** Longer than the pause before another attempt. */
const TURNS_MS = 1_000;

export class ServerDriver implements Driver {
  /** Until when transactions of this process wait for their turn, by `performance.now()`. */
  #turnsUntilMs = 0;

  constructor(
    private readonly pool: Pool,
    private readonly name: string,
  ) {}

  async init(): Promise<void> {}

  async acquireConnection(): Promise<ServerConnection> {
    const onCollision = () => (this.#turnsUntilMs = performance.now() + TURNS_MS);
    return new ServerConnection(this.name, await this.#connect(), () => this.#connect(), onCollision);
  }

  async beginTransaction(connection: ServerConnection, settings: TransactionSettings): Promise<void> {
    await connection.begin(settings.isolationLevel ?? "serializable", performance.now() < this.#turnsUntilMs);
  }

  async commitTransaction(connection: ServerConnection): Promise<void> {
    await connection.commit();
  }

  async rollbackTransaction(connection: ServerConnection): Promise<void> {
    await connection.rollback();
  }

  async releaseConnection(connection: ServerConnection): Promise<void> {
    connection.release();
  }

  async destroy(): Promise<void> {
    await this.pool.end();
  }

  #connect(): Promise<PoolClient> {
    return patiently(
      this.name,
      (error) => isLost(error) || isBusy(error),
      () => this.pool.connect(),
    );
  }
}

class ServerConnection implements DatabaseConnection {
  #isInTransaction = false;
  /** Whether the session has the lock of who goes next, and what ends a transaction then gives it back. */
  #hasTurn = false;
  /** Why the connection is of no more use, if it is not. */
  #failure: Error | undefined;

  constructor(
    private readonly name: string,
    private client: PoolClient,
    private readonly connectAgain: () => Promise<PoolClient>,
    private readonly onCollision: () => void,
  ) {}

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    if (this.#isInTransaction) return this.#send(query.sql, query.parameters);
    const mayPass = (error: unknown) => isCollision(error) || isLost(error);
    return patiently(this.name, mayPass, () => this.#sendAlone<Row>(query));
  }

  async *streamQuery<Row>(query: CompiledQuery): AsyncIterableIterator<QueryResult<Row>> {
    yield await this.executeQuery(query);
  }

  /** @param inTurn Whether to wait until those who asked before have ended theirs. */
  async begin(isolationLevel: string, inTurn: boolean): Promise<void> {
    // A message of its own: the transaction sees what was committed before it, so it must begin after the wait.
    if (inTurn) await this.#run(`select pg_advisory_lock(${TURN_LOCK})`);
    this.#hasTurn = inTurn;
    await this.#run(`start transaction isolation level ${isolationLevel}; ${TRANSACTION_LIMITS}`);
    this.#isInTransaction = true;
  }

  async commit(): Promise<void> {
    this.#isInTransaction = false;
    await this.#end("commit").catch((error: unknown) => {
      throw isLost(error) || isLate(error) ? unknownOutcome(error, this.name) : error;
    });
  }

  /** Where it fails, the server undoes the transaction as it sees the connection end. */
  async rollback(): Promise<void> {
    this.#isInTransaction = false;
    if (this.#failure) return;
    await this.#end("rollback").catch((error: unknown) => (this.#failure = asError(error)));
  }

  release(): void {
    // A lock that was not given back goes with the session.
    this.client.release(this.#failure ?? this.#hasTurn);
  }

  async #end(statement: "commit" | "rollback"): Promise<void> {
    await this.#run(this.#hasTurn ? `${statement}; select pg_advisory_unlock(${TURN_LOCK})` : statement);
    this.#hasTurn = false;
  }

  async #sendAlone<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    if (this.#failure) await this.#replaceClient();
    try {
      return await this.#send(query.sql, query.parameters);
    } catch (error) {
      const isRead = query.query.kind === "SelectQueryNode";
      throw isLost(error) && !isRead ? unknownOutcome(error, this.name) : error;
    }
  }

  async #replaceClient(): Promise<void> {
    const client = await this.connectAgain();
    this.client.release(this.#failure);
    this.client = client;
    this.#failure = undefined;
  }

  async #send<Row>(sql: string, parameters: readonly unknown[] = []): Promise<QueryResult<Row>> {
    const { rows, rowCount } = await this.#run<Row & QueryResultRow>(sql, parameters);
    return { rows, ...(rowCount !== null && { numAffectedRows: BigInt(rowCount) }) };
  }

  /** Several statements in one message take no parameters, and give no rows that could be used. */
  async #run<Row extends QueryResultRow>(sql: string, parameters: readonly unknown[] = []) {
    try {
      return await (parameters.length > 0
        ? this.client.query<Row>(sql, [...parameters])
        : this.client.query<Row>(sql));
    } catch (error) {
      if (isLost(error) || isLate(error)) this.#failure = asError(error);
      if (isCollision(error) || isDuplicate(error)) this.onCollision();
      throw error;
    }
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
