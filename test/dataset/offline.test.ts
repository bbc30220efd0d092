/** What is made offline goes into bundles, and what a bundle holds is brought in elsewhere, once and whole. */
import assert from "node:assert/strict";
import { cpSync, existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";

import { isCatalogUrl } from "../../src/catalog/database.js";
import { prefetchVersion } from "../../src/dataset/cached-content.js";
import { Dataset } from "../../src/dataset/dataset.js";
import type { CommitResult } from "../../src/dataset/commit.js";
import { findVersion } from "../../src/dataset/history.js";
import { Workspace } from "../../src/dataset/workspace.js";
import { type Home, homeOf } from "../../src/home.js";
import { atEnd } from "../support/cleanup.js";
import { tempDir } from "../support/temp.js";
import { EntryType } from "../../src/manifest/entry.js";
import { noise } from "../content/noise.js";
import { type Contents, writeFolder } from "./support/folders.js";
import { testUser } from "./support/workspaces.js";

/** A user without a network: of the same home as `home`, or an own one. */
async function offlineUser(t: TestContext, home?: Home) {
  const folder = await tempDir(t);
  const own = home ?? homeOf({ VARVE_HOME: join(folder, "home") });
  const workspace = new Workspace({ home: own, notice: () => {}, offline: true });
  atEnd(t, () => workspace.close());
  return { workspace, home: own, files: join(folder, "files") };
}

type Finished = CommitResult & { bundle: { folder: string; zip: string } };

async function finish(draft: Dataset, options: object = {}): Promise<Finished> {
  return (await draft.finalize({ autoUpload: true, ...options })) as Finished;
}

const FILES = { "a.txt": "one", "sub/b.txt": "two", "sub/large": noise("large", 3_000_000) };

async function bundleWith(t: TestContext, options: object = {}, files: Contents = FILES) {
  const user = await offlineUser(t);
  writeFolder(user.files, files);
  const draft = await Dataset.create("p/d", { ...options, workspace: user.workspace });
  await draft.addFiles(user.files);
  const result = await finish(draft);
  return { ...user, result, ...result.bundle };
}

async function contentOf(dataset: Dataset): Promise<Record<string, string>> {
  const content: Record<string, string> = {};
  for await (const entry of dataset.listFiles()) {
    if (entry.type !== EntryType.file) continue;
    const pieces: Uint8Array[] = [];
    for await (const piece of dataset.readFile(entry)) pieces.push(piece);
    content[entry.path] = Buffer.concat(pieces).toString("latin1");
  }
  return content;
}

const wanted = (files: Record<string, string | Uint8Array>) =>
  Object.fromEntries(
    Object.entries(files).map(([name, value]) => [name, Buffer.from(value).toString("latin1")]),
  );

test("a bundle made by one user is imported by another from its zip, equal, with tags, metadata and description", async (t) => {
  const one = await offlineUser(t);
  writeFolder(one.files, FILES);
  const draft = await Dataset.create("p/d", {
    tags: ["x"],
    description: "made on a train",
    workspace: one.workspace,
  });
  assert.equal(draft.bundleFolder, join(one.home.offlineDir, draft.id));
  await draft.addFiles(one.files);
  await draft.removeFiles("a.txt");
  await draft.setMetadata({ rows: 3 });
  await draft.setMetadata("y".repeat(100_000), { name: "long" });
  await draft.setFileMetadata("sub/b.txt", { label: "cat" });
  await draft.getLogger().reportText({ title: "Note", text: "z".repeat(5_000) });
  const { bundle, contentDigest, digest } = await finish(draft, { publish: true });
  rmSync(one.files, { recursive: true });
  const zip = join(await tempDir(t), "carried.zip");
  cpSync(bundle.zip, zip);
  rmSync(one.home.dataDir, { recursive: true });

  const workspace = (await testUser(t)).open();
  const [imported, ...others] = await Dataset.importOfflineSession(zip, { workspace });
  assert.deepEqual(others, []);
  assert.deepEqual(
    [imported!.id, imported!.reference, imported!.outcome],
    [draft.id, "p/d@1.0.0", "imported"],
  );
  assert.deepEqual(
    [imported!.committed!.digest, imported!.committed!.contentDigest],
    [digest, contentDigest],
  );
  const found = await Dataset.get("p/d", { workspace });
  const rest = { "sub/b.txt": FILES["sub/b.txt"], "sub/large": FILES["sub/large"] };
  assert.deepEqual(await contentOf(found), wanted(rest));
  assert.deepEqual(await found.getMetadata(), { rows: 3 });
  assert.equal(await found.getMetadata("long"), "y".repeat(100_000));
  assert.deepEqual(await found.getFileMetadata("sub/b.txt"), { label: "cat" });
  const [note] = await found.listReports();
  assert.equal(Buffer.from(await found.readReport(note!)).toString(), "z".repeat(5_000));
  const [listed] = await Dataset.listVersions({ workspace });
  assert.deepEqual(
    [listed!.tags, listed!.state, listed!.description],
    [["x"], "published", "made on a train"],
  );
});

test("a bundle is imported once, also by another catalog on the same remote, and its folder does as well", async (t) => {
  const { folder, zip } = await bundleWith(t);
  const one = await testUser(t);
  const workspace = one.open();
  const outcomes = async (path: string, at: Workspace) =>
    (await Dataset.importOfflineSession(path, { workspace: at })).map(({ reference, outcome }) => [
      reference,
      outcome,
    ]);
  assert.deepEqual(await outcomes(folder, workspace), [["p/d@1.0.0", "imported"]]);
  assert.deepEqual(await outcomes(zip, workspace), [["p/d@1.0.0", "known"]]);
  const two = await testUser(t, one.home.defaultRemote);
  assert.deepEqual(await outcomes(zip, two.open()), [["p/d@1.0.0", "known"]]);
  assert.equal((await Dataset.listVersions({ workspace })).length, 1);
});

test("an automatic label takes the next free one, a label asked for by name that is taken is a conflict", async (t) => {
  const [automatic, named] = [await bundleWith(t), await bundleWith(t, { version: "1.0" })];
  const workspace = (await testUser(t)).open();
  await (await Dataset.create("p/d", { workspace })).finalize();
  const [imported] = await Dataset.importOfflineSession(automatic.zip, { workspace });
  assert.deepEqual([imported!.was, imported!.reference], ["p/d@1.0.0", "p/d@1.0.1"]);
  await assert.rejects(Dataset.importOfflineSession(named.zip, { workspace }), { code: "conflict" });
  assert.deepEqual((await Dataset.listVersions({ onlyCompleted: false, workspace })).length, 2);
});

test("children of cached versions and of offline ones are made offline, and come in with the right parents", async (t) => {
  const user = await testUser(t);
  const online = user.open();
  writeFolder(user.scratch, FILES);
  const base = await Dataset.create("p/d", { workspace: online });
  await base.addFiles(user.scratch);
  await base.finalize({ autoUpload: true });
  // A file is read offline and a server is not: for that one the cache has to know of the version, for the other its tree.
  if (isCatalogUrl(user.home.catalogPath)) await prefetchVersion(online, await findVersion(online, "p/d"));
  else await contentOf(await Dataset.get("p/d", { workspace: online }));
  const { workspace } = await offlineUser(t, user.home);
  const add = async (draft: Dataset, files: Contents, remove: string[] = []) => {
    const folder = await tempDir(t);
    writeFolder(folder, files);
    await draft.addFiles(folder);
    if (remove.length > 0) await draft.removeFiles(remove);
    return finish(draft);
  };
  const first = await Dataset.create({ parents: ["p/d"], workspace });
  assert.equal(first.version, "1.0.1");
  await add(first, { "sub/b.txt": "changed", new: "new" }, ["a.txt"]);
  const second = await Dataset.create({ parents: ["p/d"], workspace });
  assert.equal(second.version, "1.0.2", "the latest is the one made offline");
  const { bundle } = await add(second, { third: "3" });
  assert.equal(
    bundle.folder,
    join(user.home.offlineDir, first.id),
    "a child goes to the bundle of its parent",
  );
  assert.equal(statBytes(bundle.folder) < 100_000, true, "what the parent holds is not in the bundle");

  const imported = await Dataset.importOfflineSession(bundle.zip, { workspace: user.open() });
  assert.deepEqual(imported.map(({ reference, outcome }) => [reference, outcome]), [["p/d@1.0.1", "imported"], ["p/d@1.0.2", "imported"]]); // prettier-ignore
  const again = user.open();
  const catalog = await again.catalog();
  assert.deepEqual(
    [await catalog.parentsOf(first.id), await catalog.parentsOf(second.id)],
    [[base.id], [first.id]],
  );
  const rest = { "sub/b.txt": FILES["sub/b.txt"], "sub/large": FILES["sub/large"] };
  assert.deepEqual(
    await contentOf(await Dataset.get("p/d", { workspace: again })),
    wanted({ ...rest, "sub/b.txt": "changed", new: "new", third: "3" }),
  );
  const stranger = (await testUser(t)).open();
  await assert.rejects(Dataset.importOfflineSession(bundle.zip, { workspace: stranger }), {
    code: "not-found",
    message: /its parent p\/d@1\.0\.0 is not known here/,
  });
});

test("with finalize off the version comes in as a draft", async (t) => {
  const { zip, result } = await bundleWith(t);
  const user = await testUser(t);
  const options = { finalize: false, workspace: user.open() };
  const [imported] = await Dataset.importOfflineSession(zip, options);
  assert.equal(imported!.outcome, "draft");
  const draft = await Dataset.get(imported!.id, { onlyCompleted: false, workspace: user.open() });
  assert.equal((await draft.finalize()).digest, result.digest);
  const [known] = await Dataset.importOfflineSession(zip, { workspace: user.open() });
  assert.equal(known!.outcome, "known");
});

test("what cannot work offline says why", async (t) => {
  const { workspace } = await offlineUser(t);
  const draft = await Dataset.create("p/d", { workspace });
  const refused: [Promise<unknown>, RegExp][] = [
    [Dataset.create("p/e", { remote: "/somewhere", workspace }), /what is made goes into a bundle/],
    [draft.addExternalFiles("https://example.org/x"), /their sources would have to be asked/],
    [Dataset.importOfflineSession("/x.zip", { workspace }), /varve is offline/],
  ];
  for (const [work, message] of refused) await assert.rejects(work, { code: "offline", message });
  await assert.rejects(Dataset.get("p/none", { workspace }), { code: "not-found", message: /offline/ });
  await draft.discard();
  assert.equal(
    existsSync(join(workspace.home.offlineDir, draft.id)),
    false,
    "a bundle of nothing is no more",
  );
});

test("setOffline and VARVE_OFFLINE are one switch for calls that name no workspace", () => {
  assert.equal(Dataset.isOffline(), false);
  Dataset.setOffline(true);
  assert.equal(Dataset.isOffline(), true);
  Dataset.setOffline(false);
  assert.equal(Dataset.isOffline(), false);
  process.env["VARVE_OFFLINE"] = "1";
  try {
    assert.equal(new Workspace({}).isOffline, true);
  } finally {
    delete process.env["VARVE_OFFLINE"];
  }
});

test("damaged, cut off, foreign and hostile bundles are refused, and nothing of them stays", async (t) => {
  const { folder, zip } = await bundleWith(t);
  const scratch = await tempDir(t);
  const inFolder = async (name: string, change: (at: string) => void) => {
    const at = join(scratch, name);
    cpSync(folder, at, { recursive: true });
    change(at);
    return at;
  };
  const edit = (file: string, from: RegExp, to: string) => {
    writeFileSync(file, readFileSync(file, "utf8").replace(from, to));
  };
  const recordIn = (at: string) => filesIn(join(at, "datasets"))[0]!;
  const cut = join(scratch, "cut.zip");
  writeFileSync(cut, readFileSync(zip).subarray(0, -100));
  const none = join(scratch, "none.zip");
  writeFileSync(none, "not a zip");
  const cases: [string, string, RegExp?][] = [
    [cut, "format-damaged", /cut off/],
    [none, "format-damaged"],
    [join(scratch, "missing.zip"), "not-found"],
    [scratch, "remote-failed"],
    [await inFolder("newer", (at) => { edit(join(at, "bundle.json"), /"format": 1/, '"format": 2'); }), "format-newer"],
    [await inFolder("unfinished", (at) => { rmSync(recordIn(at)); }), "not-found", /no version in it is finished/],
    [await inFolder("pack", (at) => { for (const pack of filesIn(join(at, "packs"))) flip(pack); }), "content-damaged"],
    [await inFolder("range", (at) => { for (const range of filesIn(join(at, "ranges"))) flip(range); }), "content-damaged"],
    [await inFolder("gone", (at) => { rmSync(join(at, "packs"), { recursive: true }); }), "object-missing"],
    [await inFolder("digest", (at) => { edit(recordIn(at), /"digest": "[0-9a-f]{64}"/, `"digest": "${"0".repeat(64)}"`); }), "format-damaged", /it is not that of its version/],
    [await inFolder("elsewhere", (at) => { edit(recordIn(at), /"remotes": \[/, `"remotes": [{"id": "${"a".repeat(32)}", "url": "file:///etc"},`); }), "not-found", /a remote this catalog does not know/],
    [await inFolder("name", (at) => { edit(recordIn(at), /"name": "d"/, '"name": "../d"'); }), "format-damaged"],
  ]; // prettier-ignore
  for (const [path, code, message] of cases) {
    const workspace = (await testUser(t)).open();
    await assert.rejects(
      Dataset.importOfflineSession(path, { workspace }),
      { code, ...(message && { message }) },
      path,
    );
    assert.deepEqual(await Dataset.listVersions({ onlyCompleted: false, workspace }), [], path);
  }
});

function flip(file: string): void {
  const bytes = readFileSync(file);
  for (let at = 0; at < bytes.length; at += 50) bytes[at]! ^= 1;
  writeFileSync(file, bytes);
}

function filesIn(folder: string): string[] {
  const all = readdirSync(folder, { recursive: true, withFileTypes: true });
  return all.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

function statBytes(folder: string): number {
  return filesIn(folder).reduce((sum, file) => sum + readFileSync(file).length, 0);
}
