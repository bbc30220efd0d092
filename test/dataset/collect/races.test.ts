/** Commits beside a collection that deletes: each goes through whole, waits, or is told what it has to do again. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { packKey } from "../../../src/content/chunk.js";
import { sha256 } from "../../../src/content/hash.js";
import { collect } from "../../../src/dataset/collect/collect.js";
import {
  beginDeletion,
  collectionsIn,
  endDeletion,
  newCollectionId,
  publish,
} from "../../../src/dataset/collect/collection.js";
import { declareIntent, settleIntents } from "../../../src/dataset/collect/intents.js";
import { endLease } from "../../../src/dataset/collect/leases.js";
import { Dataset } from "../../../src/dataset/dataset.js";
import { recordKey } from "../../../src/dataset/record.js";
import type { DatasetId } from "../../../src/dataset/reference.js";
import { Staging } from "../../../src/dataset/staging.js";
import { tempDir } from "../../support/temp.js";
import { textIn, writeFolder } from "../support/folders.js";
import { testUser } from "../support/workspaces.js";

const CONTENT = "what was uploaded ".repeat(2_000);
process.env["VARVE_LEASE_SECONDS"] = "2";

/** Raw, so that the pack of one file is known. */
const PACK = packKey(sha256(Buffer.from(CONTENT)));

/** A draft whose one file is uploaded, and a collection that lists its pack and has begun to delete. */
async function draftBesideDeletion(t: TestContext) {
  const place = await tempDir(t);
  const user = await testUser(t, place);
  const workspace = user.open();
  const opened = await workspace.openRemote(place);
  writeFolder(user.scratch, { f: CONTENT });
  const draft = await Dataset.create("p/d", { workspace });
  await draft.addFiles(user.scratch);
  await draft.upload({ compression: "none" });
  const id = newCollectionId();
  await publish(opened.remote, id, { keys: [PACK], bytes: CONTENT.length, by: "another" });
  assert.ok(await beginDeletion(opened.remote, id, 1, "another"));
  return { place, user, workspace, opened, draft, id };
}

test("a commit waits for a deletion that lists what it needs, and goes on when that is done and left it alone", async (t) => {
  const { workspace, opened, draft, id } = await draftBesideDeletion(t);
  const finishing = draft.finalize();
  await sleep(700);
  assert.equal((await (await workspace.catalog()).versionById(draft.id))?.state, "committing");
  await endDeletion(opened.remote, id, { objects: 0, bytes: 0 });
  await finishing;
  assert.equal(await textIn(await Dataset.get("p/d", { workspace }), "f"), CONTENT);
});

test("a commit whose bytes were deleted is refused, and none of it is a version", async (t) => {
  const { workspace, opened, draft, id } = await draftBesideDeletion(t);
  await opened.remote.delete(PACK);
  await endDeletion(opened.remote, id, { objects: 1, bytes: CONTENT.length });
  await assert.rejects(draft.finalize(), {
    code: "collected",
    message: /1 objects that it had sent to .* were collected/,
  });
  await assert.rejects(Dataset.get("p/d", { workspace }), { code: "not-found" });
});

test("a commit says so when the deletion it waits for has stopped, and varve gc finishes that", async (t) => {
  const { workspace, opened, draft } = await draftBesideDeletion(t);
  await assert.rejects(draft.finalize(), {
    code: "conflict",
    message: /stopped midway .* varve gc finishes it/,
  });
  process.env["VARVE_LEASE_SECONDS"] = "0.1"; // What takes over watches for ten of them.
  await collect(workspace, opened, { graceMs: 0 });
  const [collection] = await collectionsIn(opened.remote);
  process.env["VARVE_LEASE_SECONDS"] = "2";
  assert.equal(collection!.deleters, 2);
  await draft.finalize();
  assert.equal(await textIn(await Dataset.get("p/d", { workspace }), "f"), CONTENT);
});

test("a committer that stood still for a lease time finds its label taken, and takes the next", async (t) => {
  const place = await tempDir(t);
  const user = await testUser(t, place);
  const workspace = user.open();
  const opened = await workspace.openRemote(place);
  writeFolder(user.scratch, { f: "content" });
  const draft = await Dataset.create("p/d", { workspace });
  await draft.addFiles(user.scratch);
  await draft.upload();
  const { id: dataset } = (await (await workspace.catalog()).findDataset("p", "d"))!;
  const key = recordKey(dataset as DatasetId, "1.0.0");
  await declareIntent(
    [opened.remote],
    opened,
    { kind: "record", key, version: draft.id, label: "1.0.0" },
    "me",
  );
  await settleIntents(workspace, opened.remote, 200);
  const { version } = await draft.finalize();
  assert.equal(version, "1.0.1");
  assert.equal(await textIn(await Dataset.get("p/d", { workspace }), "f"), "content");
});

test("an amendment whose writer stood still is void, and its number is passed over", async (t) => {
  const place = await tempDir(t);
  const user = await testUser(t, place);
  const workspace = user.open();
  const opened = await workspace.openRemote(place);
  writeFolder(user.scratch, { f: "content" });
  const draft = await Dataset.create("p/d", { workspace });
  await draft.addFiles(user.scratch);
  await draft.upload();
  await draft.finalize();
  const { id: dataset } = (await (await workspace.catalog()).findDataset("p", "d"))!;
  const key = `datasets/${dataset}/amendments/0000000001`;
  await declareIntent([opened.remote], opened, { kind: "amendment", key, dataset }, "me");
  await settleIntents(workspace, opened.remote, 200);
  const version = await Dataset.get("p/d", { workspace });
  await version.setMetadata(Buffer.alloc(50_000, 7), { name: "large" });
  const cold = await Dataset.get("p/d", { workspace: (await testUser(t, place)).open() });
  assert.deepEqual(await cold.getMetadata("large"), new Uint8Array(50_000).fill(7));
});

test("a draft whose lease had run out looks for all it had sent, and says what is gone", async (t) => {
  const place = await tempDir(t);
  const user = await testUser(t, place);
  const workspace = user.open();
  const opened = await workspace.openRemote(place);
  writeFolder(user.scratch, { f: CONTENT });
  const draft = await Dataset.create("p/d", { workspace });
  await draft.addFiles(user.scratch);
  await draft.upload({ compression: "none" });
  await endLease(opened.remote, draft.id);
  const staging = Staging.open(workspace.draftFile(draft.id));
  staging.setFact("leasedAtMs", Date.now() - 40 * 86_400_000);
  staging.close();
  await opened.remote.delete(PACK);
  await assert.rejects(draft.finalize(), { code: "collected" });
  await opened.remote.put(PACK, Buffer.from(CONTENT));
  await draft.finalize();
  assert.equal(await textIn(await Dataset.get("p/d", { workspace }), "f"), CONTENT);
});
