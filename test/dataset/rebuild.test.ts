/** A catalog that is lost is made anew from what lies beside the data. */
import assert from "node:assert/strict";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { Dataset } from "../../src/dataset/dataset.js";
import { rebuildCatalog } from "../../src/dataset/rebuild.js";
import { addRemote } from "../../src/dataset/remotes.js";
import { type SyncOptions, syncVersion } from "../../src/dataset/sync.js";
import type { Workspace } from "../../src/dataset/workspace.js";
import { loseCatalog } from "../support/catalog-place.js";
import { tempDir } from "../support/temp.js";
import { dump } from "./support/dump.js";
import { textIn, writeFolder } from "./support/folders.js";
import { type TestUser, testUser } from "./support/workspaces.js";

const LONG = "p".repeat(150) + "é".repeat(20);

interface Made {
  user: TestUser;
  workspace: Workspace;
  places: [string, string];
}

/** Three datasets in two remotes: merges, a chain through both remotes, words of all kinds, a name too long for a key. */
async function madeInTwoRemotes(t: Parameters<typeof testUser>[0]): Promise<Made> {
  const user = await testUser(t);
  const places: [string, string] = [await tempDir(t), await tempDir(t)];
  const workspace = user.open();
  const sync = async (name: string, content: string, options: Partial<SyncOptions>) => {
    writeFolder(user.scratch, { [content]: content });
    const { committed } = await syncVersion(user.scratch, name, { ...options, workspace });
    return `${name}@${committed!.version}`;
  };
  const [near, far] = places;
  const first = await sync("lab/raw", "a", {
    remote: near,
    tags: ["gold", "é"],
    description: "What came first",
  });
  const second = await sync("lab/raw", "b", { version: "v2", publish: true });
  const chained = await sync("lab/deep/clean", "c", { remote: far, parents: [second] });
  await sync("lab/deep/clean", "d", { version: "2.0.0-rc.1", parents: [first, chained], tags: ["merge"] });
  await sync(`${LONG}/${LONG.slice(0, 20)}`, "e", { remote: far, parents: [] });
  await annotated(workspace, second);
  const draft = await Dataset.create("lab/raw", { parents: [second], workspace });
  draft.close();
  await amendSome(workspace, first, chained);
  return { user, workspace, places };
}

/** A version with values of all kinds, small and large. */
async function annotated(workspace: Workspace, parent: string): Promise<void> {
  const draft = await Dataset.create("lab/notes", { parents: [parent], workspace });
  await draft.setMetadata({ seed: 7 });
  await draft.setMetadata("x".repeat(5_000), { name: "text" });
  await draft.setMetadata(
    new Uint8Array(9_000).map((_, index) => index ** 3),
    { name: "bytes" },
  );
  await draft.setFileMetadata("b", { label: "letter" });
  await draft.getLogger().reportText({ title: "Note", text: "y".repeat(3_000) });
  await draft.finalize();
}

async function amendSome(workspace: Workspace, first: string, chained: string): Promise<void> {
  const [one, two] = [await Dataset.get(first, { workspace }), await Dataset.get(chained, { workspace })];
  await one.addTags(["silver"]);
  await one.removeTags("gold");
  await one.publish();
  await two.setDescription("Cleaned");
  await two.archive();
  await two.addTags("all", { dataset: true });
}

test("it equals the lost one in all but drafts, and doing it again changes nothing", async (t) => {
  const { user, workspace, places } = await madeInTwoRemotes(t);
  const before = await dump(workspace);
  await workspace.close();
  await loseCatalog(user.home);
  const anew = user.open();
  const { remotes, ...counts } = await rebuildCatalog(anew, places);
  assert.deepEqual(counts, { needed: [], datasets: 4, versions: 6, added: 6, problems: [] });
  assert.deepEqual(
    remotes.map(({ url }) => url),
    places.map((place) => `file://${place}`),
  );
  assert.deepEqual(await dump(anew), before);
  assert.equal((await rebuildCatalog(anew, places.toReversed())).added, 0);
  assert.deepEqual(await dump(anew), before);
  const merged = await Dataset.get("lab/deep/clean@2.0.0-rc.1", { workspace: anew });
  assert.equal(await textIn(merged, "a"), "a");
});

test("a catalog that has some of it is given the rest, and keeps its drafts and names of remotes", async (t) => {
  const { workspace, places } = await madeInTwoRemotes(t);
  const other = await testUser(t);
  const theirs = other.open();
  await addRemote(theirs, "near", places[0]);
  const draft = await Dataset.create("lab/raw", {
    parents: ["lab/raw@1"],
    workspace: theirs,
    remote: "near",
  });
  draft.close();
  const { needed, added } = await rebuildCatalog(theirs, ["near"]);
  // Making the draft has looked for the versions of its dataset already.
  assert.deepEqual([needed.map(({ url }) => url), added], [[`file://${places[1]}`], 2]);
  const far = await rebuildCatalog(theirs, [places[1]]);
  assert.deepEqual([far.needed.map(({ url }) => url), far.added], [[`file://${places[0]}`], 2]);
  assert.deepEqual((await dump(theirs)).datasets, (await dump(workspace)).datasets);
  assert.equal((await Dataset.lastDraft({ workspace: theirs })).id, draft.id);
  assert.equal((await (await theirs.catalog()).remoteByName("near"))?.url, `file://${places[0]}`);
});

test("damaged records, and records that are not what their key says, are named and left out", async (t) => {
  const { user, workspace, places } = await madeInTwoRemotes(t);
  const { id: dataset } = (await (await workspace.catalog()).findDataset("lab", "raw"))!;
  await workspace.close();
  await loseCatalog(user.home);
  const records = join(places[0], "datasets", dataset, "versions");
  assert.deepEqual(readdirSync(records), ["1.0.0", "2.0.0"]);
  writeFileSync(join(records, "1.0.0"), '{"format": 1, "id"');
  writeFileSync(join(records, "7.0.0"), "{}");
  const anew = user.open();
  const { versions, problems } = await rebuildCatalog(anew, [...places, "/nowhere"]);
  assert.equal(versions, 5);
  assert.deepEqual(
    problems.map(({ what }) => what),
    ["/nowhere", `file://${records}/1.0.0`, `file://${records}/7.0.0`],
  );
  assert.equal((await Dataset.get("lab/raw@2", { workspace: anew })).version, "v2");
});

test("a dataset of a name that the catalog has for another is left out, with its versions", async (t) => {
  const [one, two] = [await testUser(t), await testUser(t)];
  const [mine, theirs] = [one.open(), two.open()];
  for (const [{ scratch }, workspace] of [
    [one, mine],
    [two, theirs],
  ] as const) {
    writeFolder(scratch, { a: scratch });
    await syncVersion(scratch, "lab/data", { workspace });
  }
  const before = await dump(mine);
  const { datasets, versions, problems } = await rebuildCatalog(mine, [two.home.defaultRemote]);
  assert.deepEqual([datasets, versions, problems.length], [0, 0, 1]);
  assert.match(problems[0]!.problem, /another of that name/);
  assert.deepEqual((await dump(mine)).datasets, before.datasets);
});
