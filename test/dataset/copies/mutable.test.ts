import assert from "node:assert/strict";
import {
  chmodSync,
  closeSync,
  existsSync,
  ftruncateSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";

import { Dataset } from "../../../src/dataset/dataset.js";
import { syncVersion } from "../../../src/dataset/sync.js";
import { MiB } from "../../../src/units.js";
import { noise } from "../../content/noise.js";
import { setTime, setXattr } from "../../support/native.js";
import { tempDir } from "../../support/temp.js";
import { describeFolder, writeFolder } from "../support/folders.js";
import { copyUser } from "./support.js";

/** One of each kind, with what is easily lost. */
function everything(source: string): void {
  chmodSync(join(source, "run"), 0o750);
  setXattr(join(source, "run"), "user.note", Buffer.from("kept"));
  setXattr(join(source, "empty"), "user.note", Buffer.from("of a folder"));
  linkSync(join(source, "a/one"), join(source, "a/two"));
  linkSync(join(source, "a/one"), join(source, "three"));
  writeFileSync(Buffer.concat([Buffer.from(`${source}/`), Buffer.from([0xff, 0xfe])]), "no UTF-8");
  writeSparse(join(source, "sparse"));
  setTime(join(source, "a/one"), 1_234_567_890_123_456_789n);
  setTime(join(source, "link"), -5_000_000_001n);
  setTime(join(source, "empty"), 987_654_321_000_000_001n);
  chmodSync(join(source, "closed"), 0o500);
  setTime(source, 1_111_111_111_111_111_111n);
}

function writeSparse(path: string): void {
  const fd = openSync(path, "w");
  writeSync(fd, "head", 0);
  writeSync(fd, "tail", 7 * MiB);
  ftruncateSync(fd, 9 * MiB);
  closeSync(fd);
}

const EVERYTHING = {
  run: "#!/bin/sh\n",
  "a/one": "several names",
  "a/b/c/deep": "deep",
  "empty/": "",
  nothing: "",
  link: { target: "a/one" },
  dangling: { target: "../nowhere" },
  large: noise("large", 9 * MiB),
  "closed/inside": "in a folder that nobody may write to",
};

test("a mutable copy is equal to what the version was made of, to the nanosecond", async (t) => {
  const { dataset, source, target } = await copyUser(t, EVERYTHING, everything);
  const copy = await dataset.getMutableLocalCopy(target);
  assert.deepEqual(describeFolder(target), describeFolder(source));
  assert.equal(statSync(target, { bigint: true }).mtimeNs, 1_111_111_111_111_111_111n);
  assert.ok(statSync(join(target, "sparse")).blocks * 512 < 1 * MiB, "holes stay holes");
  const { path, reference, id, files, writtenFiles, removedFiles } = copy;
  assert.deepEqual(
    { path, reference, id, files, writtenFiles, removedFiles },
    { path: target, reference: "p/d@1.0.0", id: dataset.id, files: 12, writtenFiles: 10, removedFiles: 0 },
  );
});

test("a mutable copy may be changed without harm to the version or to later copies", async (t) => {
  const { dataset, source, target } = await copyUser(t, { a: "one", large: noise("large", 17 * MiB) });
  await dataset.getMutableLocalCopy(target);
  writeFileSync(join(target, "a"), "two");
  writeFileSync(join(target, "large"), "small");
  await dataset.getMutableLocalCopy(`${target}-2`);
  assert.deepEqual(describeFolder(`${target}-2`), describeFolder(source));
});

test("a folder that holds something is refused, and left as it is", async (t) => {
  const { dataset, target } = await copyUser(t, { a: "1" });
  writeFolder(target, { mine: "mine" });
  await assert.rejects(dataset.getMutableLocalCopy(target), { code: "conflict", message: /it is not empty/ });
  assert.deepEqual(readdirSync(target), ["mine"]);
});

test("overwrite replaces what differs, removes what is not in the version, and leaves equal files alone", async (t) => {
  const { dataset, source, target } = await copyUser(t, {
    a: "1",
    b: "2",
    "d/c": "3",
    f: "file",
    g: "time",
    "e/": "",
  });
  await dataset.getMutableLocalCopy(target);
  const untouched = lstatSync(join(target, "a"));
  writeFileSync(join(target, "b"), "X"); // Of equal size.
  utimesSync(join(target, "b"), lstatSync(join(source, "b")).mtime, lstatSync(join(source, "b")).mtime);
  utimesSync(join(target, "g"), 1, 1);
  rmSync(join(target, "d"), { recursive: true });
  writeFileSync(join(target, "d"), "a file in the place of a folder");
  rmSync(join(target, "f"));
  writeFolder(target, { "f/a": "folder in the place of a file", "extra/x": "x", "e/y": "y" });
  const { writtenFiles, removedFiles } = await dataset.getMutableLocalCopy(target, { overwrite: true });
  assert.deepEqual(describeFolder(target), describeFolder(source));
  assert.deepEqual({ writtenFiles, removedFiles }, { writtenFiles: 3, removedFiles: 2 });
  assert.equal(lstatSync(join(target, "a")).ino, untouched.ino);
});

test("overwrite follows no symbolic link, neither to write nor to remove", async (t) => {
  const { dataset, source, target } = await copyUser(t, { "d/a": "1", f: "2" });
  const outside = await tempDir(t);
  writeFolder(outside, { a: "outside", "sub/b": "outside too" });
  const before = describeFolder(outside);
  mkdirSync(target);
  symlinkSync(outside, join(target, "d"));
  symlinkSync(join(outside, "a"), join(target, "f"));
  symlinkSync(outside, join(target, "extra"));
  await dataset.getMutableLocalCopy(target, { overwrite: true });
  assert.deepEqual(describeFolder(outside), before);
  assert.deepEqual(describeFolder(target), describeFolder(source));
});

test("overwrite does not write through a hard link to a file elsewhere", async (t) => {
  const { dataset, target } = await copyUser(t, { a: "1" }, (source) => chmodSync(join(source, "a"), 0o600));
  const outside = join(await tempDir(t), "mine");
  writeFileSync(outside, "1", { mode: 0o644 });
  mkdirSync(target);
  linkSync(outside, join(target, "a"));
  await dataset.getMutableLocalCopy(target, { overwrite: true });
  assert.equal(statSync(outside).mode & 0o777, 0o644);
  assert.equal(statSync(join(target, "a")).mode & 0o777, 0o600);
});

test("folders that must not be emptied are no targets", async (t) => {
  const { user, dataset, target } = await copyUser(t, { a: "1" });
  const { dataDir, cacheDir } = user.home;
  const link = `${target}-link`;
  symlinkSync(dirname(dataDir), link);
  for (const folder of [
    "/",
    homedir(),
    dirname(homedir()),
    dataDir,
    dirname(dataDir),
    join(cacheDir, "x"),
    link,
  ])
    await assert.rejects(
      dataset.getMutableLocalCopy(folder, { overwrite: true }),
      { code: "bad-input" },
      folder,
    );
  writeFileSync(target, "a file");
  await assert.rejects(dataset.getMutableLocalCopy(target, { overwrite: true }), { code: "conflict" });
  assert.equal(readFileSync(target, "utf8"), "a file");
});

test("a copy that was cut off is gone on with, without overwrite", async (t) => {
  const contents = Object.fromEntries(
    Array.from({ length: 8_000 }, (_, at) => [`d${at % 7}/${at}`, noise(`${at}`, 2_000)]),
  );
  const { dataset, source, target } = await copyUser(t, contents);
  const stop = new AbortController();
  const options = { signal: stop.signal, onProgress: () => stop.abort(), maxWorkers: 1 };
  await assert.rejects(dataset.getMutableLocalCopy(target, options), { name: "AbortError" });
  const { writtenFiles } = await dataset.getMutableLocalCopy(target);
  assert.ok(writtenFiles > 0 && writtenFiles < 8_000, `wrote ${writtenFiles}`);
  assert.deepEqual(describeFolder(target), describeFolder(source));
  await assert.rejects(dataset.getMutableLocalCopy(target), { code: "conflict" });
});

test("a large file that the cache holds whole is copied from there, and no remote is asked", async (t) => {
  const { workspace, dataset, source, target } = await copyUser(t, { large: noise("large", 17 * MiB) });
  for await (const bytes of dataset.readFile("large")) assert.ok(bytes.length > 0);
  const cache = await workspace.cache();
  await cache.flush();
  const { requests } = cache.stats().fetched;
  await dataset.getMutableLocalCopy(target);
  assert.deepEqual(describeFolder(target), describeFolder(source));
  assert.equal(cache.stats().fetched.requests, requests);
});

test("what is fetched for a copy takes no room in the cache", async (t) => {
  const { workspace, dataset, target } = await copyUser(t, {
    a: noise("a", 100_000),
    large: noise("large", 9 * MiB),
  });
  await dataset.getMutableLocalCopy(target);
  const cache = await workspace.cache();
  await cache.flush();
  assert.ok(cache.stats().disk.bytes < 50_000, `${cache.stats().disk.bytes} bytes`);
});

test("a copy of a version that is not finished is refused", async (t) => {
  const { workspace, target } = await copyUser(t, { a: "1" });
  const draft = await Dataset.create("p/d", { workspace });
  await assert.rejects(draft.getMutableLocalCopy(target), { code: "version-unfinished" });
  assert.equal(existsSync(target), false);
  draft.close();
});

test("a version of no entries makes an empty folder", async (t) => {
  const { workspace, target } = await copyUser(t, { a: "1" });
  const empty = await tempDir(t);
  await syncVersion(empty, "p/empty", { workspace });
  const { files } = await (await Dataset.get("p/empty", { workspace })).getMutableLocalCopy(target);
  assert.deepEqual([files, readdirSync(target)], [0, []]);
});
