/** Trees, records and bundles that no varve makes, or nobody expects: deep, long, clashing, lying. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { ZipFile } from "yazl";
import { buffer } from "node:stream/consumers";

import { Codec, type RemoteId, packKey } from "../../src/content/chunk.js";
import { sha256 } from "../../src/content/hash.js";
import { importBundle } from "../../src/dataset/import-bundle.js";
import { Dataset } from "../../src/dataset/dataset.js";
import { findVersion } from "../../src/dataset/history.js";
import { lineageOf } from "../../src/dataset/lineage.js";
import { rebuildCatalog } from "../../src/dataset/rebuild.js";
import type { VersionRecord } from "../../src/dataset/record.js";
import { recordKey } from "../../src/dataset/record.js";
import { syncVersion } from "../../src/dataset/sync.js";
import type { Workspace } from "../../src/dataset/workspace.js";
import { isDatasetError } from "../../src/errors.js";
import { type Entry, EntryType } from "../../src/manifest/entry.js";
import { comparePaths } from "../../src/manifest/key.js";
import { encodeRange, openRange } from "../../src/manifest/range.js";
import { rangeKey } from "../../src/manifest/range-ref.js";
import { encodeRoot, openRoot } from "../../src/manifest/root.js";
import { openZip, zipUrlOf } from "../../src/remote/zip/zip.js";
import { directory, file } from "../manifest/support.js";
import { pathsOf, writeFolder } from "../dataset/support/folders.js";
import { changeRecord, recordsIn, refused, signedLab } from "../dataset/signing/lab.js";
import { testUser } from "../dataset/support/workspaces.js";
import { CALLER } from "../overlay/support/client.js";
import { overlayOver } from "../overlay/support/fixture.js";
import { atEnd } from "../support/cleanup.js";
import { tempDir } from "../support/temp.js";

interface Hostile {
  remote: string;
  /** A workspace of somebody who reads from it. */
  workspace: Workspace;
  scratch: string;
}

/** A remote with a version `lab/evil@1.0.0` that holds these entries, whatever they are. */
async function remoteWith(t: TestContext, entries: readonly Entry[], content = ""): Promise<Hostile> {
  const remote = join(await tempDir(t), "remote");
  const user = await testUser(t, remote);
  const workspace = user.open();
  writeFolder(join(user.scratch, "seed"), { seed: "seed" });
  await syncVersion(join(user.scratch, "seed"), "lab/evil", { workspace });
  const [at, record] = [...recordsIn(remote)][0]!;
  const { id } = record.remotes[0]!;
  const put = (key: string, bytes: Uint8Array) => {
    mkdirSync(dirname(join(remote, key)), { recursive: true });
    writeFileSync(join(remote, key), bytes);
  };
  const bytes = Buffer.from(content);
  put(packKey(sha256(bytes)), bytes);
  const chunk = {
    hash: sha256(bytes),
    sizeBytes: bytes.length,
    remote: id,
    pack: sha256(bytes),
    offset: 0,
    storedBytes: bytes.length,
    codec: Codec.raw,
  };
  const filled = entries.map((entry) =>
    entry.type === EntryType.file && entry.sizeBytes > 0
      ? { ...entry, sizeBytes: bytes.length, sha256: chunk.hash, chunks: [chunk] }
      : entry,
  );
  const sorted = [...filled].sort((a, b) => comparePaths(a.path, b.path));
  const ranges = [encodeRange(sorted, id)];
  for (const range of ranges) put(rangeKey(range.object), range.bytes);
  const root = encodeRoot({ ranges, segments: [], remote: id });
  const key = "roots/evil/1";
  put(key, root);
  const { treeDigest: digest, contentDigest } = openRoot(root);
  const changed: VersionRecord = {
    ...record,
    root: { key, hash: sha256(root), bytes: root.length },
    digest,
    contentDigest,
  };
  writeFileSync(at, JSON.stringify(changed));
  const reader = await testUser(t, remote);
  return { remote, workspace: reader.open(), scratch: reader.scratch };
}

test("a file below a symbolic link is never written where that leads", async (t) => {
  const outside = await tempDir(t);
  const link = { ...directory("d"), type: EntryType.symlink, target: outside } as Entry;
  const { remote, workspace, scratch } = await remoteWith(
    t,
    [directory(""), link, file("d/escaped", "x")],
    "x",
  );
  const evil = await Dataset.get(`${remote}#lab/evil`, { workspace });
  for (const options of [{}, { files: ["d/escaped"] }, { globs: ["escaped"] }])
    await refused(
      evil.getMutableLocalCopy(join(scratch, JSON.stringify(options)), options),
      "format-damaged",
      /is no folder/,
    );
  await refused(evil.getLocalCopy({ mode: "files" }), "format-damaged", /is no folder/);
  assert.deepEqual(readdirSync(outside), []);
});

