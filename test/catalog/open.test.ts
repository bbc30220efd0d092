import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";

import SqliteDatabase from "better-sqlite3";

import { openCatalog } from "../../src/catalog/catalog.js";
import { CATALOG_FORMAT } from "../../src/catalog/migrations.js";
import { failure } from "../remote/suite.js";
import { startNode } from "../support/processes.js";
import { tempDir } from "../support/temp.js";
import { newId, newPlace, openFixture, testOnEach } from "./support.js";

const RESERVER = new URL("reserver.js", import.meta.url).pathname;

testOnEach(
  "fifty processes that open a new catalog and make versions at once get different labels",
  async (t) => {
    const place = await newPlace(t);
    const reservers = Array.from({ length: 50 }, () => startNode(t, RESERVER, [place, "1"]));
    await Promise.all(reservers.map((reserver) => reserver.saying(/ready/, 300_000)));
    for (const reserver of reservers) reserver.child.stdin.end("go");
    const exits = await Promise.all(reservers.map((reserver) => reserver.ended));
    assert.deepEqual(exits.map(({ stderr }) => stderr), Array(50).fill("")); // prettier-ignore
    const labels = exits.flatMap(({ stdout }) => JSON.parse(stdout.split("\n")[1] ?? "") as string[]);
    assert.equal(new Set(labels).size, 50);

    const catalog = await openCatalog(place);
    const [dataset] = await catalog.listDatasets();
    const rows = await catalog.listVersions(dataset!.id);
    await catalog.close();
    assert.deepEqual(rows.map((row) => row.label), Array.from({ length: 50 }, (_, index) => `1.0.${index}`)); // prettier-ignore
  },
);

testOnEach("two catalogs of one process that write at once wait for each other", async (t) => {
  const { catalog, place, dataset } = await openFixture(t);
  const other = await openCatalog(place);
  t.after(() => other.close());
  const asked = { dataset, parents: [], tags: [], description: "", createdBy: "me", remoteId: newId() };
  const turns = Array.from({ length: 20 }, (_, index) => (index % 2 ? catalog : other));
  const rows = await Promise.all(turns.map((one) => one.reserveVersion({ ...asked, id: newId() })));
  assert.equal(new Set(rows.map(({ label }) => label)).size, 20);
});

testOnEach(
  "a catalog keeps what it was told when it is opened again, and close() twice is one",
  async (t) => {
    const { catalog, place, complete } = await openFixture(t);
    const version = await complete("v1.0", { tags: ["gold"], parents: [newId()] });
    await catalog.close();
    await catalog.close();
    const again = await openCatalog(place);
    t.after(() => again.close());
    assert.deepEqual(await again.versionById(version.id), version);
    assert.deepEqual(await again.versionTags(version.id), ["gold"]);
  },
);

test("a file that is no database is format-damaged and stays as it is", async (t) => {
  const path = join(await tempDir(t), "catalog.db");
  await writeFile(path, "not a database, ".repeat(100));
  await assert.rejects(openCatalog(path), {
    code: "format-damaged",
    data: { what: path },
    message: `Cannot use the catalog "${path}": it is no database, or a damaged one (file is not a database)`,
  });
  assert.equal(await readFile(path, "utf8"), "not a database, ".repeat(100));
});

test("a database of something else is format-damaged and gets no tables", async (t) => {
  const path = join(await tempDir(t), "catalog.db");
  const theirs = new SqliteDatabase(path);
  theirs.exec("create table photos (id integer)");
  await assert.rejects(openCatalog(path), failure("format-damaged"));
  assert.deepEqual(theirs.prepare("select name from sqlite_master").pluck().all(), ["photos"]);
  theirs.close();
});

test("a catalog that a newer varve wrote is format-newer and stays as it is", async (t) => {
  const { catalog, place: path } = await openFixture(t);
  await catalog.close();
  const database = new SqliteDatabase(path);
  database.exec(`update catalog_format set version = ${CATALOG_FORMAT + 1}`);
  database.close();
  await assert.rejects(openCatalog(path), {
    code: "format-newer",
    data: { what: path, version: CATALOG_FORMAT + 1 },
  });
});

test("a path that is a folder cannot be opened", async (t) => {
  const directory = await tempDir(t);
  await mkdir(join(directory, "catalog.db"));
  await assert.rejects(openCatalog(join(directory, "catalog.db")), failure("source-unreadable"));
});
