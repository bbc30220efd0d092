/** Values kept with a version by name: what was put in comes out, from the catalog, a rebuilt one, and the bucket alone. */
import assert from "node:assert/strict";
import { readdirSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { Dataset } from "../../src/dataset/dataset.js";
import type { MetadataValue } from "../../src/dataset/metadata-value.js";
import { rebuildCatalog } from "../../src/dataset/rebuild.js";
import { MiB } from "../../src/units.js";
import { loseCatalog } from "../support/catalog-place.js";
import { writeFolder } from "./support/folders.js";
import { type TestUser, testUser } from "./support/workspaces.js";

const NOISE = new Uint8Array(70_000).map((_, index) => (index * index) % 251);
const VALUES: Record<string, MetadataValue> = {
  metadata: { seed: 7, nested: [1, null, { a: "é" }], empty: {} },
  state: "a name that others reserve",
  data: new Uint8Array([0, 255, 1]),
  data_001: 3.5,
  no: null,
  list: [],
  "": "",
  text: "x".repeat(5_000),
  bytes: NOISE,
  "naïve / name": true,
};
delete VALUES[""];

async function draftWith(user: TestUser, values: Record<string, MetadataValue>): Promise<Dataset> {
  writeFolder(user.scratch, { a: "a" });
  const draft = await Dataset.create("lab/data", { workspace: user.open() });
  await draft.addFiles(user.scratch);
  for (const [name, value] of Object.entries(values)) await draft.setMetadata(value, { name });
  return draft;
}

async function valuesOf(dataset: Dataset): Promise<Record<string, MetadataValue | undefined>> {
  const names = (await dataset.listMetadata()).map(({ name }) => name);
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await dataset.getMetadata(name)] as const)),
  );
}

test("every value comes back as what it was put in: in the draft, finished, rebuilt, from the bucket alone", async (t) => {
  const user = await testUser(t);
  const draft = await draftWith(user, VALUES);
  assert.deepEqual(await valuesOf(draft), VALUES);
  await draft.finalize({ autoUpload: true });
  assert.deepEqual(await valuesOf(draft), VALUES);
  const infos = await draft.listMetadata();
  await loseCatalog(user.home);
  const anew = user.open();
  await rebuildCatalog(anew, [user.home.defaultRemote]);
  const rebuilt = await Dataset.get("lab/data@1", { workspace: anew });
  assert.deepEqual([await rebuilt.listMetadata(), await valuesOf(rebuilt)], [infos, VALUES]);
  const stranger = await testUser(t);
  const place = `${user.home.defaultRemote}#lab/data@1.0.0`;
  const read = await Dataset.get(place, { workspace: stranger.open() });
  assert.deepEqual([await read.listMetadata(), await valuesOf(read)], [infos, VALUES]);
});

test("metadata is no part of the digests, and makes no record larger than its small values", async (t) => {
  const [one, two] = [await testUser(t), await testUser(t)];
  const plain = await (await draftWith(one, {})).finalize({ autoUpload: true });
  const annotated = await (await draftWith(two, { bytes: NOISE })).finalize({ autoUpload: true });
  assert.equal(annotated.contentDigest, plain.contentDigest);
  const attachments = readdirSync(join(two.home.defaultRemote, "attachments"), { recursive: true });
  assert.equal(attachments.length, 2); // a folder of two characters, and the object
});

test("values and reports of a finished version are amendments, which others and a rebuilt catalog see", async (t) => {
  const user = await testUser(t);
  const draft = await draftWith(user, { kept: 1, changed: 1, gone: 1 });
  await draft.getLogger().reportText({ title: "first", text: "1" });
  await draft.finalize({ autoUpload: true });
  await draft.setMetadata(NOISE, { name: "changed" });
  await draft.setMetadata("new", { name: "added" });
  await draft.deleteMetadata("gone");
  await draft.getLogger().reportText({ title: "second", text: "2" });
  const wanted = { added: "new", changed: NOISE, kept: 1 };
  const stranger = (await testUser(t)).open();
  const bucket = await Dataset.get(`${user.home.defaultRemote}#lab/data`, { workspace: stranger });
  await loseCatalog(user.home);
  const anew = user.open();
  await rebuildCatalog(anew, [user.home.defaultRemote]);
  for (const dataset of [bucket, await Dataset.get("lab/data", { workspace: anew })]) {
    assert.deepEqual(await valuesOf(dataset), wanted);
    const titles = (await dataset.listReports()).map(({ title }) => title);
    assert.deepEqual(titles, ["first", "second"]);
  }
});

