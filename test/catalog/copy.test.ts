import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";

import { openCatalog } from "../../src/catalog/catalog.js";
import { copyCatalog } from "../../src/catalog/copy.js";
import { openDatabase } from "../../src/catalog/open-database.js";
import { TABLES } from "../../src/catalog/schema.js";
import { failure } from "../remote/suite.js";
import { postgresServer } from "../support/postgres.js";
import { tempDir } from "../support/temp.js";
import { newId, newPlace, openFixture, testOnEach } from "./support.js";

testOnEach("TABLES names every table of a catalog and its primary key", async (t) => {
  const { db } = await openDatabase(await newPlace(t));
  t.after(() => db.destroy());
  const tables = (await db.introspection.getTables()).map(({ name }) => name);
  const snake = (text: string) => text.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  assert.deepEqual(tables.sort(), ["catalogFormat", ...Object.keys(TABLES)].map(snake).sort());
});

test("a catalog goes to a server and back, whole, and a second time changes nothing", async (t) => {
  const { catalog, place, complete, reserve, dataset } = await openFixture(t);
  const parent = await complete("1.0", { tags: ["gold", "ä"] });
  const draft = await reserve({ parents: [parent.id], description: "it's a draft" });
  const value = new Uint8Array(256).map((_, index) => index);
  await catalog.setMetadata(parent.id, {
    name: "raw",
    type: "b",
    form: "bytes",
    value,
    attachment: null,
  });
  await catalog.ensureRemote({ id: newId(), url: "file:///a" });
  for (let made = 0; made < 600; made++) await catalog.addDatasetTags(dataset, [`tag-${String(made)}`]);
  await catalog.close();

  const server = await (await postgresServer()).newCatalog(t);
  const back = join(await tempDir(t), "back.db");
  const there = await copyCatalog(place, server);
  assert.deepEqual([there.already, there.rows.versions, there.rows.datasetTags], [false, 2, 600]);
  assert.deepEqual(await copyCatalog(place, server), { ...there, already: true });
  assert.deepEqual(await copyCatalog(server, back), { ...there, to: back });

  const copied = await openCatalog(back);
  assert.deepEqual(await copied.versionById(draft.id), draft);
  assert.deepEqual(await copied.versionById(parent.id), parent);
  assert.deepEqual(await copied.parentsOf(draft.id), [parent.id]);
  assert.deepEqual((await copied.getMetadata(parent.id, "raw"))?.value, value);
  await copied.close();
});

testOnEach("a catalog that holds something else is not copied into, and stays as it is", async (t) => {
  const [source, target] = [await openFixture(t), await openFixture(t)];
  await assert.rejects(copyCatalog(source.place, target.place), failure("conflict"));
  assert.equal((await target.catalog.findDataset("vision", "cifar"))?.id, target.dataset);
  await assert.rejects(copyCatalog(source.place, source.place), failure("bad-input"));
  await assert.rejects(copyCatalog("/nowhere/catalog.db", target.place), failure("not-found"));
});
