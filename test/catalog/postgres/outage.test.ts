/** A server that goes away: what was not committed is done again or is an error, and nothing is half done. */
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { test } from "node:test";

import { openCatalog } from "../../../src/catalog/catalog.js";
import { openDatabase } from "../../../src/catalog/open-database.js";
import { failure } from "../../remote/suite.js";
import { ownPostgresServer } from "../../support/postgres.js";
import { newId } from "../support.js";

const ENDS_ALL = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'varve'";

test("a transaction whose connection is cut before its commit is done again, once", async (t) => {
  const server = await ownPostgresServer(t);
  const url = await server.newCatalog(t);
  const { db } = await openDatabase(url);
  t.after(() => db.destroy());
  let attempts = 0;
  await db.transaction().execute(async (trx) => {
    attempts++;
    await trx.insertInto("projects").values({ id: newId(), name: "p" }).execute();
    if (attempts === 1) await server.sql(url, ENDS_ALL);
    await trx.insertInto("projects").values({ id: newId(), name: "q" }).execute();
  });
  assert.equal(attempts, 2);
  const rows = await db.selectFrom("projects").select("name").orderBy("name").execute();
  assert.deepEqual(rows, [{ name: "p" }, { name: "q" }]);
});

test("a question to a server that starts again is answered when it is back", async (t) => {
  const server = await ownPostgresServer(t);
  const catalog = await openCatalog(await server.newCatalog(t));
  t.after(() => catalog.close());
  const known = await catalog.ensureDataset({ project: "p", name: "d", id: newId() });
  await server.halt();
  const asked = catalog.findDataset("p", "d");
  const made = catalog.ensureDataset({ project: "p", name: "e", id: newId() });
  await sleep(1_000);
  await server.resume();
  assert.deepEqual(await asked, known);
  assert.equal((await made).name, "e");
});

test("a commit whose answer is lost is an error that says so, never done twice", async (t) => {
  const server = await ownPostgresServer(t);
  const url = await server.newCatalog(t);
  const { db } = await openDatabase(url);
  t.after(() => db.destroy());
  const slow = `create function wait() returns trigger language plpgsql as $$ begin perform pg_sleep(5); return null; end $$;
    create constraint trigger slow after insert on projects deferrable initially deferred for each row execute function wait()`;
  await server.sql(url, slow);
  let attempts = 0;
  const made = db.transaction().execute(async (trx) => {
    attempts++;
    await trx.insertInto("projects").values({ id: newId(), name: "p" }).execute();
  });
  await Promise.all([
    assert.rejects(made, failure("catalog-failed")),
    sleep(2_000).then(() => server.sql(url, ENDS_ALL)),
  ]);
  assert.equal(attempts, 1);
  assert.deepEqual(await db.selectFrom("projects").selectAll().execute(), []);
});
