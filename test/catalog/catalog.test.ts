import assert from "node:assert/strict";

import { failure } from "../remote/suite.js";
import { newId, openFixture, testOnEach as test } from "./support.js";

test("ensureDataset() gives the dataset there is, whatever id was proposed", async (t) => {
  const { catalog } = await openFixture(t);
  const id = newId();
  const made = await catalog.ensureDataset({ project: "a/b", name: "c", id, createdAtMs: 7 });
  assert.deepEqual(made, { id, project: "a/b", name: "c", createdAtMs: 7, archived: 0 });
  assert.deepEqual(await catalog.ensureDataset({ project: "a/b", name: "c", id: newId() }), made);
  assert.deepEqual(await catalog.findDataset("a/b", "c"), made);
  assert.deepEqual(await catalog.datasetById(id), made);
  assert.equal(await catalog.findDataset("a", "c"), undefined);
  assert.equal(await catalog.datasetById(newId()), undefined);
});

test("ensureDataset() with the id of another dataset is a conflict", async (t) => {
  const { catalog, dataset } = await openFixture(t);
  await assert.rejects(catalog.ensureDataset({ project: "other", name: "d", id: dataset }), {
    code: "conflict",
    data: { what: 'dataset "vision/cifar"' },
  });
});

test("many who ensure one dataset at once get the same one", async (t) => {
  const { catalog } = await openFixture(t);
  const asked = Array.from({ length: 10 }, () => ({ project: "new", name: "d", id: newId() }));
  const all = await Promise.all(asked.map((one) => catalog.ensureDataset(one)));
  assert.equal(new Set(all.map(({ id }) => id)).size, 1);
});

test("listDatasets() gives those that hold a version, all or of one project, by project and name", async (t) => {
  const { catalog, reserve } = await openFixture(t);
  await reserve();
  for (const [project, name] of [
    ["z", "b"],
    ["z", "a"],
    ["z/y", "c"],
  ] as const) {
    const { id } = await catalog.ensureDataset({ project, name, id: newId() });
    await reserve({ dataset: id });
  }
  await catalog.ensureDataset({ project: "z", name: "never made", id: newId() });
  const names = async (project?: string) =>
    (await catalog.listDatasets({ project })).map((dataset) => `${dataset.project}/${dataset.name}`);
  assert.deepEqual(await names(), ["vision/cifar", "z/a", "z/b", "z/y/c"]);
  assert.deepEqual(await names("z"), ["z/a", "z/b"]);
});

test("tags of versions and datasets are added and removed, each time as if once", async (t) => {
  const { catalog, dataset, reserve } = await openFixture(t);
  const { id } = await reserve();
  for (let times = 0; times < 2; times++) {
    await catalog.addVersionTags(id, ["b", "a", "ä", "a"]);
    await catalog.addDatasetTags(dataset, ["y", "x"]);
  }
  assert.deepEqual(await catalog.versionTags(id), ["a", "b", "ä"]);
  assert.deepEqual(await catalog.datasetTags(dataset), ["x", "y"]);
  for (let times = 0; times < 2; times++) {
    await catalog.removeVersionTags(id, ["a", "never"]);
    await catalog.removeDatasetTags(dataset, ["x"]);
  }
  for (const change of [
    "addVersionTags",
    "removeVersionTags",
    "addDatasetTags",
    "removeDatasetTags",
  ] as const)
    await catalog[change](change.includes("Version") ? id : dataset, []);
  assert.deepEqual(await catalog.versionTags(id), ["b", "ä"]);
  assert.deepEqual(await catalog.datasetTags(dataset), ["y"]);
});

test("metadata is set, replaced, read and listed, bytes unchanged", async (t) => {
  const { catalog, reserve } = await openFixture(t);
  const { id } = await reserve();
  const value = new Uint8Array(256).map((_, index) => index);
  const a = { name: "a", type: "raw", form: "bytes", value, attachment: null };
  const b = { name: "b", type: "text/csv", form: "text", value: new Uint8Array(), attachment: "{}" };
  for (const each of [b, { ...b, name: "a" }, a]) await catalog.setMetadata(id, each);
  assert.deepEqual(await catalog.getMetadata(id, "a"), a);
  assert.equal(await catalog.getMetadata(id, "c"), undefined);
  assert.deepEqual(await catalog.listMetadata(id), [a, b]);
  assert.deepEqual(
    [await catalog.deleteMetadata(id, "b"), await catalog.deleteMetadata(id, "b")],
    [true, false],
  );
  assert.deepEqual(await catalog.listMetadata(id), [a]);
});

test("ensureRemote() keeps a remote under its id when its URL changes", async (t) => {
  const { catalog } = await openFixture(t);
  const [id, other] = [newId(), newId()];
  assert.deepEqual(await catalog.ensureRemote({ id, url: "file:///old" }), {
    id,
    name: null,
    url: "file:///old",
  });
  await catalog.ensureRemote({ id, url: "file:///new", name: "main" });
  await catalog.ensureRemote({ id: other, url: "file:///moved" });
  const moved = { id, name: "main", url: "file:///z" };
  assert.deepEqual(await catalog.ensureRemote({ id, url: "file:///z" }), moved);
  assert.deepEqual(await catalog.remoteById(id), moved);
  assert.equal(await catalog.remoteById(newId()), undefined);
  assert.deepEqual(await catalog.listRemotes(), [{ id: other, name: null, url: "file:///moved" }, moved]);
});

test("a name that another remote has is a conflict", async (t) => {
  const { catalog } = await openFixture(t);
  const id = newId();
  await catalog.ensureRemote({ id, url: "file:///a", name: "main" });
  await catalog.ensureRemote({ id, url: "file:///a", name: "main" });
  await assert.rejects(
    catalog.ensureRemote({ id: newId(), url: "file:///b", name: "main" }),
    failure("conflict"),
  );
});
