/** What becomes of a commit whose process died between the version record and the catalog's row. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { openCatalog } from "../../src/catalog/catalog.js";
import { Dataset } from "../../src/dataset/dataset.js";
import { findDataset, versionsOf } from "../../src/dataset/history.js";
import { syncVersion } from "../../src/dataset/sync.js";
import { changeCatalog } from "../support/catalog-place.js";
import { textIn, writeFolder } from "./support/folders.js";
import { type TestUser, testUser } from "./support/workspaces.js";

/** A user whose only version has its record in the remote and still says `committing` in the catalog. */
async function cutOff(t: Parameters<typeof testUser>[0]): Promise<TestUser & { id: string }> {
  const user = await testUser(t);
  const workspace = user.open();
  writeFolder(user.scratch, { a: "content" });
  const { committed } = await syncVersion(user.scratch, "p/d", { workspace });
  await workspace.close();
  const columns = ["root_key", "root_hash", "root_bytes", "tree_digest", "content_digest", "completed_at_ms"];
  const cleared = columns.map((column) => `${column} = null`).join(", ");
  await changeCatalog(user.home.catalogPath, `update versions set state = 'committing', ${cleared}`);
  const catalog = await openCatalog(user.home.catalogPath);
  assert.equal((await catalog.versionById(committed!.id))?.state, "committing");
  await catalog.close();
  return { ...user, id: committed!.id };
}

test("whoever lists the versions rolls it forward", async (t) => {
  const { open } = await cutOff(t);
  const workspace = open();
  const dataset = await findDataset(workspace, { project: "p", name: "d" });
  assert.deepEqual(
    (await versionsOf(workspace, dataset)).map(({ label, state }) => [label, state]),
    [["1.0.0", "completed"]],
  );
});

for (const how of ["the latest", "its label", "its id"]) {
  test(`whoever asks for ${how} rolls it forward`, async (t) => {
    const { open, id } = await cutOff(t);
    const reference = { "the latest": "p/d", "its label": "p/d@1.0.0", "its id": id }[how]!;
    assert.equal(await textIn(await Dataset.get(reference, { workspace: open() }), "a"), "content");
    assert.equal((await Dataset.get(reference, { workspace: open(), onlyCompleted: false })).isFinal, true);
  });
}

test("whoever makes the next version rolls it forward first", async (t) => {
  const { open, scratch } = await cutOff(t);
  const workspace = open();
  assert.equal((await syncVersion(scratch, "p/d", { workspace })).committed, undefined);
  writeFolder(scratch, { b: "more" });
  assert.equal((await syncVersion(scratch, "p/d", { workspace })).committed?.version, "1.0.1");
});

test("a catalog that is lost is made again from the remote", async (t) => {
  const { scratch, open, home, id } = await cutOff(t);
  const other = await testUser(t, home.defaultRemote);
  const workspace = other.open();
  assert.equal((await Dataset.get("p/d", { workspace })).id, id);
  writeFolder(scratch, { b: "more" });
  const { committed } = await syncVersion(scratch, "p/d", { workspace });
  assert.equal(committed?.added, 1);
  assert.equal((await Dataset.get("p/d", { workspace: open() })).version, "1.0.1");
  assert.equal(await textIn(await Dataset.get(`p/d@1.0.0`, { workspace }), "a"), "content");
});
