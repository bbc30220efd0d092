/** What may change of a finished version or a dataset lies beside the data, and every catalog comes to know it. */
import assert from "node:assert/strict";
import { readFileSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";

import fc from "fast-check";

import type { Change, Dataset as DatasetRow } from "../../src/catalog/catalog.js";
import { amend } from "../../src/dataset/amend.js";
import { takeAmendments } from "../../src/dataset/amendment-objects.js";
import { Dataset } from "../../src/dataset/dataset.js";
import { refresh } from "../../src/dataset/history.js";
import { rebuildCatalog } from "../../src/dataset/rebuild.js";
import { syncVersion } from "../../src/dataset/sync.js";
import type { Workspace } from "../../src/dataset/workspace.js";
import { recording } from "../../src/remote/recording.js";
import { tempDir } from "../support/temp.js";
import { dump } from "./support/dump.js";
import { writeFolder } from "./support/folders.js";
import { type TestUser, testUser } from "./support/workspaces.js";

interface Meeting {
  place: string;
  mine: Workspace;
  theirs: Workspace;
  users: [TestUser, TestUser];
  dataset: DatasetRow;
}

/** Two users who meet in one remote, and know the versions 1.0.0 and 1.0.1 of `p/d` there. */
async function meeting(t: TestContext): Promise<Meeting> {
  const place = await tempDir(t);
  const users: [TestUser, TestUser] = [await testUser(t, place), await testUser(t, place)];
  const [mine, theirs] = [users[0].open(), users[1].open()];
  for (const content of ["first", "second"]) {
    writeFolder(users[0].scratch, { content });
    await syncVersion(users[0].scratch, "p/d", { workspace: mine });
  }
  await Dataset.get("p/d", { workspace: theirs });
  const dataset = (await (await mine.catalog()).findDataset("p", "d"))!;
  return { place, mine, theirs, users, dataset };
}

function amendmentsIn(place: string, { id }: DatasetRow): string {
  return join(place, "datasets", id, "amendments");
}

test("publishing, tags, a description and archiving are seen by another catalog at its next look", async (t) => {
  const { mine, theirs, dataset } = await meeting(t);
  const first = await Dataset.get("p/d@1.0.0", { workspace: mine });
  await first.setTags(["golden", "checked"]);
  await first.removeTags(["checked", "never there"]);
  await first.setDescription("What came first");
  await first.publish();
  await first.publish();
  const second = await Dataset.get("p/d@1.0.1", { workspace: mine });
  await second.archive();
  await second.addTags(["vision"], { dataset: true });
  assert.deepEqual(
    [first.state, first.description, second.isArchived],
    ["published", "What came first", true],
  );

  const seen = await Dataset.get("p/d", { workspace: theirs });
  assert.deepEqual(
    [seen.version, seen.isPublished, seen.description, await seen.tags(), await seen.tags({ dataset: true })],
    ["1.0.0", true, "What came first", ["golden"], ["vision"]],
  );
  assert.equal((await Dataset.get("p/d@1.0.1", { workspace: theirs })).isArchived, true);
  await refresh(theirs, dataset);
  assert.deepEqual(await dump(theirs), await dump(mine));
});

test("a reference that names its remote shows what was amended, and changes it without a catalog", async (t) => {
  const { place, mine, theirs } = await meeting(t);
  await (await Dataset.get("p/d@1.0.1", { workspace: mine })).archive();
  const there = await Dataset.get(`${place}#p/d`, { workspace: theirs });
  assert.equal(there.version, "1.0.0");
  await there.addTags("by URL");
  const mineNow = await Dataset.get("p/d", { workspace: mine });
  assert.deepEqual([mineNow.version, await mineNow.tags()], ["1.0.0", ["by URL"]]);
});

test("a draft is changed in the catalog alone, and its record tells it", async (t) => {
  const { place, mine, theirs, dataset } = await meeting(t);
  const draft = await Dataset.create("p/d", { workspace: mine, parents: ["p/d"], tags: ["early"] });
  await draft.setTags(["late"]);
  await draft.setDescription("Still a draft");
  await assert.rejects(draft.publish(), { code: "version-unfinished" });
  await draft.finalize();
  assert.throws(() => readdirSync(amendmentsIn(place, dataset)), { code: "ENOENT" });
  const seen = await Dataset.get("p/d", { workspace: theirs });
  assert.deepEqual([await seen.tags(), seen.description], [["late"], "Still a draft"]);
});

test("looking again costs one listing, however many amendments there are", async (t) => {
  const { place, mine, theirs, dataset } = await meeting(t);
  const version = await Dataset.get("p/d", { workspace: mine });
  for (const tag of ["a", "b", "c"]) await version.addTags(tag);
  const { id, remote } = await theirs.openRemote(place);
  const asked = async () => {
    const counted = recording(remote);
    await takeAmendments(theirs, { id, remote: counted }, dataset);
    return counted.calls;
  };
  const prefix = `datasets/${dataset.id}/amendments/`;
  const reads = ["1", "2", "3"].map((number) => `readWhole ${prefix}${number.padStart(10, "0")}`);
  assert.deepEqual(await asked(), [`list ${prefix} after ${prefix}0000000000`, ...reads]);
  assert.deepEqual(await asked(), [`list ${prefix} after ${prefix}0000000003`]);
});

test("an amendment of a kind that is not known is told once and kept, and those after it are applied", async (t) => {
  const { place, mine, theirs, users, dataset } = await meeting(t);
  const version = await Dataset.get("p/d", { workspace: mine });
  await version.addTags("before");
  const folder = amendmentsIn(place, dataset);
  const first = JSON.parse(readFileSync(join(folder, "0000000001"), "utf8")) as object;
  const change = { kind: "sparkle", version: version.id };
  writeFileSync(join(folder, "0000000002"), JSON.stringify({ ...first, id: "e".repeat(32), change }));
  writeFileSync(join(folder, "0000000003"), "{");
  await version.addTags("after");
  users[1].notices.length = 0;
  for (let look = 0; look < 2; look++) {
    const seen = await Dataset.get("p/d", { workspace: theirs });
    assert.deepEqual(await seen.tags(), ["after", "before"]);
  }
  const passedOver = /^Passed over .*\/amendments\/000000000[23]: this varve does not understand it/;
  assert.equal(users[1].notices.length, 2, users[1].notices.join("\n"));
  for (const notice of users[1].notices) assert.match(notice, passedOver);
});

test("an amendment of a version whose record cannot be read waits for it", async (t) => {
  const { place, mine, dataset } = await meeting(t);
  await (await Dataset.get("p/d@1.0.0", { workspace: mine })).addTags("golden");
  const third = (await testUser(t, place)).open();
  const record = join(place, "datasets", dataset.id, "versions", "1.0.0");
  renameSync(record, `${record}.away`);
  assert.equal((await rebuildCatalog(third, [place])).versions, 1);
  renameSync(`${record}.away`, record);
  assert.deepEqual(await (await Dataset.get("p/d@1.0.0", { workspace: third })).tags(), ["golden"]);
});

test("versions that lie in two remotes are amended each in its own, their dataset in both", async (t) => {
  const { place, mine, dataset, users } = await meeting(t);
  const far = await tempDir(t);
  writeFolder(users[0].scratch, { content: "third" });
  await syncVersion(users[0].scratch, "p/d", { workspace: mine, remote: far });
  const [near, away] = await Promise.all(
    ["p/d@1.0.0", "p/d@1.0.2"].map((reference) => Dataset.get(reference, { workspace: mine })),
  );
  await near!.addTags("near");
  await away!.addTags("far");
  await away!.addTags("everywhere", { dataset: true });
  const kinds = (remote: string) =>
    readdirSync(amendmentsIn(remote, dataset)).map((name) => {
      const content = readFileSync(join(amendmentsIn(remote, dataset), name), "utf8");
      return (JSON.parse(content) as { change: Change & { add: string[] } }).change.add[0];
    });
  assert.deepEqual(
    [kinds(place), kinds(far)],
    [
      ["near", "everywhere"],
      ["far", "everywhere"],
    ],
  );
  for (const known of [place, far]) {
    const reader = await Dataset.get(`${known}#p/d`, { workspace: users[1].open() });
    assert.deepEqual(await reader.tags({ dataset: true }), ["everywhere"]);
  }
});

const WORDS = ["a", "b", "c"];

/** A change of the first version, of the second, or of the dataset. */
function changes(versions: readonly string[]): fc.Arbitrary<Change> {
  const version = fc.constantFrom(...versions);
  const subject = fc.option(version, { nil: undefined });
  const words = fc.subarray(WORDS);
  return fc.oneof(
    fc.record({ kind: fc.constant("tag" as const), version: subject, add: words, remove: words }),
    fc.record({ kind: fc.constant("archive" as const), version: subject, archived: fc.boolean() }),
    fc.record({ kind: fc.constant("describe" as const), version, description: fc.constantFrom(...WORDS) }),
    fc.record({ kind: fc.constant("publish" as const), version }),
  );
}

test("two catalogs that amend one dataset at once come to the same state, and so does a rebuilt one", async (t) => {
  const { place, mine, theirs, dataset } = await meeting(t);
  const versions = (await (await mine.catalog()).listVersions(dataset.id)).map(({ id }) => id);
  const steps = fc.array(fc.tuple(fc.boolean(), changes(versions)), { minLength: 4, maxLength: 12 });
  let made = 0;
  await fc.assert(
    fc.asyncProperty(steps, async (list) => {
      const before = made;
      await Promise.all(list.map(([isMine, change]) => amend(isMine ? mine : theirs, dataset, change)));
      made += list.length;
      assert.equal(readdirSync(amendmentsIn(place, dataset)).length, before + list.length);
      for (const workspace of [mine, theirs]) await refresh(workspace, dataset);
      assert.deepEqual(await dump(theirs), await dump(mine));
    }),
    { numRuns: 12 },
  );
  const third = (await testUser(t, place)).open();
  await rebuildCatalog(third, [place]);
  assert.deepEqual(await dump(third), await dump(mine));
});
