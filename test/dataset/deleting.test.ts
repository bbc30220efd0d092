/** Deleting versions and datasets: what is refused, what goes, and that nobody else loses a byte. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";

import { Dataset } from "../../src/dataset/dataset.js";
import { rebuildCatalog } from "../../src/dataset/rebuild.js";
import { type SyncOptions, syncVersion } from "../../src/dataset/sync.js";
import type { Workspace } from "../../src/dataset/workspace.js";
import { tempDir } from "../support/temp.js";
import { textIn, writeFolder } from "./support/folders.js";
import { testUser } from "./support/workspaces.js";

async function chain(t: TestContext) {
  const place = await tempDir(t);
  const user = await testUser(t, place);
  const workspace = user.open();
  const sync = async (files: Record<string, string>, options: Partial<SyncOptions> = {}) => {
    writeFolder(user.scratch, files);
    return (await syncVersion(user.scratch, "p/d", { workspace, ...options })).committed!;
  };
  await sync({ base: "from the parent" });
  await sync({ more: "from the child" });
  return { place, user, workspace, sync };
}

async function labels(workspace: Workspace): Promise<string[]> {
  const catalog = await workspace.catalog();
  const dataset = await catalog.findDataset("p", "d");
  return (await catalog.listVersions(dataset!.id)).map(({ label }) => label);
}

test("D5: a parent is deleted only by force, and then its child is whole, also from a cold cache in another home", async (t) => {
  const { place, workspace } = await chain(t);
  const other = await testUser(t, place);
  await Dataset.get("p/d", { workspace: other.open() });
  const wanted = { name: "p/d", version: "1.0.0", workspace };
  await assert.rejects(Dataset.delete(wanted), {
    code: "conflict",
    message:
      'Cannot delete "p/d@1.0.0": it is the parent of 1.0.1; --force deletes it all the same, and they lose nothing',
  });
  const { versions } = await Dataset.delete({ ...wanted, force: true });
  assert.deepEqual(versions.map(({ version, bytes }) => [version, bytes]), [["1.0.0", 15]]); // prettier-ignore
  const gone = versions[0]!.id;
  for (const home of [workspace, other.open(), (await testUser(t, place)).open()]) {
    const child = await Dataset.get("p/d", { workspace: home });
    assert.deepEqual(
      [child.version, await textIn(child, "base"), await textIn(child, "more")],
      ["1.0.1", "from the parent", "from the child"],
    );
    await assert.rejects(Dataset.get("p/d@1.0.0", { workspace: home }), { code: "not-found" });
    await assert.rejects(Dataset.get(gone, { workspace: home }), { code: "not-found" });
    await assert.rejects(Dataset.get(`${place}#p/d@1.0.0`, { workspace: home }), { code: "not-found" });
    assert.deepEqual(await labels(home), ["1.0.1"]);
  }
  const rebuilt = (await testUser(t, place)).open();
  const { problems } = await rebuildCatalog(rebuilt, [place]);
  assert.deepEqual([problems, await labels(rebuilt)], [[], ["1.0.1"]]);
});

test("the label of a deleted version is given to no other, whoever asks, and the next number comes after it", async (t) => {
  const { place, workspace, sync } = await chain(t);
  const stale = (await testUser(t, place)).open();
  await Dataset.get("p/d@1.0.1", { workspace: stale });
  const draft = await Dataset.create("p/d", { workspace: stale, parents: ["p/d@1.0.0"] });
  const taken = await sync({ third: "third" });
  await Dataset.delete({ id: taken.id, workspace });
  assert.deepEqual([draft.version, taken.version], ["1.0.2", "1.0.2"]);
  assert.equal((await draft.finalize()).version, "1.0.3", "a catalog that had not heard of it");
  await assert.rejects(Dataset.create("p/d", { workspace, version: "1.0.2" }), {
    code: "conflict",
    message: /the version "1\.0\.2" was deleted, and its label is not given again/,
  });
  assert.equal((await sync({ fourth: "fourth" })).version, "1.0.4");
});

test("published versions, several versions under one name, and whole datasets need to be meant", async (t) => {
  const { workspace, sync } = await chain(t);
  await sync({ third: "third" }, { publish: true });
  const refused = (query: object, message: RegExp) =>
    assert.rejects(Dataset.delete({ name: "p/d", workspace, ...query }), { code: "conflict", message });
  await refused({ version: "1.0.2" }, /it is published/);
  await refused({}, /there are p\/d@1\.0\.0, p\/d@1\.0\.1, p\/d@1\.0\.2; name one/);
  await refused({ entireDataset: true }, /with all its 3 versions: --force says that this is meant/);
  await assert.rejects(Dataset.delete({ workspace }), { code: "bad-input" });
  await assert.rejects(Dataset.delete({ name: "p/typo", workspace }), { code: "not-found" });
  const dry = await Dataset.delete({
    name: "p/d",
    entireDataset: true,
    dryRun: true,
    force: true,
    workspace,
  });
  assert.equal(dry.versions.length, 3);
  assert.deepEqual(await labels(workspace), ["1.0.0", "1.0.1", "1.0.2"]);
  await Dataset.delete({ name: "p/d", entireDataset: true, force: true, workspace });
  assert.deepEqual(await (await workspace.catalog()).listDatasets(), []);
  await assert.rejects(Dataset.get("p/d", { workspace }), { code: "not-found" });
  assert.equal((await sync({ again: "again" })).version, "1.0.3");
});

test("a draft is deleted by its label; work that rests on a version keeps it, even by force", async (t) => {
  const { workspace } = await chain(t);
  const draft = await Dataset.create("p/d", { workspace, parents: ["p/d@1.0.1"] });
  draft.close();
  await assert.rejects(Dataset.delete({ name: "p/d", version: "1.0.1", force: true, workspace }), {
    code: "conflict",
    message: 'Cannot delete "p/d@1.0.1": draft 1.0.2 rests on it; finish or discard that first',
  });
  await Dataset.delete({ name: "p/d", version: "1.0.2", workspace });
  assert.deepEqual(await labels(workspace), ["1.0.0", "1.0.1"]);
  await Dataset.delete({ name: "p/d", version: "1.0.1", workspace });
  assert.deepEqual(await labels(workspace), ["1.0.0"]);
});

test("deleteExternalFiles deletes sources that only this version links to, and tells of each", async (t) => {
  const { workspace, user } = await chain(t);
  const outside = join(user.scratch, "../outside");
  writeFolder(outside, { inherited: "1", own: "2", changed: "3" });
  const link = async (parents: string[], ...names: string[]) => {
    const draft = await Dataset.create("p/d", { workspace, parents });
    await draft.addExternalFiles(names.map((name) => join(outside, name)));
    return (await draft.finalize()).version;
  };
  const first = await link(["p/d"], "inherited");
  const second = await link([`p/d@${first}`], "own", "changed");
  writeFolder(outside, { changed: "written since" });
  const { externalFiles } = await Dataset.delete({
    name: "p/d",
    version: second,
    deleteExternalFiles: true,
    workspace,
  });
  const told = externalFiles.map(({ url, state }) => [url.slice(url.lastIndexOf("/") + 1), state]);
  assert.deepEqual(told.sort(), [["changed", "kept"], ["own", "deleted"]]); // prettier-ignore
  assert.deepEqual(readdirSync(outside).sort(), ["changed", "inherited"]);
});

test("a first sync that fails leaves no dataset", async (t) => {
  const user = await testUser(t);
  const workspace = user.open();
  writeFolder(user.scratch, { a: "a" });
  const signal = AbortSignal.abort();
  await assert.rejects(syncVersion(user.scratch, "p/first", { workspace, signal }));
  assert.deepEqual(await (await workspace.catalog()).listDatasets(), []);
});
