/** D6: a dataset that was renamed or moved is found under its new name, by all who meet in its remote. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";

import { Dataset } from "../../src/dataset/dataset.js";
import { rebuildCatalog } from "../../src/dataset/rebuild.js";
import { syncVersion } from "../../src/dataset/sync.js";
import type { Workspace } from "../../src/dataset/workspace.js";
import { tempDir } from "../support/temp.js";
import { dump } from "./support/dump.js";
import { textIn, writeFolder } from "./support/folders.js";
import { testUser } from "./support/workspaces.js";

async function meeting(t: TestContext) {
  const place = await tempDir(t);
  const users = [await testUser(t, place), await testUser(t, place)] as const;
  const sync = async (workspace: Workspace, name: string, content: string) => {
    writeFolder(users[0].scratch, { content });
    return (await syncVersion(users[0].scratch, name, { workspace })).committed?.version;
  };
  const [mine, theirs] = [users[0].open(), users[1].open()];
  await sync(mine, "p/d", "one");
  assert.equal((await Dataset.get("p/d", { workspace: theirs })).version, "1.0.0");
  return { place, mine, theirs, sync };
}

test("D6: renamed and moved, it is found under the new name, numbering goes on, and the old name tells the new", async (t) => {
  const { place, mine, theirs, sync } = await meeting(t);
  const open = await Dataset.get("p/d@1.0.0", { workspace: mine });
  assert.equal(await Dataset.rename("p/d", "new", { workspace: mine }), "p/new");
  assert.equal(await Dataset.moveToProject("p/new", "q/r", { workspace: mine }), "q/r/new");
  assert.equal(await textIn(open, "content"), "one", "what is open goes on");
  assert.equal(await sync(mine, "q/r/new", "two"), "1.0.1");
  const told = (former: string) => ({
    code: "not-found",
    message: `Cannot find the dataset "${former}": it is called "q/r/new" now`,
  });
  for (const former of ["p/d", "p/new"]) {
    await assert.rejects(Dataset.get(former, { workspace: mine }), told(former));
    await assert.rejects(Dataset.create(former, { workspace: mine }), told(former));
    await assert.rejects(Dataset.get(former, { workspace: theirs }), told(former));
    await assert.rejects(Dataset.get(`${place}#${former}`, { workspace: theirs }), told(former));
  }
  assert.equal((await Dataset.get("q/r/new", { workspace: theirs })).version, "1.0.1");
  assert.equal((await Dataset.get(`${place}#q/r/new@1.0.0`, { workspace: theirs })).id, open.id);
  assert.equal(await sync(theirs, "q/r/new", "three"), "1.0.2");
  assert.equal((await Dataset.get("q/r/new", { workspace: mine })).version, "1.0.2");
  const third = (await testUser(t, place)).open();
  await rebuildCatalog(third, [place]);
  assert.deepEqual(await dump(third), await dump(mine));
  await assert.rejects(Dataset.get("p/d", { workspace: third }), told("p/d"));
});

test("a name that another dataset has, or had, is a conflict; back to its own former name is none", async (t) => {
  const { mine, theirs, sync } = await meeting(t);
  await sync(mine, "p/other", "other");
  const conflict = { code: "conflict" };
  await assert.rejects(Dataset.rename("p/d", "other", { workspace: mine }), conflict);
  await assert.rejects(
    Dataset.rename("p/d", "other", { workspace: theirs }),
    conflict,
    "known to the remote alone",
  );
  await Dataset.rename("p/other", "others", { workspace: mine });
  await assert.rejects(Dataset.rename("p/d", "other", { workspace: mine }), conflict);
  await assert.rejects(Dataset.rename("p/d", "..", { workspace: mine }), { code: "bad-input" });
  assert.equal(await Dataset.rename("p/others", "other", { workspace: mine }), "p/other");
  assert.equal((await Dataset.get("p/other", { workspace: theirs })).version, "1.0.0");
});

test("two who rename at once agree on one of the names", async (t) => {
  const { mine, theirs } = await meeting(t);
  await Promise.all([
    Dataset.rename("p/d", "one", { workspace: mine }),
    Dataset.rename("p/d", "two", { workspace: theirs }),
  ]);
  const names = async (workspace: Workspace) => {
    const [dataset] = await (await workspace.catalog()).listDatasets();
    await Dataset.get(`p/${dataset!.name}`, { workspace }).catch(() => undefined); // Looks again.
    return (await (await workspace.catalog()).listDatasets()).map(({ name }) => name);
  };
  assert.deepEqual(await names(mine), await names(theirs));
});

test("a new name holds no project, which would take the dataset into a project below its own", async (t) => {
  const { mine } = await meeting(t);
  const wrong = { code: "bad-input", message: /without a project; varve move/ };
  await assert.rejects(Dataset.rename("p/d", "p/new", { workspace: mine }), wrong);
  const none = undefined as unknown as string; // From callers that no compiler has checked.
  await assert.rejects(Dataset.rename("p/d", none, { workspace: mine }), { code: "bad-input" });
  await assert.rejects(Dataset.moveToProject("p/d", none, { workspace: mine }), { code: "bad-input" });
  assert.equal((await Dataset.get("p/d", { workspace: mine })).reference, "p/d@1.0.0");
});
