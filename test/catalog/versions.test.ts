import assert from "node:assert/strict";

import fc from "fast-check";

import { canonicalLabel, compareLabels } from "../../src/catalog/label.js";
import { failure } from "../remote/suite.js";
import { label } from "./labels.js";
import { FACTS, REMOTE, newId, openFixture, testOnEach as test } from "./support.js";

test("reserveVersion() gives a draft with its label as written, its parents in order and its tags", async (t) => {
  const { catalog, dataset } = await openFixture(t);
  const [id, parents] = [newId(), [newId(), newId()]];
  const version = await catalog.reserveVersion({
    id,
    dataset,
    label: "v1.0",
    parents,
    tags: ["b", "a", "b"],
    description: "first",
    createdBy: "ada",
    remoteId: REMOTE,
    createdAtMs: 1_700_000_000_000,
  });
  assert.deepEqual(version, {
    id,
    datasetId: dataset,
    label: "v1.0",
    canonicalLabel: "1.0.0",
    state: "draft",
    description: "first",
    createdBy: "ada",
    createdAtMs: 1_700_000_000_000,
    completedAtMs: null,
    remoteId: REMOTE,
    ...Object.fromEntries(Object.keys(FACTS).map((name) => [name, null])),
    archived: 0,
  });
  assert.deepEqual(await catalog.parentsOf(version.id), parents);
  assert.deepEqual(await catalog.versionTags(version.id), ["a", "b"]);
});

test("a version without a label takes the next after the highest of any state", async (t) => {
  const { catalog, reserve, complete } = await openFixture(t);
  assert.equal((await reserve()).label, "1.0.0");
  assert.equal((await reserve({ state: "committing" })).label, "1.0.1");
  const { id } = await reserve({ label: "v2.9" });
  await catalog.transition(id, ["draft"], "failed");
  assert.equal((await reserve()).label, "2.10");
  await complete("2.9.5");
  assert.equal((await reserve()).label, "2.11");
});

test("a label that another version has, however it is written, is a conflict that names the version", async (t) => {
  const { reserve } = await openFixture(t);
  const { id } = await reserve({ label: "1.0" });
  await assert.rejects(reserve({ label: "v1.0.0" }), {
    code: "conflict",
    data: { what: 'version "1.0"' },
    message: `Cannot take the label "v1.0.0": the version "1.0" (draft, id ${id}) has it`,
  });
  await reserve({ label: "1.0.0+build" });
  await assert.rejects(reserve({ label: "latest" }), failure("bad-input"));
  await assert.rejects(reserve({ dataset: newId() }), failure("not-found"));
});

test("versions are listed in the order of their labels, whatever the labels", async (t) => {
  const { catalog } = await openFixture(t);
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(label, { selector: canonicalLabel, maxLength: 12 }), async (labels) => {
      const { id: dataset } = await catalog.ensureDataset({ project: "p", name: newId(), id: newId() });
      const words = { dataset, parents: [], tags: [], description: "", createdBy: "", remoteId: REMOTE };
      for (const label of labels) await catalog.reserveVersion({ ...words, id: newId(), label });
      const listed = (await catalog.listVersions(dataset)).map((version) => version.label);
      assert.deepEqual(listed, labels.toSorted(compareLabels));
    }),
    { numRuns: 15 },
  );
});

test("listVersions() gives the states asked for", async (t) => {
  const { catalog, dataset, reserve, complete } = await openFixture(t);
  const [finished, draft] = [await complete("2"), await reserve({ label: "1" })];
  assert.deepEqual(await catalog.listVersions(dataset), [draft, finished]);
  assert.deepEqual(await catalog.listVersions(dataset, { states: ["draft", "failed"] }), [draft]);
  assert.deepEqual(await catalog.listVersions(newId()), []);
});

test("what is looked for among no datasets, versions or states is not found", async (t) => {
  const { catalog, dataset, complete } = await openFixture(t);
  await complete("1.0");
  const search = { datasets: [dataset], states: ["completed"] } as const;
  assert.equal((await catalog.searchVersions(search)).length, 1);
  for (const nothing of [{ datasets: [] }, { ids: [] }, { states: [] }])
    assert.deepEqual(await catalog.searchVersions({ ...search, ...nothing }), []);
  assert.deepEqual(await catalog.listVersions(dataset, { states: [] }), []);
});

