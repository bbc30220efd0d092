/**
 * Counts what this process asks of a catalog and of remotes. Remotes `metered:///path` are folders; a listing costs them a
 * request for each page, as it costs a store.
 */
import { fileURLToPath } from "node:url";

import SqliteDatabase from "better-sqlite3";

import { fileRemote } from "../../src/remote/file/file.js";
import { registerScheme } from "../../src/remote/open.js";
import { type Recording, recording } from "../../src/remote/recording.js";
import type { Remote } from "../../src/remote/remote.js";

export interface Cost {
  /** Statements of the catalog, those that begin and end transactions among them. */
  queries: number;
  /** Rows the catalog gave. */
  rows: number;
  /** Of the remote; a listing counts once for each page. */
  requests: number;
  /** Keys that listings gave. */
  listed: number;
  /** Bodies sent and received. */
  bytes: number;
  seconds: number;
}

/** Keys in a page of a listing, as S3 answers. Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html */
const PAGE_KEYS = 1_000;

const asked = { queries: 0, rows: 0, pages: 0, listed: 0 };
const remotes: Recording[] = [];

/** Has `costOf` count. @param catalogPath The file whose statements count; others' do not. */
export function startMeter(catalogPath: string): void {
  registerScheme("metered", (url) => {
    const remote = recording(countingKeys(fileRemote(fileURLToPath(`file://${url.pathname}`))));
    remotes.push(remote);
    return remote;
  });
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called with its database below
  const { prepare } = SqliteDatabase.prototype;
  SqliteDatabase.prototype.prepare = function (this: SqliteDatabase.Database, source: string) {
    const statement = prepare.call(this, source);
    return this.name === catalogPath ? countingRows(statement) : statement;
  } as typeof prepare;
}

/** What `work` costs, run while nothing else of this process asks. */
export async function costOf(work: () => Promise<void>): Promise<Cost> {
  const [before, startMs] = [total(), performance.now()];
  await work();
  const [after, endMs] = [total(), performance.now()];
  return {
    queries: after.queries - before.queries,
    rows: after.rows - before.rows,
    requests: after.requests - before.requests,
    listed: after.listed - before.listed,
    bytes: after.bytes - before.bytes,
    seconds: (endMs - startMs) / 1000,
  };
}

function total(): Omit<Cost, "seconds"> {
  const { queries, rows, pages, listed } = asked;
  const seen = { queries, rows, listed, requests: pages, bytes: 0 };
  for (const { calls, sentBytes, receivedBytes } of remotes) {
    seen.requests += calls.filter((call) => !call.startsWith("list ")).length;
    seen.bytes += sentBytes + receivedBytes;
  }
  return seen;
}

function countingRows(statement: SqliteDatabase.Statement): SqliteDatabase.Statement {
  asked.queries++;
  const all = statement.all.bind(statement);
  statement.all = (...parameters: unknown[]) => {
    const rows = all(...parameters);
    asked.rows += rows.length;
    return rows;
  };
  return statement;
}

function countingKeys(remote: Remote): Remote {
  return {
    ...remote,
    async *list(prefix, options) {
      asked.pages++;
      let keys = 0;
      for await (const info of remote.list(prefix, options)) {
        if (keys > 0 && keys % PAGE_KEYS === 0) asked.pages++;
        keys++;
        asked.listed++;
        yield info;
      }
    },
  };
}
