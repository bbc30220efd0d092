import assert from "node:assert/strict";
import { test } from "node:test";

import { parseServerUrl, shownUrl } from "../../../src/catalog/postgres/url.js";
import { failure } from "../../remote/suite.js";

test("a URL is shown without its password, wherever that stands; a path as it is", () => {
  const shown = {
    "postgres://ada:s%2Fcret@db.example:5433/varve": "postgres://ada@db.example:5433/varve",
    "postgresql://db/varve?user=ada&password=secret&sslmode=require":
      "postgresql://db/varve?user=ada&sslmode=require",
    "postgres://db:70000/?password=secret": "postgres://…",
    "/home/ada/catalog.db": "/home/ada/catalog.db",
  };
  for (const [url, wanted] of Object.entries(shown)) assert.equal(shownUrl(url), wanted);
});

test("without sslmode a server of this machine is spoken to plainly, another with TLS where it has it", () => {
  const sslmode = (url: string) => {
    const { connectionString, mayDoWithoutTls } = parseServerUrl(url);
    return [new URL(connectionString).searchParams.get("sslmode"), mayDoWithoutTls];
  };
  for (const host of ["localhost", "127.0.0.1", "[::1]", "%2Frun%2Fpostgresql", ""])
    assert.deepEqual(sslmode(`postgres://${host}/varve`), ["disable", false], host);
  assert.deepEqual(sslmode("postgres:///varve?host=/run/postgresql"), ["disable", false]);
  assert.deepEqual(sslmode("postgres://db.example/varve"), ["prefer", true]);
  assert.deepEqual(sslmode("postgres://db.example/varve?sslmode=verify-full"), ["verify-full", false]);
});

test("the wait for a connection is that of connect_timeout, in seconds, else ten seconds", () => {
  assert.equal(parseServerUrl("postgres://db/varve?connect_timeout=3").connectDeadlineMs, 3_000);
  assert.equal(parseServerUrl("postgres://db/varve").connectDeadlineMs, 10_000);
});

test("URLs of other databases and what is no URL are refused, and nothing secret is said", () => {
  assert.throws(() => parseServerUrl("mysql://me:secret@host/db"), {
    code: "unsupported",
    message:
      "Cannot open the catalog: there are no mysql:// catalogs; give the path of a file, or postgres://user@host/database",
  });
  for (const url of ["postgres://me:sec/ret@host:5432/db", "postgres://me:secret@host:port/db"]) {
    assert.throws(
      () => parseServerUrl(url),
      (error: Error) =>
        failure("bad-input")(error) && !/sec/.test(`${error.message}${JSON.stringify(error)}`),
    );
  }
});
