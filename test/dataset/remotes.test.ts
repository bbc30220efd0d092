/** Names of remotes, and remotes that move. */
import assert from "node:assert/strict";
import { existsSync, renameSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { Dataset } from "../../src/dataset/dataset.js";
import { addRemote, moveRemote, removeRemote } from "../../src/dataset/remotes.js";
import { syncVersion } from "../../src/dataset/sync.js";
import { Workspace } from "../../src/dataset/workspace.js";
import { failure } from "../remote/suite.js";
import { tempDir } from "../support/temp.js";
import { textIn, writeFolder } from "./support/folders.js";
import { type TestUser, testUser } from "./support/workspaces.js";

interface Lab extends TestUser {
  workspace: Workspace;
  folder: string;
}

/** A user with `vision/one@1.0.0` in a remote named `lab` that lies in `folder/lab`. */
async function userWithLab(t: Parameters<typeof testUser>[0]): Promise<Lab> {
  const user = await testUser(t);
  const folder = await tempDir(t);
  const workspace = user.open();
  await addRemote(workspace, "lab", join(folder, "lab"));
  writeFolder(user.scratch, { a: "first" });
  await syncVersion(user.scratch, "vision/one", { remote: "lab", workspace });
  return { ...user, workspace, folder };
}

async function listed(workspace: Workspace): Promise<string[]> {
  const rows = await (await workspace.catalog()).listRemotes();
  return rows.map(({ name, url }) => `${name ?? "-"} ${url}`);
}

test("a remote is not moved to where another one lies, or none", async (t) => {
  const { workspace, folder } = await userWithLab(t);
  const other = join(folder, "other");
  await addRemote(workspace, "other", other);
  const before = await listed(workspace);
  for (const place of [other, folder])
    await assert.rejects(moveRemote(workspace, "lab", place), failure("remote-failed"));
  assert.equal(existsSync(join(folder, "varve.json")), false);
  assert.deepEqual(await listed(workspace), before);
});

test("a remote that has moved is found by its name, its id and the place it was known by", async (t) => {
  const { workspace, open, folder } = await userWithLab(t);
  const { id } = (await (await workspace.catalog()).remoteByName("lab"))!;
  await workspace.close();
  let place = join(folder, "lab");
  for (const known of ["lab", id, place]) {
    const next = `${place}x`;
    renameSync(place, next);
    const asking = open();
    await moveRemote(asking, known === id || known === "lab" ? known : place, next);
    assert.deepEqual(await listed(asking), [`lab file://${next}`]);
    assert.equal(await textIn(await Dataset.get("vision/one", { workspace: asking }), "a"), "first");
    place = next;
  }
});

test("a name means one remote, a remote has one name, and neither is a path or a URL", async (t) => {
  const { workspace, scratch, folder } = await userWithLab(t);
  await assert.rejects(addRemote(workspace, "lab", join(folder, "other")), failure("conflict"));
  assert.equal(existsSync(join(folder, "other")), false);
  for (const name of ["", "-lab", "a/b", "s3://lab", "lab#1", "x".repeat(65)])
    await assert.rejects(addRemote(workspace, name, join(folder, "lab")), failure("bad-input"), name);
  await addRemote(workspace, "lab2", join(folder, "lab"));
  assert.deepEqual(await listed(workspace), [`lab2 file://${folder}/lab`]);
  await assert.rejects(
    syncVersion(scratch, "vision/two", { remote: "lab", workspace }),
    failure("not-found"),
  );
});

test("VARVE_REMOTE may be a name", async (t) => {
  const { home, scratch, folder } = await userWithLab(t);
  const workspace = new Workspace({ home: { ...home, defaultRemote: "lab" } });
  t.after(() => workspace.close());
  const { committed } = await syncVersion(scratch, "vision/two", { workspace });
  assert.equal(committed?.version, "1.0.0");
  assert.deepEqual(await listed(workspace), [`lab file://${folder}/lab`]);
});

test("a remote that versions need is not forgotten, one that none needs is", async (t) => {
  const { workspace, folder } = await userWithLab(t);
  await addRemote(workspace, "other", join(folder, "other"));
  await assert.rejects(removeRemote(workspace, "lab"), failure("conflict"));
  await removeRemote(workspace, "other");
  assert.deepEqual(await listed(workspace), [`lab file://${folder}/lab`]);
  await assert.rejects(removeRemote(workspace, "other"), failure("not-found"));
});