test("a link that lies in the way of a folder or a file is not written through", async (t) => {
  const outside = await tempDir(t);
  const { remote, workspace, scratch } = await remoteWith(
    t,
    [directory(""), directory("d"), file("d/f", "x"), file("g", "x")],
    "x",
  );
  const target = join(scratch, "target");
  mkdirSync(target, { recursive: true });
  symlinkSync(outside, join(target, "d"));
  symlinkSync(join(outside, "made"), join(target, "g"));
  const evil = await Dataset.get(`${remote}#lab/evil`, { workspace });
  await refused(evil.getMutableLocalCopy(target), "conflict");
  await evil.getMutableLocalCopy(target, { overwrite: true });
  assert.deepEqual(readdirSync(outside), []);
  assert.equal(readFileSync(join(target, "d/f"), "utf8"), "x");
});

/** A range is checked when it is written, so bytes of a good one are made bad: first the folder's path, last its name. */
test("a name or path that leads upwards, is absolute, empty or has a NUL is damage, whoever wrote it", () => {
  const id = "0".repeat(32) as RemoteId;
  const { bytes } = encodeRange([directory(""), directory("~~~~"), file("~~~~/f", "x")], id);
  openRange(bytes, id);
  for (const bad of ["/etc", "a/..", "..//", "./aa", "a//b", "a\0bb", "../a", "aaa/"])
    for (const at of [Buffer.from(bytes).indexOf("~~~~"), Buffer.from(bytes).lastIndexOf("~~~~")]) {
      const evil = Buffer.from(bytes);
      evil.write(bad, at, "latin1");
      assert.throws(
        () => openRange(evil, id),
        (error) => isDatasetError(error, "format-damaged"),
        `${bad} at ${at}`,
      );
    }
});

const DEEP = 10_000;

test(
  "a tree of 10,000 levels is made, listed, found and looked into, and copied as far as a path can be, with no end of the stack",
  { timeout: 200_000 },
  async (t) => {
    const { workspace, scratch } = await remoteWith(t, [directory("")]);
    const draft = await Dataset.create("lab/deep", { workspace });
    const at = Array<string>(DEEP).fill("d").join("/");
    writeFileSync(scratch, "deep");
    await draft.addFiles(scratch, { to: at });
    assert.equal((await draft.finalize({ autoUpload: true })).files, 1);
    const deep = await Dataset.get("lab/deep", { workspace });
    let last = "";
    let count = 0;
    for await (const entry of deep.listFiles()) [last, count] = [entry.path, count + 1];
    assert.equal(count, DEEP + 1);
    assert.equal((await deep.entry(last)).type, EntryType.file);
    const copy = join(scratch, "../copy");
    atEnd(t, () => void execFileSync("rm", ["-rf", copy]));
    await refused(deep.getMutableLocalCopy(copy), "target-unwritable", /ENAMETOOLONG|name too long/);
  },
);

test("what is below a folder 2,000 levels deep is removed, and what a wildcard names is found there", async (t) => {
  const { workspace, scratch } = await remoteWith(t, [directory("")]);
  const draft = await Dataset.create("lab/deep", { workspace });
  writeFileSync(scratch, "deep");
  await draft.addFiles(scratch, { to: Array<string>(2_000).fill("d").join("/") });
  await draft.finalize({ autoUpload: true });
  const deep = await Dataset.get("lab/deep", { workspace });
  const found: string[] = [];
  for await (const { path } of deep.listFiles("", { wildcards: "files" })) found.push(path);
  assert.equal(found.length, 1);
  const child = await Dataset.create("lab/deep", { workspace, parents: ["lab/deep"] });
  assert.equal(await child.removeFiles("d"), 1);
  assert.equal((await child.finalize({ autoUpload: true })).files, 0);
});

test("what was made 10,000 levels deep in a mount is told, each folder before what lies in it", async (t) => {
  const { client, snapshot } = await overlayOver(t, { top: { directory: true } });
  let parent = client.resolve("top").ino;
  for (let level = 0; level < DEEP; level++)
    parent = client.run((overlay) => overlay.mkdir(parent, "d", 0o755, CALLER)).ino;
  let length = 0;
  let count = 0;
  for await (const { path } of (await snapshot()).changes()) {
    if (count < DEEP) assert.ok(path.length > length, "a folder comes before what it lies in");
    [length, count] = [Math.max(length, path.length), count + 1];
  }
  assert.equal(length, "top".length + DEEP * 2);
  assert.ok(count >= DEEP);
});

