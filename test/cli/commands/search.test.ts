import assert from "node:assert/strict";
import { test } from "node:test";

import { varveUser } from "../../support/varve.js";
import { keysOf } from "./keys.js";

const LISTED_VERSION = [
  "archived", "bytes", "completed", "created", "description", "files", "id", "name", "project", "state", "tags", "version",
]; // prettier-ignore

test("list shows datasets with their latest version, search versions with their ids", async (t) => {
  const varve = await varveUser(t);
  const create = async (...args: string[]) => {
    await varve.ok(["create", ...args]);
    await varve.ok(["finalize"]);
  };
  await create("vision/pets", "--tag", "raw");
  await create("vision/pets", "--version", "1.10", "--tag", "clean");
  await create("audio/birds", "--description", "sung");
  await varve.ok(["create", "vision/pets", "--version", "2"]);

  const list = (await varve.ok(["list"])).stdout.split("\n");
  assert.match(list[0]!, /^dataset +latest +versions +files +size +updated +tags$/);
  assert.match(list[1]!, /^audio\/birds +1\.0\.0 +1 +0 +0 B +\d{4}-/);
  assert.match(list[2]!, /^vision\/pets +1\.10 +2 /);

  const datasets = (await varve.ok(["list", "--json", "--project", "vision"])).json() as object[];
  assert.equal(datasets.length, 1);
  assert.deepEqual(keysOf(datasets[0]), [
    "archived",
    "id",
    "latest",
    "name",
    "project",
    "tags",
    "updated",
    "versions",
  ]);

  const search = async (...args: string[]) => {
    const rows = (await varve.ok(["search", "--json", ...args])).json() as { version: string; id: string }[];
    for (const row of rows) assert.deepEqual(keysOf(row), LISTED_VERSION);
    return rows.map(({ version }) => version);
  };
  assert.deepEqual(await search("--name", "^pet"), ["1.0.0", "1.10"]);
  assert.deepEqual(await search("--tag", "clean"), ["1.10"]);
  assert.deepEqual(await search("--tags", "raw", "--tags", "clean"), []);
  assert.deepEqual(await search("--project", "vision", "--not-only-completed"), ["1.0.0", "1.10", "2"]);
  assert.deepEqual(await search("--project", "vis", "--non-recursive-project-search"), []);
  assert.deepEqual(await search("--limit", "1", "--offset", "1"), ["1.0.0"]);

  const { stdout } = await varve.ok(["search", "--name", "birds"]);
  const [row] = (await varve.ok(["search", "--name", "birds", "--json"])).json() as { id: string }[];
  assert.match(stdout, new RegExp(`audio/birds@1\\.0\\.0 +completed .*${row!.id}`));
  assert.match((await varve.ok(["search", "--id", row!.id])).stdout, /audio\/birds/);
});

test("a search that finds nothing says so and exits with 0; a pattern that is none is wrong usage", async (t) => {
  const varve = await varveUser(t);
  assert.deepEqual(
    await varve(["search", "--name", "x"]).then(({ code, stdout, stderr }) => [code, stdout, stderr]),
    [0, "", "Nothing found\n"],
  );
  assert.equal((await varve(["search", "--name", "("])).code, 2);
  assert.equal((await varve(["search", "--limit", "-1"])).code, 2);
});
