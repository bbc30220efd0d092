/** References that name their remote: read with nothing but what lies beside the data. */
import assert from "node:assert/strict";
import { readdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";

import { Dataset } from "../../src/dataset/dataset.js";
import { lineageOf } from "../../src/dataset/lineage.js";
import { missingRemotes } from "../../src/dataset/missing-remotes.js";
import { readAll } from "../../src/dataset/rebuild.js";
import { locateDataset, locateVersion } from "../../src/dataset/remote-reference.js";
import { addRemote } from "../../src/dataset/remotes.js";
import { type SyncOptions, syncVersion } from "../../src/dataset/sync.js";
import type { Workspace } from "../../src/dataset/workspace.js";
import { failure } from "../remote/suite.js";
import { isCatalogUntouched } from "../support/catalog-place.js";
import { tempDir } from "../support/temp.js";
import { textIn, writeFolder } from "./support/folders.js";
import { type TestUser, testUser } from "./support/workspaces.js";

interface Lab {
  /** Folders of remotes: `near` holds the first version, `far` its child, `third` the child's child. */
  near: string;
  far: string;
  third: string;
  owner: Workspace;
  sync: (content: string, options?: Partial<SyncOptions>) => Promise<string>;
  /** Somebody who has never heard of any of it. */
  stranger: TestUser;
}

/** `lab/data` with a line of versions 1.0.0, 1.0.1 and 1.0.2, each in another remote, each adding a file. */
async function labIn(t: TestContext): Promise<Lab> {
  const user = await testUser(t);
  const folder = await tempDir(t);
  const [near, far, third] = ["near", "far", "third"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const owner = user.open();
  const sync = async (content: string, options: Partial<SyncOptions> = {}) => {
    writeFolder(user.scratch, { [content]: content });
    return (await syncVersion(user.scratch, "lab/data", { ...options, workspace: owner })).committed!.id;
  };
  const first = await sync("a", { remote: near });
  const second = await sync("b", { remote: far, parents: [first] });
  await sync("c", { remote: third, parents: [second] });
  return { near, far, third, owner, sync, stranger: await testUser(t) };
}

test("the version asked for, or the latest, is found in the remote, and no catalog is made", async (t) => {
  const { near, sync, stranger } = await labIn(t);
  await sync("d", { remote: near, version: "1.2" });
  await sync("e", { remote: near, version: "2.0.0-rc.1" });
  const before = readdirSync(near, { recursive: true }).sort();
  const workspace = stranger.open();
  for (const [reference, version] of [
    [`${near}#lab/data`, "1.2"],
    [`${near}#lab/data@latest`, "1.2"],
    [`file://${near}#lab/data@v1.0`, "1.0.0"],
    [`${near}#lab/data@2.0.0-rc.1`, "2.0.0-rc.1"],
  ] as const) {
    const dataset = await Dataset.get(reference, { workspace });
    assert.deepEqual([dataset.version, await textIn(dataset, "a")], [version, "a"]);
  }
  await workspace.close();
  assert.equal(await isCatalogUntouched(stranger.home), true);
  assert.deepEqual(readdirSync(near, { recursive: true }).sort(), before);
});

test("a record names every remote of its history, and its tree reads from all of them", async (t) => {
  const { near, far, third, stranger } = await labIn(t);
  const { workspace, found } = await locateVersion(stranger.open(), `${third}#lab/data`);
  const catalog = await workspace.catalog();
  const remotes = await catalog.remotesOfVersion(found.version.id);
  const urls = await Promise.all(remotes.map(async (id) => (await catalog.remoteById(id))?.url));
  assert.deepEqual(urls.slice(0, 1), [`file://${third}`]);
  assert.deepEqual(
    urls.sort(),
    [far, near, third].map((place) => `file://${place}`),
  );
  const dataset = await Dataset.get(`${third}#lab/data`, { workspace: stranger.open() });
  for (const name of ["a", "b", "c"]) assert.equal(await textIn(dataset, name), name);
});

test("versions, lineage and differences are told from the remotes alone", async (t) => {
  const { near, third, sync, stranger } = await labIn(t);
  await sync("d", { remote: near, version: "3.0.0", parents: [] });
  const workspace = stranger.open();
  const { workspace: reader, dataset } = await locateDataset(workspace, `${near}#lab/data`);
  const rows = await (await reader.catalog()).listVersions(dataset.id);
  assert.deepEqual(
    rows.map(({ label }) => label),
    ["1.0.0", "3.0.0"],
  );
  const { workspace: teller, found } = await locateVersion(workspace, `${third}#lab/data`);
  const steps = await lineageOf(teller, found);
  assert.deepEqual(
    steps.map(({ version, parents }) => [version, ...parents.map(({ name }) => name)]),
    [["1.0.2", "lab/data@1.0.1"], ["1.0.1", "lab/data@1.0.0"], ["1.0.0"]],
  );
  const [from, to] = [`${near}#lab/data@1.0.0`, `${third}#lab/data`];
  const diff = await (await Dataset.get(from, { workspace })).diff(await Dataset.get(to, { workspace }));
  assert.deepEqual(diff.added, ["b", "c"]);
  const datasets = await (await (await readAll(workspace, third)).reader.catalog()).listDatasets();
  assert.deepEqual(
    datasets.map(({ name }) => name),
    ["data"],
  );
  await workspace.close();
  assert.equal(await isCatalogUntouched(stranger.home), true);
});

test("what is not there is named, and nothing is made in its place", async (t) => {
  const { near, stranger } = await labIn(t);
  const empty = await tempDir(t);
  const workspace = stranger.open();
  const get = (reference: string) => Dataset.get(reference, { workspace });
  await assert.rejects(get(`${near}#lab/other`), failure("not-found"));
  await assert.rejects(get(`${near}#lab/data@9`), failure("not-found"));
  await assert.rejects(get(`${empty}#lab/data`), failure("remote-failed"));
  assert.deepEqual(readdirSync(empty), []);
  await assert.rejects(get(`${near}#`), failure("bad-input"));
  await assert.rejects(get(`${near}#${"0".repeat(32)}`), failure("bad-input"));
  await assert.rejects(get("nowhere#lab/data"), failure("not-found"));
});

test("a remote that a version needs and that is out of reach is named, until it is told where it lies", async (t) => {
  const { far, third, stranger } = await labIn(t);
  const moved = `${far}-moved`;
  renameSync(far, moved);
  const missing = async (workspace: Workspace) => {
    const located = await locateVersion(workspace, `${third}#lab/data`);
    return (await missingRemotes(located.workspace, located.found)).map(({ url }) => url);
  };
  assert.deepEqual(await missing(stranger.open()), [`file://${far}`]);
  await addRemote(stranger.open(), "far", moved);
  assert.deepEqual(await missing(stranger.open()), []);
  const dataset = await Dataset.get(`${third}#lab/data`, { workspace: stranger.open() });
  assert.equal(await textIn(dataset, "b"), "b");
});

test("a version of a remote can be the parent of one in another: then the catalog knows it", async (t) => {
  const { near, stranger } = await labIn(t);
  const workspace = stranger.open();
  writeFolder(stranger.scratch, { a: "a", mine: "mine" });
  const { committed } = await syncVersion(stranger.scratch, "my/data", {
    parents: [`${near}#lab/data`],
    workspace,
  });
  assert.deepEqual([committed?.added, committed?.removed], [1, 0]);
  assert.equal((await Dataset.get("lab/data@1.0.0", { workspace })).version, "1.0.0");
  const other = await testUser(t);
  writeFolder(other.scratch, { a: "other" });
  const theirs = other.open();
  await syncVersion(other.scratch, "lab/data", { workspace: theirs });
  const parents = [`${near}#lab/data`];
  await assert.rejects(Dataset.create("my/data", { parents, workspace: theirs }), failure("conflict"));
  const read = await Dataset.get(`${near}#lab/data`, { workspace: theirs });
  assert.equal(await textIn(read, "a"), "a");
});