test("versionByLabel() finds a version by any way of writing its label", async (t) => {
  const { catalog, dataset, reserve } = await openFixture(t);
  const version = await reserve({ label: "v1.0" });
  for (const text of ["1", "1.0", "v1.0.0"])
    assert.deepEqual(await catalog.versionByLabel(dataset, text), version);
  assert.equal(await catalog.versionByLabel(dataset, "1.0.1"), undefined);
  await assert.rejects(catalog.versionByLabel(dataset, "latest"), failure("bad-input"));
});

test("latestVersion() is the highest finished release, and a pre-release only where there is no other", async (t) => {
  const { catalog, dataset, reserve, complete } = await openFixture(t);
  const latest = async () => (await catalog.latestVersion(dataset))?.label;
  await reserve({ label: "9" });
  assert.equal(await latest(), undefined);
  await complete("2.0.0-rc.2");
  await complete("2.0.0-rc.10");
  assert.equal(await latest(), "2.0.0-rc.10");
  const { id } = await complete("1.9");
  await complete("1.2");
  assert.equal(await latest(), "1.9");
  await catalog.transition(id, ["completed"], "published");
  assert.equal(await latest(), "1.9");
});

test("draftsOf() gives the drafts of a user, the last one at the front", async (t) => {
  const { catalog, reserve, complete } = await openFixture(t);
  assert.deepEqual(await catalog.draftsOf("ada"), []);
  const first = await reserve({ label: "5" });
  const last = await reserve({ label: "4" });
  await reserve({ label: "6", createdBy: "bob" });
  await complete("7");
  assert.deepEqual(await catalog.draftsOf("ada"), [last, first]);
});

test("childrenOf() gives the versions that name a version as a parent, known here or not", async (t) => {
  const { catalog, reserve } = await openFixture(t);
  const [parent, elsewhere] = [await reserve(), newId()];
  const first = await reserve({ parents: [elsewhere, parent.id] });
  const second = await reserve({ parents: [parent.id] });
  assert.deepEqual(await catalog.childrenOf(parent.id), [first, second]);
  assert.deepEqual(await catalog.childrenOf(elsewhere), [first]);
});

test("transition() moves a version from a state it is in, with changes and the time", async (t) => {
  const { catalog, reserve } = await openFixture(t);
  const draft = await reserve();
  const committing = await catalog.transition(draft.id, ["draft", "failed"], "committing");
  assert.deepEqual(committing, { ...draft, state: "committing" });
  const completed = await catalog.transition(draft.id, ["committing"], "completed", FACTS);
  assert.ok(completed.completedAtMs! > completed.createdAtMs);
  assert.deepEqual(completed, {
    ...draft,
    ...FACTS,
    state: "completed",
    completedAtMs: completed.completedAtMs,
  });
  const published = await catalog.transition(draft.id, ["completed"], "published");
  assert.deepEqual(published, { ...completed, state: "published" });
});

test("of many who make one transition, one succeeds and the others get a conflict", async (t) => {
  const { catalog, reserve } = await openFixture(t);
  const { id } = await reserve();
  const all = Array.from({ length: 10 }, () => catalog.transition(id, ["draft"], "committing"));
  const results = await Promise.allSettled(all);
  assert.equal(results.filter(({ status }) => status === "fulfilled").length, 1);
  await assert.rejects(catalog.transition(id, ["draft", "failed"], "committing"), {
    code: "conflict",
    message: 'Cannot make the version "1.0.0" committing: it is committing, not draft or failed',
  });
  await assert.rejects(catalog.transition(newId(), ["draft"], "committing"), failure("not-found"));
});

test("a finished version keeps its state, label and content; words and roots may change", async (t) => {
  const { catalog, complete } = await openFixture(t);
  const version = await complete("1.0");
  for (const state of ["draft", "committing", "failed"] as const)
    await assert.rejects(catalog.transition(version.id, ["completed"], state), failure("version-final"));
  for (const change of [{ treeDigest: "d".repeat(64) }, { bytes: 1 }, { completedAtMs: 1 }])
    await assert.rejects(catalog.setVersion(version.id, change), failure("version-final"));
  await assert.rejects(catalog.relabelVersion(version.id), failure("version-final"));
  const changes = { description: "better words", rootKey: "roots/1/2", rootHash: "e".repeat(64) };
  assert.deepEqual(await catalog.setVersion(version.id, changes), { ...version, ...changes });
});