test(
  "a folder on the disk deeper than a path may be is taken as far as the system goes, and the rest is named",
  { timeout: 60_000 },
  async (t) => {
    const user = await testUser(t);
    mkdirSync(user.scratch);
    const make = `import os, sys
os.chdir(sys.argv[1])
for _ in range(4000):
    os.mkdir("d"); os.chdir("d")`;
    execFileSync("python3", ["-c", make, user.scratch]);
    atEnd(t, () => void execFileSync("rm", ["-rf", user.scratch]));
    const { staged } = await syncVersion(user.scratch, "lab/deep", { workspace: user.open() });
    assert.equal(staged.skipped.length, 1);
    assert.match(staged.skipped[0]!.reason, /a path of over 4,095 bytes/);
  },
);

test(
  "parents that form a circle end: in log, catalogs, and what is common to versions",
  { timeout: 30_000 },
  async (t) => {
    const lab = await signedLab(t);
    await lab.sync({ a: "1" }, { signed: false });
    await lab.sync({ a: "2" }, { signed: false });
    const [first, second] = [...recordsIn(lab.remote).values()].sort((a, b) =>
      a.label < b.label ? -1 : 1,
    ) as [VersionRecord, VersionRecord];
    const parent = ({ id, label }: VersionRecord) => ({ id, dataset: "lab/data", label });
    changeRecord(lab, (record) => ({ ...record, parents: [parent(second), parent(first)] }), first.label);
    const workspace = await lab.stranger([]);
    const { versions, problems } = await rebuildCatalog(workspace, [lab.remote]);
    assert.deepEqual([versions, problems], [2, []]);
    const found = await findVersion(workspace, "lab/data");
    assert.equal((await lineageOf(workspace, found)).length, 2);
    assert.equal((await lineageOf(workspace, { ...found, remote: `file://${lab.remote}` })).length, 2);
    const child = await Dataset.create("lab/data", {
      workspace,
      parents: ["lab/data@1.0.0", "lab/data@1.0.1"],
    });
    await child.finalize({ autoUpload: true });
    assert.equal((await (await workspace.catalog()).descendantsOf(first.id)).length, 3);
  },
);

const NUMBERS = [-1, 0.5, 2 ** 53, 2 ** 53 + 2, 2 ** 63, 1e308, "5", null];
for (const field of ["files", "bytes", "createdAtMs", "completedAtMs"] as const)
  test(`a record whose "${field}" is no number that a version can have is damaged, and the others are read`, async (t) => {
    const lab = await signedLab(t);
    await lab.sync({ a: "1" }, { signed: false });
    await lab.sync({ a: "2" }, { signed: false });
    for (const value of NUMBERS) {
      changeRecord(lab, (record) => ({ ...record, [field]: value }));
      const { versions, problems } = await rebuildCatalog(await lab.stranger([]), [lab.remote]);
      assert.deepEqual([versions, problems.length], [1, 1], String(value));
    }
  });

test("a time at the edge of what dates can say, and a name of ten megabytes, fail in words", async (t) => {
  const lab = await signedLab(t);
  await lab.sync({ a: "1" }, { signed: false });
  const [path, record] = [...recordsIn(lab.remote)][0]!;
  const long = "n".repeat(10 * 1024 * 1024);
  for (const change of [
    { createdAtMs: 8_640_000_000_000_001 },
    { dataset: { ...record.dataset, name: long } },
    { label: long },
    { root: { ...record.root, bytes: 2 ** 53 - 1 } },
    { root: { ...record.root, key: "../../../etc/passwd" } },
  ]) {
    writeFileSync(path, JSON.stringify({ ...record, ...change }));
    await refused(lab.readUnasked(), "format-damaged");
  }
  writeFileSync(
    path,
    JSON.stringify({ format: 2, deleted: { id: record.id, label: "1.0.0", by: "x", atMs: 2 ** 53 - 1 } }),
  );
  await refused(lab.readUnasked(), "format-newer"); // No tombstone, and no record, that this varve knows.
  const nested = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
  writeFileSync(path, JSON.stringify({ ...record, annexes: { x: ["here"] } }).replace('"here"', nested));
  await refused(lab.readUnasked(), "format-damaged");
  writeFileSync(path, JSON.stringify({ ...record, tags: [long] }));
  await lab.readUnasked();
});

