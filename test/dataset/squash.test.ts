/** Squashing: one version of several, and what it costs and needs. */
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";

import { Dataset } from "../../src/dataset/dataset.js";
import { findVersion } from "../../src/dataset/history.js";
import { lineageOf } from "../../src/dataset/lineage.js";
import { rebuildCatalog } from "../../src/dataset/rebuild.js";
import type { Workspace } from "../../src/dataset/workspace.js";
import { EntryType } from "../../src/manifest/entry.js";
import { fileRemote } from "../../src/remote/file/file.js";
import { registerScheme } from "../../src/remote/open.js";
import { type Recording, recording } from "../../src/remote/recording.js";
import { noise } from "../content/noise.js";
import { failure } from "../remote/suite.js";
import { loseCatalog } from "../support/catalog-place.js";
import { tempDir } from "../support/temp.js";
import { varveUser } from "../support/varve.js";
import { type Contents, describeVersion, pathsOf, textIn, writeFolder } from "./support/folders.js";
import { keysOf, pruneTo } from "./support/pruned.js";
import { type TestUser, testUser } from "./support/workspaces.js";

interface Maker extends TestUser {
  workspace: Workspace;
  /** Where the default remote lies. */
  remoteFolder: string;
  /** A finished version: what its parents hold, with `contents` added and `removed` removed. */
  make: (
    name: string,
    contents: Contents,
    options?: { parents?: string[]; removed?: string[]; remote?: string },
  ) => Promise<Dataset>;
}

async function maker(t: TestContext): Promise<Maker> {
  const remoteFolder = join(await tempDir(t), "remote");
  const user = await testUser(t, remoteFolder);
  const workspace = user.open();
  return {
    ...user,
    workspace,
    remoteFolder,
    async make(name, contents, { parents, removed = [], remote } = {}) {
      rmSync(user.scratch, { recursive: true, force: true });
      writeFolder(user.scratch, contents);
      const draft = await Dataset.create(name, { workspace, parents, remote });
      await draft.addFiles(user.scratch);
      if (removed.length > 0) await draft.removeFiles(removed);
      await draft.finalize({ autoUpload: true });
      return draft;
    },
  };
}

const digests = async (dataset: Dataset) => {
  const { treeDigest, contentDigest } = (await dataset.tree()).root;
  return { treeDigest, contentDigest };
};

test("D7: a squashed chain equals its last version, removals included, and has no parents", async (t) => {
  const { workspace, make } = await maker(t);
  const one = await make("p/d", { a: "1", b: "1", "x/c": "1", empty: "" });
  const two = await make("p/d", { b: "2" }, { parents: [one.id], removed: ["x"] });
  const three = await make("p/d", { d: "3" }, { parents: [two.id] });
  const ids = [one.id, two.id, three.id];
  const squashed = await Dataset.squash("p/squashed", { ids, workspace });
  assert.deepEqual(await digests(squashed), await digests(three));
  assert.deepEqual(await describeVersion(squashed), await describeVersion(three));
  assert.deepEqual(await (await workspace.catalog()).parentsOf(squashed.id), []);
  const [step] = await lineageOf(workspace, await findVersion(workspace, squashed.id));
  assert.deepEqual(step!.parents, []);
  assert.deepEqual(
    step!.squashedFrom,
    [one, two, three].map(({ id, reference }) => ({ id, name: reference })),
  );
  const { added, modified, removed } = step!.changes;
  assert.deepEqual({ added, modified, removed }, { added: 4, modified: 0, removed: 0 });
  const middle = await Dataset.squash("p/squashed", { references: ["p/d@1.0.1", "p/d"], workspace });
  assert.deepEqual(await digests(middle), await digests(three), "an inherited file is not lost");
});

test("squashing versions that know nothing of each other lays the later over the earlier, as parents are", async (t) => {
  const { workspace, make } = await maker(t);
  const a = await make("p/a", { both: "of a", "d/a": "a", link: { target: "both" } });
  const b = await make("p/b", { both: "of b", "d/b": "b", "d/both": { target: "a" } });
  const c = await make("p/c", { d: "a file" });
  for (const order of [
    [a, b, c],
    [c, b, a],
    [b, a],
  ]) {
    const parents = order.map(({ id }) => id);
    const merged = await Dataset.create("p/merged", { workspace, parents });
    await merged.finalize();
    const squashed = await Dataset.squash("p/squashed", { ids: parents, workspace });
    assert.deepEqual(await digests(squashed), await digests(merged));
    assert.deepEqual(await describeVersion(squashed), await describeVersion(merged));
  }
  const pairs = [{ project: "p", name: "a" }, ["p", "b"] as const];
  const byPairs = await Dataset.squash("p/squashed", { pairs, workspace, version: "9.0", tags: ["t"] });
  assert.deepEqual([byPairs.version, await textIn(byPairs, "both")], ["9.0", "of b"]);
  assert.deepEqual(await (await workspace.catalog()).versionTags(byPairs.id), ["t"]);
});