test("a damaged attachment is an error, never another value", async (t) => {
  const user = await testUser(t);
  const draft = await draftWith(user, { bytes: NOISE });
  await draft.finalize({ autoUpload: true });
  const [folder] = readdirSync(join(user.home.defaultRemote, "attachments"));
  const [object] = readdirSync(join(user.home.defaultRemote, "attachments", folder!));
  const file = join(user.home.defaultRemote, "attachments", folder!, object!);
  writeFileSync(file, Buffer.alloc(NOISE.length, "x"));
  await assert.rejects(draft.getMetadata("bytes"), { code: "content-damaged" });
  truncateSync(file, 10);
  await assert.rejects(draft.getMetadata("bytes"), { code: "remote-short" });
});

test("a child has the metadata of its parents only when it asks, that of the later where two have a name", async (t) => {
  const user = await testUser(t);
  const first = await draftWith(user, { a: 1, both: "first", large: NOISE });
  await first.finalize({ autoUpload: true });
  const workspace = user.open();
  const second = await Dataset.create("lab/other", { workspace });
  await second.setMetadata("second", { name: "both" });
  await second.finalize();
  const parents = [first.reference, second.reference];
  const plain = await Dataset.create("lab/data", { parents, workspace });
  assert.deepEqual(await plain.listMetadata(), []);
  await plain.discard();
  const heir = await Dataset.create("lab/data", { parents, inheritMetadata: true, workspace });
  await heir.deleteMetadata("a");
  await heir.finalize();
  assert.deepEqual(await valuesOf(heir), { both: "second", large: NOISE });
});

test("what would not come back as it was is refused, with what to do", async (t) => {
  const user = await testUser(t);
  const draft = await draftWith(user, {});
  const refused: [unknown, RegExp][] = [
    [undefined, /holds undefined/],
    [{ when: new Date(0) }, /holds a Date/],
    [[NaN], /holds NaN/],
    [new Map(), /holds a Map/],
    [new Float32Array(1), /holds a Float32Array/],
    ["\ud800", /half of a surrogate pair/],
    [new Uint8Array(64 * MiB + 1), /at most 67108864 are taken; add it to the version as a file/],
  ];
  for (const [value, message] of refused)
    await assert.rejects(draft.setMetadata(value as MetadataValue), { code: "bad-input", message });
  for (const name of ["", "a\nb", "x".repeat(201)])
    await assert.rejects(draft.setMetadata(1, { name }), { code: "bad-input" });
  await assert.rejects(draft.setMetadata("x", { type: "no type" }), { code: "bad-input" });
  assert.deepEqual(await draft.listMetadata(), []);
  assert.equal(await draft.getMetadata(), undefined);
  await assert.rejects(draft.deleteMetadata("gone"), { code: "not-found" });
});

test("files are bytes with the media type of their ending, and JSON a value", async (t) => {
  const user = await testUser(t);
  const draft = await draftWith(user, {});
  const [csv, parquet, json] = ["a,b\n1,2\n", "PAR1 and so on", '{"a": [1, 2]}'];
  writeFolder(user.scratch, { "t.csv": csv, "t.parquet": parquet, "t.json": json, "bad.json": "{" });
  for (const ending of ["csv", "parquet", "json"])
    await draft.setMetadataFile(join(user.scratch, `t.${ending}`), { name: ending });
  assert.deepEqual(
    (await draft.listMetadata()).map(({ name, type, form }) => [name, type, form]),
    [
      ["csv", "text/csv", "bytes"],
      ["json", "application/json", "json"],
      ["parquet", "application/vnd.apache.parquet", "bytes"],
    ],
  );
  assert.deepEqual(await draft.getMetadata("csv"), new Uint8Array(Buffer.from(csv)));
  assert.deepEqual(await draft.getMetadata("json"), { a: [1, 2] });
  await assert.rejects(draft.setMetadataFile(join(user.scratch, "bad.json")), { code: "bad-input" });
  await assert.rejects(draft.setMetadataFile(join(user.scratch, "none.csv")), { code: "not-found" });
});
