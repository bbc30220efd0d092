/** Who signs, when, and what follows from that for histories, names, catalogs and bundles. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { Dataset } from "../../../src/dataset/dataset.js";
import { findVersion } from "../../../src/dataset/history.js";
import { rebuildCatalog } from "../../../src/dataset/rebuild.js";
import { renameDataset } from "../../../src/dataset/rename.js";
import { createKey } from "../../../src/dataset/signing/key-files.js";
import { textOfKey } from "../../../src/dataset/signing/keys.js";
import { addSignature, toldSignatures } from "../../../src/dataset/signing/signatures.js";
import { rootBlockOf } from "../../../src/dataset/version-tree.js";
import { Workspace } from "../../../src/dataset/workspace.js";
import { openRoot } from "../../../src/manifest/root.js";
import { atEnd } from "../../support/cleanup.js";
import { describeVersion } from "../support/folders.js";
import { testUser } from "../support/workspaces.js";
import { Forgery, LARGE, changeRecord, recordsIn, refused, signedLab } from "./lab.js";

test("a version whose parents are signed by nobody is signed itself, and what it takes from them with it", async (t) => {
  const lab = await signedLab(t);
  await lab.sync({ a: "a", large: LARGE }, { signed: false });
  await lab.sync({ a: "changed", large: LARGE });
  await refused(lab.read("lab/data@1.0.0"), "untrusted", /not signed/);
  assert.deepEqual(Object.keys(await lab.read("lab/data@1.0.1")), ["a", "large"]);
});

test("a version over a root of the first format, which says nothing of chunks, says them and is signed", async (t) => {
  const lab = await signedLab(t);
  await lab.sync({ a: "a", large: LARGE }, { signed: false });
  const forgery = new Forgery(lab);
  forgery.install(forgery.refs.map((ref) => ({ ...ref, chunkLists: undefined })));
  const { home, scratch } = await testUser(t, lab.remote);
  const key = createKey(home, "second");
  const workspace = new Workspace({ home: { ...home, signingKey: "second" }, notice: () => undefined });
  atEnd(t, () => workspace.close());
  const draft = await Dataset.create("lab/data", { workspace, parents: ["lab/data"] });
  writeFileSync(`${scratch}-b`, "b");
  await draft.addFiles(`${scratch}-b`);
  await draft.finalize({ autoUpload: true });
  const { root } = [...recordsIn(lab.remote).values()].find(({ label }) => label === "1.0.1")!;
  assert.equal(new Forgery(lab).root.saysChunks, false);
  assert.equal(openRoot(readFileSync(join(lab.remote, root.key))).saysChunks, true);
  assert.equal(Object.keys(await lab.read("lab/data@1.0.1", [textOfKey(key)])).length, 3);
});

test("a key that cannot be used is told of before anything is sent", async (t) => {
  const lab = await signedLab(t);
  const { home, scratch } = await testUser(t, lab.remote);
  const workspace = new Workspace({ home: { ...home, signingKey: "nobody" }, notice: () => undefined });
  atEnd(t, () => workspace.close());
  writeFileSync(scratch, "x");
  const draft = await Dataset.create("lab/new", { workspace });
  await draft.addFiles(scratch);
  await refused(draft.finalize({ autoUpload: true }), "bad-input", /VARVE_SIGNING_KEY/);
  assert.equal(draft.isFinal, false);
  draft.close();
});

test("after its dataset was renamed a version is refused by its new name until it is signed anew", async (t) => {
  const lab = await signedLab(t);
  await lab.sync({ a: "a" });
  const { home } = await testUser(t, lab.remote);
  const key = createKey(home, "second");
  const workspace = new Workspace({ home: { ...home, signingKey: "second" }, notice: () => undefined });
  atEnd(t, () => workspace.close());
  const before = await findVersion(workspace, "lab/data");
  const dataset = await renameDataset(workspace, before.dataset, { project: "lab", name: "renamed" });
  await refused(lab.read("lab/renamed"), "untrusted", /signed is lab\/data@1.0.0/);
  const { version } = await findVersion(workspace, "lab/renamed");
  assert.deepEqual(
    (await toldSignatures(workspace, dataset, version)).map(({ differs }) => differs),
    [["name"]],
  );
  const root = await (await workspace.cache()).read(rootBlockOf(version));
  assert.deepEqual(await addSignature(workspace, dataset, version, root), key);
  assert.deepEqual(Object.keys(await lab.read("lab/renamed", [textOfKey(key)])), ["a"]);
  await refused(lab.read("lab/renamed"), "untrusted");
});

test("signatures are found in a catalog as in a remote, after it was lost too", async (t) => {
  const lab = await signedLab(t);
  await lab.sync({ a: "a" });
  await lab.sync({ b: "b" }, { dataset: "lab/unsigned", signed: false });
  const workspace = await lab.stranger();
  await rebuildCatalog(workspace, [lab.remote]);
  const read = async (reference: string) => describeVersion(await Dataset.get(reference, { workspace }));
  assert.deepEqual(Object.keys(await read("lab/data")), ["a"]);
  await refused(read("lab/unsigned"), "untrusted");
  await refused((await Dataset.get("lab/unsigned", { workspace })).verify(), "untrusted");
});

test("a bundle whose versions are not signed is not imported by who asks for signatures, and leaves nothing", async (t) => {
  const { home, scratch } = await testUser(t);
  const offline = new Workspace({ home, offline: true, notice: () => undefined });
  atEnd(t, () => offline.close());
  writeFileSync(scratch, "x");
  const draft = await Dataset.create("lab/made", { workspace: offline });
  await draft.addFiles(scratch);
  const { bundle } = await draft.finalize({ autoUpload: true });
  const lab = await signedLab(t);
  const workspace = await lab.stranger();
  await refused(Dataset.importOfflineSession(bundle!.folder, { workspace }), "untrusted", /not signed/);
  assert.deepEqual(await (await workspace.catalog()).listDatasets({}).then((all) => all.length), 0);
  const trusting = await lab.stranger([]);
  assert.equal((await Dataset.importOfflineSession(bundle!.folder, { workspace: trusting })).length, 1);
});

test("a record whose digest is another than that of its root is damage, asked for or not", async (t) => {
  const lab = await signedLab(t);
  await lab.sync({ a: "a" }, { signed: false });
  changeRecord(lab, (record) => ({ ...record, digest: record.contentDigest }));
  await refused(lab.readUnasked(), "format-damaged", /not that of its version/);
});