test("where the bytes lie in its remote already, squashing moves none of them and reads no pack", async (t) => {
  const recordings: Recording[] = [];
  registerScheme("recorded", (url) => {
    recordings.push(recording(fileRemote(url.pathname)));
    return recordings.at(-1)!;
  });
  const user = await testUser(t, `recorded:///${join(await tempDir(t), "remote")}`);
  const first = user.open();
  writeFolder(user.scratch, { large: noise("large", 3_000_000), small: "1" });
  const ids: string[] = [];
  for (const name of ["p/a", "p/b"]) {
    const draft = await Dataset.create(name, { workspace: first });
    await draft.addFiles(user.scratch, { to: name });
    ids.push((await draft.finalize({ autoUpload: true })).id);
  }
  await first.close();
  rmSync(user.home.cacheDir, { recursive: true });
  recordings.length = 0;
  await Dataset.squash("p/squashed", { ids, workspace: user.open() });
  const [{ calls, sentBytes, receivedBytes }] = recordings as [Recording];
  assert.deepEqual(
    calls.filter((call) => call.includes("packs/")),
    [],
  );
  const puts = calls
    .filter((call) => /^(put|create)/.test(call))
    .map((call) => call.replace(/[/ ][0-9a-f/]{32,}/g, "/…"));
  assert.deepEqual(puts.sort(), [
    "create datasets/…versions/1.0.0",
    "create leases/…",
    "create names/p/squashed",
    "put intents/…",
    "put ranges/…",
    "put roots/…",
  ]);
  assert.ok(sentBytes < 10_000 && receivedBytes < 20_000, `${sentBytes} sent, ${receivedBytes} received`);
});

test("a squashed version survives the end of everything it was made from, and has children", async (t) => {
  const { workspace, make, remoteFolder, home, open, scratch } = await maker(t);
  const one = await make("p/d", { a: noise("a", 200_000), b: "1" });
  const two = await make("p/d", { c: "2" }, { parents: [one.id], removed: ["b"] });
  const other = await make("p/other", { "o/1": "1" });
  const squashed = await Dataset.squash("p/squashed", { ids: [one.id, two.id, other.id], workspace });
  const described = await describeVersion(squashed);
  await pruneTo(workspace, squashed, remoteFolder);
  await workspace.close();
  rmSync(home.cacheDir, { recursive: true });
  await loseCatalog(home);
  const later = open();
  const { versions, problems } = await rebuildCatalog(later, [remoteFolder]);
  assert.deepEqual([versions, problems], [1, []]);
  const found = await Dataset.get("p/squashed", { workspace: later });
  assert.deepEqual(await describeVersion(found), described);
  const [step] = await lineageOf(later, await findVersion(later, found.id));
  assert.deepEqual(
    step!.squashedFrom.map(({ name }) => name),
    ["p/d@1.0.0", "p/d@1.0.1", "p/other@1.0.0"],
  );
  rmSync(scratch, { recursive: true });
  writeFolder(scratch, { again: noise("a", 200_000), new: "3" });
  const child = await Dataset.create("p/squashed", { workspace: later, parents: ["p/squashed"] });
  await child.addFiles(scratch);
  assert.equal(
    (await child.finalize({ autoUpload: true })).contentBytesSent,
    1,
    "content it has is not sent again",
  );
});

test("to another remote the content is copied, and nothing of it leads back", async (t) => {
  const { workspace, make, home, open, remoteFolder } = await maker(t);
  const folder = await tempDir(t);
  const [far, archive] = [join(folder, "far"), join(folder, "archive")];
  const one = await make("p/d", {
    large: noise("large", 17_000_000),
    secret: "s3cret",
    "d/a": "a".repeat(5_000),
  });
  const two = await make("p/d", { "d/b": "b" }, { parents: [one.id], removed: ["secret"] });
  const elsewhere = await make("p/e", { e: "elsewhere", link: { target: "e" } }, { remote: far });
  const ids = [two.id, elsewhere.id];
  const squashed = await Dataset.squash("p/squashed", { ids, workspace, remote: archive });
  const merged = await Dataset.create("p/merged", { workspace, parents: ids });
  await merged.finalize();
  assert.deepEqual(await digests(squashed), await digests(merged));
  const described = await describeVersion(merged);
  const keys = await keysOf(workspace, squashed);
  await workspace.close();
  for (const gone of [home.cacheDir, remoteFolder, far]) rmSync(gone, { recursive: true });
  const reader = await Dataset.get(`${archive}#p/squashed`, { workspace: open() });
  assert.deepEqual(await describeVersion(reader), described);
  const stored: string[] = [];
  for await (const { key } of fileRemote(archive).list("")) stored.push(key);
  assert.deepEqual(stored.filter((key) => !key.startsWith("leases/")).sort(), [...keys].sort());
});

