/**
 * Which PostgreSQL server a test asks: that of the whole run where `scripts/test` has started one (`postgres-of-run.ts`),
 * else one of its file, which starts when the first test asks and ends with the file.
 */
import { after } from "node:test";

import { type Scope, atEnd } from "./cleanup.js";
import {
  type PostgresServer,
  type RunningServer,
  serverAt,
  startBarePostgres,
  startPostgres,
} from "./postgres-server.js";

export { POSTGRES_PASSWORD } from "./postgres-server.js";

let own: Promise<RunningServer> | undefined;
after(async () => {
  await (await own)?.stop();
});

/** The server for tests that do not halt it. */
export async function postgresServer(): Promise<PostgresServer> {
  const port = Number(process.env["VARVE_TEST_POSTGRES_PORT"]);
  return port ? serverAt(port) : (own ??= startPostgres());
}

/** A server of its own for a test that halts it. */
export async function ownPostgresServer(scope: Scope): Promise<RunningServer> {
  const server = await startBarePostgres();
  atEnd(scope, () => server.stop());
  return server;
}