test("a label asked for by name that another has in the remote is told, and amendments of others change no content", async (t) => {
  const lab = await signedLab(t);
  await lab.sync({ a: "1" }, { signed: false });
  const record = [...recordsIn(lab.remote).values()][0]!;
  const amendments = join(lab.remote, dirname(dirname(recordKey(record.dataset.id, "1.0.0"))), "amendments");
  mkdirSync(amendments, { recursive: true });
  const amendment = (change: unknown) =>
    JSON.stringify({
      format: 1,
      id: "1".repeat(32),
      dataset: record.dataset.id,
      by: "x",
      stampMs: 5,
      change,
    });
  for (const [number, change] of [
    { kind: "tag", version: "f".repeat(32), add: ["x"], remove: [] },
    { kind: "delete", version: record.id, label: "9.9.9" },
    { kind: "rename", project: "..", name: "../x" },
    {
      kind: "metadata",
      version: record.id,
      set: [{ name: "m", type: "t/t", form: "unknown", value: "", attachment: "{" }],
      remove: [],
    },
    { kind: "unknown" },
  ].entries())
    writeFileSync(join(amendments, String(number + 1).padStart(10, "0")), amendment(change));
  const workspace = await lab.stranger([]);
  await rebuildCatalog(workspace, [lab.remote]);
  const dataset = await (await workspace.catalog()).findDataset("lab", "data");
  assert.equal(dataset?.id, record.dataset.id);
});

async function zipOf(members: readonly { name: string; mode?: number; content?: string }[]): Promise<Buffer> {
  const zip = new ZipFile();
  for (const { name, mode = 0o644, content = "{}" } of members)
    zip.addBuffer(Buffer.from(content), name, { mode, compress: false });
  zip.end();
  return buffer(zip.outputStream);
}

test("a bundle's zip gives nothing outside itself: upward and absolute names, links, and more than it holds", async (t) => {
  const { workspace, scratch } = await remoteWith(t, [directory("")]);
  mkdirSync(scratch, { recursive: true });
  const at = join(scratch, "bundle.zip");
  const good = await zipOf([
    { name: "aaaaaaaaaa/bb" },
    { name: "link", mode: 0o120777, content: "/etc/passwd" },
  ]);
  for (const name of ["../../../xy/b", "/etc/passwdz", "C:\\windows\\b", "aaaa/../b/cc"]) {
    const evil = Buffer.from(good);
    for (let found = evil.indexOf("aaaaaaaaaa/bb"); found >= 0; found = evil.indexOf("aaaaaaaaaa/bb"))
      evil.write(name.padEnd(13, "x"), found, "latin1");
    writeFileSync(at, evil);
    const remote = openZip(new URL(zipUrlOf(at)));
    const keys: string[] = [];
    try {
      for await (const { key } of remote.list("")) keys.push(key);
      assert.deepEqual(keys, ["link"]);
    } catch (error) {
      assert.ok(isDatasetError(error, "format-damaged"), String(error));
    }
    await remote.close();
    await assert.rejects(importBundle(workspace, at), (error) => isDatasetError(error), name);
  }
  writeFileSync(at, good);
  const remote = openZip(new URL(zipUrlOf(at)));
  assert.equal(Buffer.from(await remote.readWhole("link")).toString(), "/etc/passwd"); // Its bytes: nothing is unpacked.
  await remote.close();
  assert.equal(existsSync(join(scratch, "link")), false);
});

test("members of a zip that claim to hold more than there is are refused before memory is set aside", async (t) => {
  const { scratch } = await remoteWith(t, [directory("")]);
  mkdirSync(scratch, { recursive: true });
  const at = join(scratch, "bomb.zip");
  const zip = await zipOf([{ name: "packs/aa", content: "x".repeat(100) }]);
  const central = zip.indexOf(Buffer.from([0x50, 0x4b, 0x01, 0x02]));
  for (const claimed of [0x7fff_ffff, 0xffff_fffe]) {
    const bomb = Buffer.from(zip);
    bomb.writeUInt32LE(claimed, central + 20);
    bomb.writeUInt32LE(claimed, central + 24);
    writeFileSync(at, bomb);
    const remote = openZip(new URL(zipUrlOf(at)));
    await assert.rejects(
      (async () => {
        for await (const { key } of remote.list("")) await remote.readWhole(key);
      })(),
      (error) => isDatasetError(error, "format-damaged") || isDatasetError(error, "remote-short"),
    );
    await remote.close();
  }
});

test("a record of another version under a label, and two of one id, take nothing's place", async (t) => {
  const lab = await signedLab(t);
  await lab.sync({ a: "1" }, { signed: false });
  const [at, record] = [...recordsIn(lab.remote)][0]!;
  writeFileSync(join(dirname(at), "2.0.0"), JSON.stringify({ ...record, label: "2.0.0" }));
  writeFileSync(join(dirname(at), "3.0.0"), JSON.stringify(record));
  const workspace = await lab.stranger([]);
  const { problems } = await rebuildCatalog(workspace, [lab.remote]);
  assert.equal(problems.length, 1);
  assert.match(problems[0]!.what, /3\.0\.0$/);
  assert.deepEqual(await pathsOf(await Dataset.get("lab/data", { workspace })), ["a"]);
});