test("what lies in the target already is not sent again when the rest is copied there", async (t) => {
  const { workspace, make } = await maker(t);
  const archive = join(await tempDir(t), "archive");
  const here = await make("p/here", { here: noise("here", 300_000) });
  const there = await make("p/there", { there: noise("there", 300_000) }, { remote: archive });
  const varied = await Dataset.squash("p/squashed", { ids: [here.id, there.id], workspace, remote: archive });
  assert.deepEqual(await pathsOf(varied), ["here", "there"]);
  const packs: string[] = [];
  for await (const { key } of fileRemote(archive).list("packs/")) packs.push(key);
  assert.equal(packs.length, 2);
});

test("external files stay what they are when versions are squashed", async (t) => {
  const { workspace, make } = await maker(t);
  const file = join(await tempDir(t), "external");
  const plain = await make("p/plain", { x: "1" });
  writeFolder(file, { linked: "bytes elsewhere" });
  const draft = await Dataset.create("p/linked", { workspace });
  await draft.addExternalFiles(join(file, "linked"));
  const { id } = await draft.finalize();
  const archive = join(await tempDir(t), "archive");
  for (const remote of [undefined, archive]) {
    const squashed = await Dataset.squash("p/squashed", { ids: [plain.id, id], workspace, remote });
    assert.equal(await textIn(squashed, "linked"), "bytes elsewhere");
    assert.equal((await squashed.entry("linked")).type, EntryType.link);
  }
});

test("a squash is refused for no sources, several kinds of them and one that is not there, and leaves no draft", async (t) => {
  const { workspace, make } = await maker(t);
  const { id } = await make("p/d", { a: "1" });
  await assert.rejects(Dataset.squash("p/s", { ids: [], workspace }), failure("bad-input"));
  await assert.rejects(Dataset.squash("p/s", { ids: [id], pairs: [], workspace }), failure("bad-input"));
  await assert.rejects(Dataset.squash("p/s", { references: ["p/none"], workspace }), failure("not-found"));
  const taken = { ids: [id], version: "1.0", workspace };
  await Dataset.squash("p/s", taken);
  await assert.rejects(Dataset.squash("p/s", taken), failure("conflict"));
  const { id: dataset } = (await (await workspace.catalog()).findDataset("p", "s"))!;
  assert.equal((await (await workspace.catalog()).listVersions(dataset)).length, 1);
});

test("an unfinished squash is a draft: it can be changed, by a later process too, and then finalized", async (t) => {
  const { workspace, make, open, scratch } = await maker(t);
  const a = await make("p/a", { a: "1", gone: "1" });
  const b = await make("p/b", { b: "1" });
  const draft = await Dataset.squash("p/s", { ids: [a.id, b.id], workspace, finalize: false });
  draft.close();
  await workspace.close();
  const later = open();
  const opened = await Dataset.get(draft.id, { workspace: later, onlyCompleted: false });
  assert.deepEqual(await pathsOf(opened), ["a", "b", "gone"]);
  rmSync(scratch, { recursive: true });
  writeFolder(scratch, { c: "1" });
  await opened.addFiles(scratch);
  await opened.removeFiles("gone");
  await opened.finalize({ autoUpload: true });
  assert.deepEqual(await pathsOf(opened), ["a", "b", "c"]);
  const [step] = await lineageOf(later, await findVersion(later, opened.id));
  assert.deepEqual(
    step!.squashedFrom.map(({ name }) => name),
    ["p/a@1.0.0", "p/b@1.0.0"],
  );
});

test("varve squash makes one version of several, and varve log says of which", async (t) => {
  const varve = await varveUser(t);
  const folder = `${varve.home}/../files`;
  for (const name of ["one", "two"]) {
    writeFolder(`${folder}/${name}`, { [name]: name });
    await varve.ok(["sync", `${folder}/${name}`, `p/${name}`]);
  }
  const { stdout } = await varve.ok([
    "squash",
    "p/both",
    "p/one",
    "p/two",
    "--tag",
    "t",
    "--description",
    "d",
  ]);
  assert.match(stdout, /^p\/both@1\.0\.0 {2}2 added; 2 files, 6 B; [\d.]+ (Ki)?B sent\n$/);
  assert.equal((await varve.ok(["ls", "p/both"])).stdout, "one\ntwo\n");
  assert.match(
    (await varve.ok(["log", "p/both"])).stdout,
    /\n {4}squashed from p\/one@1\.0\.0, p\/two@1\.0\.0\n/,
  );
  const made = await varve.ok(["squash", "p/both", "p/both", "--no-finalize", "--json"]);
  assert.deepEqual(Object.keys(made.json() as object), ["id", "dataset", "version"]);
  await varve.ok(["finalize"]);
  assert.equal((await varve(["squash", "p/both", "p/none"])).code, 3);
});
