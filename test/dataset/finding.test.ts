/** `Dataset.create` and `Dataset.get` in all the ways they can be asked, and lists of what there is. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";

import { setArchived } from "../../src/dataset/annotate.js";
import { type CreateOptions } from "../../src/dataset/draft.js";
import { Dataset } from "../../src/dataset/dataset.js";
import { locateSubject } from "../../src/dataset/subject.js";
import { testUser } from "./support/workspaces.js";

async function maker(t: TestContext, remote?: string) {
  const user = await testUser(t, remote);
  const workspace = user.open();
  const finish = async (name: string, options: CreateOptions & { publish?: boolean } = {}) => {
    const { publish, ...given } = options;
    const draft = await Dataset.create(name, { ...given, workspace });
    await draft.finalize({ publish });
    return draft;
  };
  return { ...user, workspace, finish };
}

test("create takes project and name in every form, and parents as references, ids and objects in order", async (t) => {
  const { workspace, finish } = await maker(t);
  const [one, two] = [await finish("p/one"), await finish("p/two")];
  const created = async (...args: Parameters<typeof Dataset.create>) => {
    const draft = await Dataset.create(...args);
    return draft.reference;
  };
  assert.equal(await created("a/b/c", { workspace }), "a/b/c@1.0.0");
  assert.equal(await created({ project: "a/b", name: "d", version: "2.0", workspace }), "a/b/d@2.0");
  assert.equal(await created({ name: "a/b/e", workspace }), "a/b/e@1.0.0");
  assert.equal(await created({ parents: [two, one], workspace }), "p/two@1.0.1", "the first parent names it");
  assert.equal(await created({ name: "three", parents: ["p/two@1.0.0"], workspace }), "p/three@1.0.0");
  const merge = await finish("p/merge", { parents: [one, "p/two@1", one.id].slice(0, 2), tags: ["x"] });
  const catalog = await workspace.catalog();
  assert.deepEqual(await catalog.parentsOf(merge.id), [one.id, two.id]);
});

test("create refuses what it cannot make, and says what there is", async (t) => {
  const { workspace } = await maker(t);
  await Dataset.create("p/draft", { workspace });
  const refused: [unknown, object][] = [
    [{ workspace }, { code: "bad-input", message: /give project and name, or parents/ }],
    [{ name: "d", workspace }, { code: "bad-input" }],
    [
      { project: "p", name: "a/b", workspace },
      { code: "bad-input", message: /a name holds no "\/"/ },
    ],
    [
      { name: "p/d", outputUri: "/x", workspace },
      { code: "bad-input", message: /"outputUri".* remote,/ },
    ],
    [{ name: "p/d", parents: ["p/draft@1.0.0"], workspace }, { code: "version-unfinished" }],
    [{ name: "p/d", parents: ["p/none"], workspace }, { code: "not-found" }],
  ];
  for (const [options, error] of refused)
    await assert.rejects(Dataset.create(options as Parameters<typeof Dataset.create>[0]), error);
});

test("a parent found in a remote without a catalog may be given as an object", async (t) => {
  const one = await maker(t);
  await one.finish("p/d");
  const two = await testUser(t);
  const workspace = two.open();
  const found = await Dataset.get(`${one.home.defaultRemote}#p/d`, { workspace });
  const child = await Dataset.create({ parents: [found], workspace });
  assert.deepEqual(await (await workspace.catalog()).parentsOf(child.id), [found.id]);
});

test("get finds by id, project, name, label and tags; of several the highest label, a release first", async (t) => {
  const { workspace, finish } = await maker(t);
  const first = await finish("p/d", { version: "1.9.0", tags: ["clean", "old"] });
  await finish("p/d", { version: "1.10", tags: ["clean"] });
  await finish("p/d", { version: "2.0.0-rc.1", tags: ["clean", "next"], publish: true });
  await Dataset.create("p/d", { version: "3", workspace });
  const get = async (query: Parameters<typeof Dataset.get>[0]) =>
    (await Dataset.get(query, { workspace })).reference;
  assert.equal(await get({ id: first.id }), "p/d@1.9.0");
  assert.equal(await get({ project: "p", name: "d" }), "p/d@1.10");
  assert.equal(await get({ name: "p/d" }), "p/d@1.10");
  assert.equal(
    await get({ name: "d", version: "v1.10.0" }),
    "p/d@1.10",
    "a label is found however it is spelt",
  );
  assert.equal(await get({ project: "p", tags: ["old"] }), "p/d@1.9.0");
  assert.equal(await get({ tags: ["clean", "-old"] }), "p/d@1.10");
  assert.equal(await get({ name: "p/d", tags: ["next"] }), "p/d@2.0.0-rc.1");
  assert.equal(await get({ name: "p/d", onlyPublished: true }), "p/d@2.0.0-rc.1");
  assert.equal((await Dataset.get("p/d", { onlyPublished: true, workspace })).version, "2.0.0-rc.1");
  assert.equal(await get({ name: "p/d", onlyCompleted: false }), "p/d@3", "drafts count where asked for");
});

test("get of several datasets gives the version that was completed last", async (t) => {
  const { workspace, finish } = await maker(t);
  await finish("p/b", { version: "9" });
  await finish("p/a", { version: "2" });
  await finish("p/b", { version: "1" });
  const get = async (query: object) => (await Dataset.get({ ...query, workspace })).reference;
  assert.equal(
    await get({ project: "p" }),
    "p/a@2",
    "p/b@1 was completed later, but is not the highest of p/b",
  );
  await finish("q/a", { version: "0.1" });
  assert.equal(await get({ name: "a" }), "q/a@0.1");
});

test("get refuses contradictions, empty queries and options there are not", async (t) => {
  const { workspace, finish } = await maker(t);
  const { id } = await finish("p/d");
  const draft = await Dataset.create("p/d", { workspace });
  const refused: [object, object][] = [
    [{}, { code: "bad-input", message: /with nothing: give an id, or a project, a name or tags/ }],
    [{ version: "1.0.0" }, { code: "bad-input" }],
    [
      { id, name: "d" },
      { code: "bad-input", message: /an id says which version/ },
    ],
    [{ id, project: "p" }, { code: "bad-input" }],
    [{ name: "p/d", version: "first" }, { code: "bad-input" }],
    [
      { name: "p/d", onlyComplete: false },
      { code: "bad-input", message: /"onlyComplete".*onlyCompleted/ },
    ],
    [
      { name: "p/d", version: "1.0.1" },
      { code: "not-found", message: /with onlyCompleted: false drafts count too/ },
    ],
    [{ name: "p/none" }, { code: "not-found" }],
    [
      { name: "p/d", onlyPublished: true },
      { code: "not-found", message: /published/ },
    ],
    [{ id: draft.id }, { code: "version-unfinished" }],
  ];
  for (const [query, error] of refused)
    await assert.rejects(Dataset.get({ ...query, workspace }), error, JSON.stringify(query));
});

test("get finds what another catalog made in the same remote, by query too", async (t) => {
  const one = await maker(t);
  await one.finish("p/d");
  const two = await maker(t, one.home.defaultRemote);
  const get = async () => (await Dataset.get({ project: "p", name: "d", workspace: two.workspace })).version;
  assert.equal(await get(), "1.0.0");
  await one.finish("p/d");
  assert.equal(await get(), "1.0.1");
});

test("autoCreate makes a draft once, and finds it again; a finished version comes first", async (t) => {
  const { workspace, finish } = await maker(t);
  const ask = { project: "p", name: "d", tags: ["raw"], autoCreate: true, workspace };
  const made = await Dataset.get(ask);
  assert.deepEqual([made.isFinal, made.reference], [false, "p/d@1.0.0"]);
  assert.equal((await Dataset.get(ask)).id, made.id);
  assert.equal((await Dataset.get("p/d@1.0", { autoCreate: true, workspace })).id, made.id);
  assert.equal((await Dataset.get("p/e@4.2", { autoCreate: true, workspace })).reference, "p/e@4.2");
  const finished = await finish("p/d", { tags: ["raw"] });
  assert.equal((await Dataset.get(ask)).id, finished.id);
  await assert.rejects(Dataset.get({ name: "x", autoCreate: true, workspace }), { code: "bad-input" });
});

test("writableCopy makes a draft in the same dataset, a child with the tags and the next label", async (t) => {
  const { workspace, finish } = await maker(t);
  const base = await finish("p/d", { version: "1.5", tags: ["clean"], description: "the base" });
  const copy = await Dataset.get("p/d", { writableCopy: true, workspace });
  const catalog = await workspace.catalog();
  assert.deepEqual([copy.isFinal, copy.reference], [false, "p/d@1.6"]);
  assert.deepEqual(await catalog.parentsOf(copy.id), [base.id]);
  assert.deepEqual(await catalog.versionTags(copy.id), ["clean"]);
  assert.equal(
    (await catalog.versionById(copy.id))!.description,
    "",
    "the description is the parent's alone",
  );
});

test("archived versions and datasets are left out unless asked for, or asked for by label", async (t) => {
  const { workspace, finish } = await maker(t);
  const [one, two] = [await finish("p/d"), await finish("p/d")];
  await finish("p/e");
  const archive = async (reference: string, dataset: boolean) => {
    const { subject } = await locateSubject(workspace, reference, { dataset });
    await setArchived(workspace, subject, true);
  };
  await archive("p/d@1.0.1", false);
  await archive("p/e", true);
  const get = async (query: object) => (await Dataset.get({ ...query, workspace })).id;
  assert.equal(await get({ name: "p/d" }), one.id);
  assert.equal(await get({ name: "p/d", includeArchived: true }), two.id);
  assert.equal(await get({ name: "p/d", version: "1.0.1" }), two.id);
  assert.equal((await Dataset.get("p/d", { includeArchived: true, workspace })).id, two.id);
  await assert.rejects(get({ name: "e" }), { code: "not-found" });
  const listed = async (options: object) =>
    (await Dataset.listVersions({ ...options, workspace })).map(({ name, version }) => `${name}@${version}`);
  assert.deepEqual(await listed({}), ["d@1.0.0"]);
  assert.deepEqual(await listed({ includeArchived: true }), ["d@1.0.0", "d@1.0.1", "e@1.0.0"]);
});

test("lists are sorted, filtered and paged", async (t) => {
  const { workspace, finish } = await maker(t);
  await finish("vision/raw/pets", { version: "1.0.0" });
  await finish("vision/pets", { version: "1.10", tags: ["b"] });
  await finish("vision/pets", { version: "1.9", tags: ["a", "b"], publish: true });
  const audio = await finish("audio/birds");
  await Dataset.create("vision/pets", { workspace });
  await (
    await workspace.catalog()
  ).addDatasetTags((await workspace.catalog().then((c) => c.findDataset("audio", "birds")))!.id, ["set"]);
  const versions = async (options: object) =>
    (await Dataset.listVersions({ ...options, workspace })).map(
      ({ project, name, version }) => `${project}/${name}@${version}`,
    );
  const ALL = ["audio/birds@1.0.0", "vision/pets@1.9", "vision/pets@1.10", "vision/raw/pets@1.0.0"];
  assert.deepEqual(await versions({}), ALL);
  assert.deepEqual(await versions({ onlyCompleted: false }), ALL.toSpliced(3, 0, "vision/pets@1.11"));
  assert.deepEqual(await versions({ limit: 2, offset: 1 }), ALL.slice(1, 3));
  assert.deepEqual(await versions({ project: "vision" }), ALL.slice(1));
  assert.deepEqual(await versions({ project: "vision", recursiveProjectSearch: false }), ALL.slice(1, 3));
  assert.deepEqual(await versions({ project: "visio" }), []);
  assert.deepEqual(await versions({ partialName: "^b|x$" }), ALL.slice(0, 1));
  assert.deepEqual(await versions({ partialName: /PET/i }), ALL.slice(1));
  assert.deepEqual(await versions({ tags: ["b", "-a"] }), ["vision/pets@1.10"]);
  assert.deepEqual(await versions({ tags: ["set"] }), ALL.slice(0, 1));
  assert.deepEqual(await versions({ ids: [audio.id] }), ALL.slice(0, 1));
  assert.deepEqual(await versions({ ids: [] }), []);
  assert.deepEqual(await versions({ version: "1.9.0" }), ["vision/pets@1.9"]);
  assert.deepEqual(await versions({ onlyPublished: true }), ["vision/pets@1.9"]);
  await assert.rejects(versions({ partialName: "(" }), { code: "bad-input" });
  await assert.rejects(versions({ shallowSearch: true }), { code: "bad-input" });
  const datasets = await Dataset.listDatasets({ workspace });
  assert.deepEqual(
    datasets.map(({ project, name, versions, latest, tags }) => [
      `${project}/${name}`,
      versions,
      latest?.version,
      tags,
    ]),
    [
      ["audio/birds", 1, "1.0.0", ["set"]],
      ["vision/pets", 2, "1.10", []],
      ["vision/raw/pets", 1, "1.0.0", []],
    ],
  );
});
