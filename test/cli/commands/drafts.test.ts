import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";

import { NO_COUNTS, writeFolder } from "../../dataset/support/folders.js";
import { s3Environment, s3Server } from "../../support/s3.js";
import { type Varve, varveUser } from "../../support/varve.js";
import { keysOf } from "./keys.js";

const COMMIT_KEYS = [
  "added",
  "bytes",
  "bytesSent",
  "contentBytesSent",
  "contentDigest",
  "dataset",
  "digest",
  "files",
  "id",
  "metadata",
  "modified",
  "removed",
  "renamed",
  "version",
];

function filesOf(varve: Varve): string {
  return join(varve.home, "../files");
}

test("create, add, remove, upload and finalize make a version, each telling programs what it did", async (t) => {
  const varve = await varveUser(t);
  const folder = filesOf(varve);
  writeFolder(folder, { "a.txt": "one", "b.log": "two", "d/c.txt": "three" });
  const created = await varve.ok(["create", "p/d", "--tag", "raw", "--description", "first", "--json"]);
  const { id, ...made } = created.json() as { id: string };
  assert.match(id, /^[0-9a-f]{32}$/);
  assert.deepEqual(made, { dataset: "p/d", version: "1.0.0" });

  const added = await varve.ok(["add", folder, "--json"]);
  assert.equal(added.stderr, "Using the draft p/d@1.0.0\n");
  assert.deepEqual(added.json(), { id, ...NO_COUNTS, added: 3, files: 3 });
  assert.deepEqual((await varve.ok(["remove", "*.log", "--json"])).json(), { id, removed: 1 });
  assert.deepEqual((await varve.ok(["upload", "--json"])).json(), { id, files: 2, contentBytesSent: 8 });

  const finalized = (await varve.ok(["finalize", "--json"])).json() as Record<string, unknown>;
  assert.deepEqual(keysOf(finalized), COMMIT_KEYS);
  const { dataset, version, files, bytes, added: counted } = finalized;
  assert.deepEqual(
    { dataset, version, files, bytes, counted },
    { dataset: "p/d", version: "1.0.0", files: 2, bytes: 8, counted: 2 },
  );
  const again = await varve(["finalize", "--json"]);
  const { error } = again.json() as { error: { code: string } };
  assert.deepEqual([again.code, error.code], [3, "not-found"]);
  assert.match(again.stderr, /there is no draft; varve create makes one, --dataset names one/);
});

test("without --dataset the draft made last is meant, and standard error says which", async (t) => {
  const varve = await varveUser(t);
  writeFolder(filesOf(varve), { a: "1" });
  await varve.ok(["create", "p/one"]);
  await varve.ok(["create", "p/two"]);
  const { stderr, stdout } = await varve.ok(["add", filesOf(varve)]);
  assert.equal(stderr, "Using the draft p/two@1.0.0\n");
  assert.match(stdout, /^1 file added, 0 modified; p\/two@1\.0\.0 {2}[0-9a-f]{32}\n$/);
  const named = await varve.ok(["add", filesOf(varve), "--dataset", "p/one@1.0.0"]);
  assert.equal(named.stderr, "");
  await varve.ok(["finalize", "--dataset", "p/one@1.0.0"]);
  const final = await varve(["add", filesOf(varve), "--dataset", "p/one@1.0.0"]);
  assert.equal(final.code, 4);
  assert.match(final.stderr, /it is finished; create a child with --parent p\/one@1.0.0/);
});

test("sync tells what it made, and null when nothing changed", async (t) => {
  const varve = await varveUser(t);
  const folder = filesOf(varve);
  writeFolder(folder, { a: "1", "d/b": "2" });
  execFileSync("mkfifo", [join(folder, "pipe")]);
  const first = await varve.ok(["sync", folder, "p/d", "--json"]);
  assert.deepEqual(keysOf(first.json()), COMMIT_KEYS);
  assert.match(first.stderr, /^No remote is set: data goes to file:\/\/.*home\/remote .*\n/);
  assert.match(first.stderr, new RegExp(`Left out "${folder}/pipe": it is a fifo, socket or device`));

  const again = await varve.ok(["sync", folder, "p/d", "--json"]);
  assert.deepEqual(again.json(), { committed: null });
  assert.doesNotMatch(again.stderr, /No remote is set/);
  assert.match(
    (await varve.ok(["sync", folder, "p/d"])).stdout,
    /^No change: 2 files as in the latest version\n$/,
  );
  writeFolder(folder, { c: "3" });
  const third = await varve.ok(["sync", folder, "p/d", "--version", "2.0"]);
  assert.match(third.stdout, /^p\/d@2\.0 {2}1 added; 3 files, 3 B; .* sent\n$/);
});

test("a label that is taken is a conflict, an unknown parent is not found", async (t) => {
  const varve = await varveUser(t);
  await varve.ok(["create", "p/d", "--version", "1.0"]);
  const taken = await varve(["create", "p/d", "--version", "1.0.0"]);
  assert.deepEqual([taken.code, taken.stdout], [4, ""]);
  const orphan = await varve(["create", "p/d", "--parent", "p/none"]);
  assert.deepEqual([orphan.code, orphan.stdout], [3, ""]);
  const missing = await varve(["sync", join(filesOf(varve), "none"), "p/e"]);
  assert.deepEqual([missing.code, missing.stdout], [3, ""]);
});

test("add takes wildcards, a place and one folder without those below", async (t) => {
  const varve = await varveUser(t);
  const folder = filesOf(varve);
  writeFolder(folder, { "a.jpg": "1", "b.png": "2", "c.txt": "3", "sub/d.jpg": "4" });
  await varve.ok(["create", "p/d"]);
  const wildcards = ["--wildcard", "*.jpg", "--wildcard", "*.png"];
  const added = await varve.ok([
    "add",
    folder,
    "--to",
    "all/pictures",
    ...wildcards,
    "--no-recursive",
    "--json",
  ]);
  assert.equal((added.json() as { added: number }).added, 2);
  const listed = await varve.ok(["ls", "-R", "p/d@1.0.0"]);
  assert.equal(listed.stdout, "all\nall/pictures\nall/pictures/a.jpg\nall/pictures/b.png\n");
});

test("upload and close send a draft elsewhere, and a request as often as they are told", async (t) => {
  const server = await s3Server(t);
  const varve = await varveUser(t, s3Environment(server));
  writeFolder(filesOf(varve), { a: "1" });
  await varve.ok(["create", "p/d"]);
  await varve.ok(["add", filesOf(varve)]);
  server.faults.set([
    { operations: ["PutObject"], key: "packs/", fault: { kind: "status", status: 503, code: "SlowDown" } },
  ]);
  const failed = await varve(["upload", "--storage", "s3://bucket/there", "--retries", "1"]);
  assert.equal(failed.code, 1, failed.stderr);
  assert.equal(server.faults.injected["status"], 2);
  server.faults.set([]);
  const wrong = await varve(["upload", "--retries", "-1"]);
  assert.deepEqual(
    [wrong.code, wrong.stderr.match(/varve: .*/)?.[0]],
    [2, "varve: Cannot try requests -1 times again: it must be a whole number of at least 0"],
  );
  await varve.ok(["finalize"]);
  assert.equal((await varve.ok(["cat", "s3://bucket/there#p/d", "a"])).stdout, "1");
  const refused = await varve(["upload", "--remote", "s3://bucket/other", "--dataset", "p/d@1.0.0"]);
  assert.equal(refused.code, 4, refused.stderr);
});