test("setVersion() of an unfinished version changes what it is given and nothing else", async (t) => {
  const { catalog, reserve } = await openFixture(t);
  const version = await reserve();
  assert.deepEqual(await catalog.setVersion(version.id, {}), version);
  assert.deepEqual(await catalog.setVersion(version.id, { files: 7 }), { ...version, files: 7 });
  await assert.rejects(catalog.setVersion(newId(), { files: 7 }), failure("not-found"));
});

test("relabelVersion() gives the next free label, above one that is taken elsewhere too", async (t) => {
  const { catalog, reserve } = await openFixture(t);
  const { id } = await reserve({ label: "1.0.0" });
  await reserve({ label: "1.0.1" });
  assert.equal((await catalog.relabelVersion(id)).label, "1.0.2");
  assert.equal((await catalog.relabelVersion(id, { atLeastAbove: "v1.0.7" })).label, "1.0.8");
  const relabelled = await catalog.relabelVersion(id, { atLeastAbove: "1.0.2" });
  assert.deepEqual([relabelled.label, relabelled.canonicalLabel], ["1.0.9", "1.0.9"]);
});

test("importVersion() takes in a version from a remote, and again changes nothing", async (t) => {
  const { catalog, found } = await openFixture(t);
  const parents = [newId(), newId()];
  const remotes = [newId(), newId()];
  const version = found("v3.0", { parents, tags: ["gold"], remotes });
  const imported = await catalog.importVersion(version);
  assert.deepEqual(
    { ...imported, parents, tags: ["gold"], remotes },
    { ...version, canonicalLabel: "3.0.0", archived: 0 },
  );
  assert.deepEqual(await catalog.remotesOfVersion(version.id), remotes);
  assert.deepEqual(await catalog.parentsOf(version.id), parents);
  assert.deepEqual(await catalog.versionTags(version.id), ["gold"]);
  assert.deepEqual(await catalog.importVersion({ ...version, files: 99, parents: [] }), imported);
  await assert.rejects(catalog.importVersion(found("4", { datasetId: newId() })), failure("not-found"));
  assert.deepEqual(await catalog.parentsOf(version.id), parents);
});

test("importVersion() finishes an unfinished version of the same id", async (t) => {
  const { catalog, reserve, found } = await openFixture(t);
  const { id } = await reserve({ state: "committing", parents: [newId()] });
  const version = found("2.0", { id, parents: [] });
  assert.equal((await catalog.importVersion(version))?.state, "completed");
  assert.equal((await catalog.versionById(id))?.label, "2.0");
  assert.deepEqual(await catalog.parentsOf(id), []);
});

test("an unfinished version gives its label up to one that exists in a remote", async (t) => {
  const { catalog, reserve, found } = await openFixture(t);
  for (const state of ["draft", "committing"] as const) {
    const local = await reserve({ state });
    const imported = await catalog.importVersion(found(local.label));
    assert.equal(imported?.label, local.label);
    const moved = await catalog.versionById(local.id);
    assert.ok(compareLabels(moved!.label, local.label) > 0);
    assert.deepEqual(moved, { ...local, label: moved!.label, canonicalLabel: moved!.canonicalLabel });
  }
});

test("two finished versions of one label are a conflict, and the one here stays", async (t) => {
  const { catalog, complete, found } = await openFixture(t);
  const version = await complete("1.0");
  await assert.rejects(catalog.importVersion(found("1.0.0")), failure("conflict"));
  assert.deepEqual(await catalog.versionById(version.id), version);
});

test("drafts and failed versions can be deleted with all they had, others cannot", async (t) => {
  const { catalog, reserve, complete } = await openFixture(t);
  const draft = await reserve({ tags: ["t"], parents: [newId()] });
  await catalog.setMetadata(draft.id, {
    name: "n",
    type: "text/plain",
    form: "text",
    value: new Uint8Array(1),
    attachment: null,
  });
  await catalog.deleteVersion(draft.id);
  assert.equal(await catalog.versionById(draft.id), undefined);
  assert.deepEqual(await catalog.parentsOf(draft.id), []);
  assert.deepEqual(await catalog.versionTags(draft.id), []);
  assert.deepEqual(await catalog.listMetadata(draft.id), []);

  const failed = await reserve();
  await catalog.transition(failed.id, ["draft"], "failed");
  await catalog.deleteVersion(failed.id);
  const committing = await reserve({ state: "committing" });
  for (const { id } of [committing, await complete()])
    await assert.rejects(catalog.deleteVersion(id), { code: "version-final", data: { version: id } });
  await assert.rejects(catalog.deleteVersion(newId()), failure("not-found"));
});
