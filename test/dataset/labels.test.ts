import assert from "node:assert/strict";
import { test } from "node:test";

import { Dataset } from "../../src/dataset/dataset.js";
import { varveUser } from "../support/varve.js";
import { testUser } from "./support/workspaces.js";

test("labels increment by themselves from the highest, and a lower one may be asked for", async (t) => {
  const { open } = await testUser(t);
  const workspace = open();
  const create = async (version?: string) => (await Dataset.create("p/d", { workspace, version })).version;
  assert.equal(await create(), "1.0.0");
  assert.equal(await create(), "1.0.1");
  assert.equal(await create("2.5"), "2.5");
  assert.equal(await create(), "2.6");
  assert.equal(await create("0.3.0"), "0.3.0");
  assert.equal(await create("v7"), "v7");
  assert.equal(await create(), "8");
});

test("a label that means the same as a taken one is a conflict, and other text is no label", async (t) => {
  const { open } = await testUser(t);
  const workspace = open();
  const create = (version: string) => Dataset.create("p/d", { workspace, version });
  await create("1.0");
  for (const same of ["1.0", "1.0.0", "1", "v1.0"])
    await assert.rejects(create(same), { code: "conflict" }, same);
  for (const none of ["", "01.0", "1.0.0.0", "latest", "one", "1.0 "])
    await assert.rejects(create(none), { code: "bad-input" }, none);
});

test("a label is found however it is spelt", async (t) => {
  const { open } = await testUser(t);
  const workspace = open();
  const draft = await Dataset.create("p/d", { workspace, version: "v1.2" });
  await draft.finalize();
  for (const spelt of ["1.2", "1.2.0", "v1.2"])
    assert.equal((await Dataset.get(`p/d@${spelt}`, { workspace })).version, "v1.2");
});

test("the latest is the highest finished label, and a pre-release only when there is nothing else", async (t) => {
  const { open } = await testUser(t);
  const workspace = open();
  const finish = async (version: string) => (await Dataset.create("p/d", { workspace, version })).finalize();
  const latest = async () => (await Dataset.get("p/d", { workspace })).version;
  await finish("2.0.0-rc.1");
  assert.equal(await latest(), "2.0.0-rc.1");
  await finish("1.10.0");
  await finish("1.9.0");
  await Dataset.create("p/d", { workspace, version: "9.0.0" });
  assert.equal(await latest(), "1.10.0");
});

test("a version that another catalog makes under a draft's automatic label moves the draft on", async (t) => {
  const one = await testUser(t);
  const two = await testUser(t, one.home.defaultRemote);
  const mine = await Dataset.create("p/d", { workspace: one.open() });
  const theirs = await Dataset.create("p/d", { workspace: two.open() });
  assert.deepEqual([mine.version, theirs.version], ["1.0.0", "1.0.0"]);
  assert.equal((await theirs.finalize()).version, "1.0.0");
  assert.equal((await mine.finalize()).version, "1.0.1");
});

test("a version that another catalog makes under a label asked for by name is a conflict, and the draft stays", async (t) => {
  const one = await testUser(t);
  const two = await testUser(t, one.home.defaultRemote);
  const workspace = one.open();
  const mine = await Dataset.create("p/d", { workspace, version: "1.0" });
  const theirs = await Dataset.create("p/d", { workspace: two.open(), version: "1.0.0" });
  await theirs.finalize();
  await assert.rejects(mine.finalize(), { code: "conflict" });
  assert.equal((await Dataset.get("p/d@1.0", { workspace })).id, theirs.id);
  assert.equal((await Dataset.get(mine.id, { workspace, onlyCompleted: false })).isFinal, false);
});

test(
  "twenty processes that create one dataset at once get twenty labels",
  { timeout: 300_000 },
  async (t) => {
    const varve = await varveUser(t);
    const all = [...Array(20).keys()].map(() => varve.ok(["create", "p/d", "--json"]));
    const made = (await Promise.all(all)).map(
      (answer) => answer.json() as { version: string; dataset: string },
    );
    const labels = made.map(({ version }) => version);
    assert.deepEqual(labels.sort(), [...Array(20).keys()].map((number) => `1.0.${number}`).sort());
  },
);
