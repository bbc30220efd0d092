/** What befalls a catalog on a server, in words that say what to do and never the password. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { openCatalog } from "../../../src/catalog/catalog.js";
import { openDatabase } from "../../../src/catalog/open-database.js";
import type { FailureCode } from "../../../src/errors.js";
import { failure } from "../../remote/suite.js";
import { POSTGRES_PASSWORD, postgresServer } from "../../support/postgres.js";
import { newId } from "../support.js";

async function assertFails(opening: Promise<unknown>, code: FailureCode, message: RegExp): Promise<void> {
  await assert.rejects(opening, (error: Error) => {
    assert.ok(failure(code)(error), String(error));
    assert.match(error.message, message);
    for (const secret of [POSTGRES_PASSWORD, encodeURIComponent(POSTGRES_PASSWORD)])
      assert.ok(!`${error.message}${JSON.stringify(error)}${error.stack}`.includes(secret));
    return true;
  });
}

test("a wrong or missing password, another database and a closed port are told apart", async () => {
  const server = await postgresServer();
  const url = server.url();
  const withPassword = (password: string) => url.replace(/:[^:]*@/, `${password}@`);
  await assertFails(openCatalog(withPassword(":wrong")), "catalog-refused", /password authentication failed/);
  await assertFails(openCatalog(withPassword("")), "catalog-refused", /give a password/);
  await assertFails(openCatalog(server.url("nothing")), "not-found", /"nothing" does not exist; createdb/);
  const closed = url.replace(`:${server.port}/`, ":1/");
  await assertFails(openCatalog(closed), "catalog-failed", /ECONNREFUSED.*check that the server runs/);
});

test("a server without TLS is refused where the URL asks for it, and used where it only prefers it", async (t) => {
  const url = await (await postgresServer()).newCatalog(t);
  await assertFails(openCatalog(`${url}?sslmode=require`), "catalog-refused", /sslmode=disable/);
  await (await openCatalog(`${url}?sslmode=prefer`)).close();
});

test("a user without rights is told so, and a database of something else is left alone", async (t) => {
  const server = await postgresServer();
  const url = await server.newCatalog(t);
  await server.sql(url, "create user reader password 'r'; revoke create on schema public from public");
  const asReader = url.replace(/\/\/[^@]*@/, "//reader:r@");
  await assertFails(openCatalog(asReader), "catalog-refused", /permission denied.*docs\/catalog.md/);
  const theirs = await server.newCatalog(t);
  await server.sql(theirs, "create table photos (id integer)");
  await assertFails(openCatalog(theirs), "format-damaged", /something else/);
});

test("text with a NUL is refused in words", async (t) => {
  const catalog = await openCatalog(await (await postgresServer()).newCatalog(t));
  t.after(() => catalog.close());
  const asked = { project: "p", name: "n\0", id: newId() };
  await assert.rejects(catalog.ensureDataset(asked), failure("bad-input"));
});

test("all text columns sort bytewise, in a database that sorts as a language does", async (t) => {
  const server = await postgresServer();
  const url = await server.newCatalog(t);
  const { db } = await openDatabase(url);
  t.after(() => db.destroy());
  const others = `select table_name, column_name from information_schema.columns
    where table_schema = 'public' and data_type = 'text' and collation_name is distinct from 'C'`;
  assert.deepEqual(await server.sql(url, others), []);
});
