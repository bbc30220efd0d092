/** What is said of single files: kept by path for as long as the content is the same, asked by expression. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";

import { Dataset } from "../../src/dataset/dataset.js";
import { rebuildCatalog } from "../../src/dataset/rebuild.js";
import { openFileTable } from "../../src/dataset/file-metadata/table.js";
import { textOf } from "../../src/paths.js";
import { loseCatalog } from "../support/catalog-place.js";
import { type Contents, pathsOf, writeFolder } from "./support/folders.js";
import { type TestUser, testUser } from "./support/workspaces.js";

const FILES = {
  "cats/1.jpg": "one",
  "cats/2.jpg": "two",
  "dogs/1.jpg": "three",
  "dogs/2.png": "four",
  readme: "five",
};

async function labelled(user: TestUser): Promise<Dataset> {
  writeFolder(user.scratch, FILES);
  const draft = await Dataset.create("lab/pets", { workspace: user.open() });
  await draft.addFiles(user.scratch);
  await draft.setFilesMetadata([
    { path: "dogs/1.jpg", fields: { label: "dog", width: 50, tags: ["wet"], box: { x: 3 } } },
    { path: "cats/1.jpg", fields: { label: "cat", width: 200, ok: true } },
    { path: "cats/2.jpg", fields: { label: "cat", width: 90 } },
  ]);
  await draft.finalize({ autoUpload: true });
  return draft;
}

async function child(
  user: TestUser,
  parent: Dataset,
  change: (draft: Dataset) => Promise<unknown>,
): Promise<Dataset> {
  const draft = await Dataset.create("lab/pets", { parents: [parent.reference], workspace: user.open() });
  await change(draft);
  await draft.finalize({ autoUpload: true });
  return draft;
}

async function said(dataset: Dataset, where?: string): Promise<Record<string, unknown>> {
  const found: [string, unknown][] = [];
  for await (const { path, metadata } of dataset.query(where))
    if (where !== undefined || Object.keys(metadata).length > 0) found.push([textOf(path), metadata]);
  return Object.fromEntries(found);
}

async function names(dataset: Dataset, where: string): Promise<string[]> {
  return Object.keys(await said(dataset, where));
}

const SAID = {
  "cats/1.jpg": { label: "cat", width: 200, ok: true },
  "cats/2.jpg": { label: "cat", width: 90 },
  "dogs/1.jpg": { label: "dog", width: 50, tags: ["wet"], box: { x: 3 } },
};

test("fields of files are read again, from a rebuilt catalog and the bucket alone too", async (t) => {
  const user = await testUser(t);
  const pets = await labelled(user);
  assert.deepEqual(await said(pets), SAID);
  assert.deepEqual(await pets.getFileMetadata("cats/2.jpg"), SAID["cats/2.jpg"]);
  assert.equal(await pets.getFileMetadata("readme"), undefined);
  await loseCatalog(user.home);
  const anew = user.open();
  await rebuildCatalog(anew, [user.home.defaultRemote]);
  assert.deepEqual(await said(await Dataset.get("lab/pets", { workspace: anew })), SAID);
  const stranger = (await testUser(t)).open();
  const read = await Dataset.get(`${user.home.defaultRemote}#lab/pets`, { workspace: stranger });
  assert.deepEqual(await said(read), SAID);
});

test("a child keeps what was said of files that are the same, renamed ones too, and drops the rest", async (t) => {
  const user = await testUser(t);
  const pets = await labelled(user);
  const moved: Contents = {
    "tom/1.jpg": "one",
    "cats/2.jpg": "other content",
    "dogs/1.jpg": "three",
    new: "new",
  };
  const folder = join(user.scratch, "next");
  writeFolder(folder, moved);
  const next = await child(user, pets, async (draft) => {
    await draft.syncFolder(folder);
    await draft.setFileMetadata("new", { label: "new" });
    await draft.setFileMetadata("dogs/1.jpg", { label: "hound", width: null });
  });
  assert.deepEqual(await said(next), {
    "dogs/1.jpg": { label: "hound", tags: ["wet"], box: { x: 3 } },
    new: { label: "new" },
    "tom/1.jpg": SAID["cats/1.jpg"],
  });
  assert.deepEqual(await said(pets), SAID);
});

test("of several parents each file has what was said of it where it came from", async (t) => {
  const user = await testUser(t);
  const pets = await labelled(user);
  const other = await Dataset.create("lab/other", { workspace: user.open() });
  const folder = join(user.scratch, "other");
  writeFolder(folder, { "cats/1.jpg": "another one", "birds/1.jpg": "six" });
  await other.addFiles(folder);
  await other.setFilesMetadata(
    ["cats/1.jpg", "birds/1.jpg"].map((path) => ({ path, fields: { from: "other" } })),
  );
  await other.finalize({ autoUpload: true });
  const both = await Dataset.create("lab/both", {
    parents: [pets.reference, other.reference],
    workspace: user.open(),
  });
  await both.finalize();
  assert.deepEqual(await said(both), {
    "birds/1.jpg": { from: "other" },
    "cats/1.jpg": { from: "other" },
    "cats/2.jpg": SAID["cats/2.jpg"],
    "dogs/1.jpg": SAID["dogs/1.jpg"],
  });
});

test("a draft says what was staged over what it inherits; what it loses is forgotten", async (t) => {
  const user = await testUser(t);
  const pets = await labelled(user);
  const next = await child(user, pets, async (draft) => {
    await draft.setFileMetadata("cats/1.jpg", { label: "lion", ok: null });
    assert.deepEqual(await draft.getFileMetadata("cats/1.jpg"), { label: "lion", width: 200 });
    await draft.setFileMetadata("cats/2.jpg", { only: 1 }, { replace: true });
    assert.deepEqual(await draft.getFileMetadata("cats/2.jpg"), { only: 1 });
    await draft.setFileMetadata("dogs/2.png", { label: "gone" });
    await draft.removeFiles("dogs");
    assert.equal(await draft.getFileMetadata("dogs/1.jpg"), undefined);
  });
  assert.deepEqual(await said(next), {
    "cats/1.jpg": { label: "lion", width: 200 },
    "cats/2.jpg": { only: 1 },
  });
});

test("what is no file, or no fields, is refused", async (t) => {
  const user = await testUser(t);
  const pets = await labelled(user);
  const draft = await Dataset.create("lab/pets", { parents: ["lab/pets"], workspace: user.open() });
  await assert.rejects(draft.setFileMetadata("nowhere", { a: 1 }), { code: "path-missing" });
  await assert.rejects(draft.setFileMetadata("cats", { a: 1 }), { code: "path-missing" });
  await assert.rejects(pets.setFileMetadata("cats", { a: 1 }), { code: "path-missing" });
  for (const fields of [{ path: 1 }, { a: NaN }, { a: "x".repeat(20_000) }, { a: 1n }, { a: () => 1 }])
    await assert.rejects(draft.setFileMetadata("readme", fields), { code: "bad-input" });
});

test("what is said of files of a finished version is an amendment: others see it, children have it, a rebuilt catalog too", async (t) => {
  const user = await testUser(t);
  const pets = await labelled(user);
  await pets.setFileMetadata("readme", { label: "text" });
  await pets.setFilesMetadata([
    { path: "cats/1.jpg", fields: { ok: null, width: 300 } },
    { path: "dogs/2.png", fields: { label: "dog" } },
  ]);
  await pets.setFileMetadata("cats/2.jpg", { only: 1 }, { replace: true });
  const now = {
    readme: { label: "text" },
    "cats/1.jpg": { label: "cat", width: 300 },
    "cats/2.jpg": { only: 1 },
    "dogs/1.jpg": SAID["dogs/1.jpg"],
    "dogs/2.png": { label: "dog" },
  };
  assert.deepEqual(await said(pets), now);
  assert.deepEqual(await pets.getFileMetadata("cats/1.jpg"), now["cats/1.jpg"]);
  assert.deepEqual(await said(await child(user, pets, (draft) => draft.removeFiles("dogs"))), {
    readme: now.readme,
    "cats/1.jpg": now["cats/1.jpg"],
    "cats/2.jpg": now["cats/2.jpg"],
  });
  await loseCatalog(user.home);
  const anew = user.open();
  await rebuildCatalog(anew, [user.home.defaultRemote]);
  assert.deepEqual(await said(await Dataset.get("lab/pets@1.0.0", { workspace: anew })), now);
});

test("CSV, TSV and JSON lines say it of many files", async (t) => {
  const user = await testUser(t);
  writeFolder(user.scratch, FILES);
  const draft = await Dataset.create("lab/pets", { workspace: user.open() });
  await draft.addFiles(user.scratch);
  const folder = join(user.scratch, "../tables");
  writeFolder(folder, {
    "a.csv": '\uFEFFlabel,path,n,zip\r\n"cat, big",cats/1.jpg,1.5,00501\r\n,cats/2.jpg,,\r\n',
    "b.tsv": "path\tok\nreadme\ttrue\n",
    "c.jsonl": '{"path":"dogs/1.jpg","tags":["a"],"n":null}\n\n{"path":"dogs/2.png","n":2}\n',
    "bad.csv": "file,label\ncats/1.jpg,cat\n",
  });
  const counts = [];
  for (const name of ["a.csv", "b.tsv", "c.jsonl"])
    counts.push(await draft.importFileMetadata(join(folder, name)));
  assert.deepEqual(counts, [2, 1, 2]);
  await assert.rejects(draft.importFileMetadata(join(folder, "bad.csv")), {
    code: "bad-input",
    message: /a column "path"/,
  });
  await draft.finalize({ autoUpload: true });
  assert.deepEqual(await said(draft), {
    readme: { ok: true },
    "cats/1.jpg": { label: "cat, big", n: 1.5, zip: "00501" },
    "dogs/1.jpg": { tags: ["a"] },
    "dogs/2.png": { n: 2 },
  });
});

const EXPRESSIONS: [string, string[]][] = [
  ["label = 'cat'", ["cats/1.jpg", "cats/2.jpg"]],
  ['width > 100 and label = "cat"', ["cats/1.jpg"]],
  ["width <= 90", ["cats/2.jpg", "dogs/1.jpg"]],
  ["label != 'cat'", ["dogs/1.jpg"]],
  ["not label = 'cat'", ["readme", "dogs/1.jpg", "dogs/2.png"]],
  ["label is missing and path like 'dogs/%'", ["dogs/2.png"]],
  ["label is not null", ["cats/1.jpg", "cats/2.jpg", "dogs/1.jpg"]],
  ["label in ('dog', 'bird') or ok", ["cats/1.jpg", "dogs/1.jpg"]],
  ["label not in ('cat')", ["dogs/1.jpg"]],
  ["tags contains 'wet'", ["dogs/1.jpg"]],
  ["box.x = 3", ["dogs/1.jpg"]],
  ["path glob 'cats/*.jpg' and (width between 80 and 100 or width = -1)", ["cats/2.jpg"]],
  ["`label` like 'c_t'", ["cats/1.jpg", "cats/2.jpg"]],
  ["width = '200'", []],
  ["__proto__ is not missing or constructor is not missing", []],
];

test("expressions choose files", async (t) => {
  const pets = await labelled(await testUser(t));
  for (const [where, wanted] of EXPRESSIONS) assert.deepEqual(await names(pets, where), wanted, where);
});

const WRONG = [
  "",
  "label =",
  "label = 'cat",
  "width > 100 and",
  "(a = 1",
  "a = 1 b",
  "a; drop table x",
  "a in ()",
  "not",
  "a like b",
  "(".repeat(200),
  "a".repeat(10_001),
];

test("an expression that cannot be read says where", async (t) => {
  const pets = await labelled(await testUser(t));
  for (const where of WRONG)
    await assert.rejects(names(pets, where), { code: "bad-input", message: /at character \d+/ }, where);
});

test("a version of selected files holds them, what is said of them, and no empty folders", async (t) => {
  const user = await testUser(t);
  const pets = await labelled(user);
  const cats = await Dataset.create("lab/cats", {
    parents: [pets.reference],
    where: "label = 'cat'",
    workspace: user.open(),
  });
  await cats.finalize();
  assert.deepEqual(await pathsOf(cats), ["cats/", "cats/1.jpg", "cats/2.jpg"]);
  assert.deepEqual(await names(cats, "label = 'cat'"), ["cats/1.jpg", "cats/2.jpg"]);
  const options = { where: "label =", parents: [pets.reference], workspace: user.open() };
  await assert.rejects(Dataset.create("lab/none", options), { code: "bad-input" });
});

test("one row changed in a version of 20,000 writes one page, and what is equal is the same page", async (t) => {
  const user = await testUser(t);
  const contents = Object.fromEntries(Array.from({ length: 20_000 }, (_, n) => [`d${n % 20}/f${n}`, ""]));
  writeFolder(user.scratch, contents);
  const draft = await Dataset.create("lab/pets", { workspace: user.open() });
  await draft.addFiles(user.scratch);
  const items = Object.keys(contents).map((path, n) => ({ path, fields: { n } }));
  await draft.setFilesMetadata(items);
  await draft.finalize({ autoUpload: true });
  const pagesOfVersion = async (dataset: Dataset) => {
    const workspace = user.open();
    const version = await (await workspace.catalog()).versionById(dataset.id);
    const { pages } = await openFileTable(workspace, version!);
    return pages.map(({ attachment }) => attachment.sha256);
  };
  const before = await pagesOfVersion(draft);
  const next = await child(user, draft, (each) => each.setFileMetadata("d7/f7", { n: -1 }));
  const after = await pagesOfVersion(next);
  assert.equal(after.length, before.length);
  assert.equal(after.filter((page) => !before.includes(page)).length, 1);
  assert.deepEqual(await names(next, "n < 3"), ["d0/f0", "d1/f1", "d2/f2", "d7/f7"]);
});
