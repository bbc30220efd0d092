import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";

import { writeFolder } from "../../dataset/support/folders.js";
import { varveUser } from "../../support/varve.js";

test("add and remove take the spellings users of other tools know, one file under a new name, and a dry run", async (t) => {
  const varve = await varveUser(t);
  const folder = join(varve.home, "../files");
  writeFolder(folder, { "a.txt": "1", "b.log": "2", "d/c.txt": "3", "d/e/f.txt": "4", linked: "5" });
  await varve.ok(["create", "p/d"]);
  await varve.ok([
    "add",
    "--files",
    folder,
    "--dataset-folder",
    "x",
    "--wildcard",
    "*.txt",
    "--non-recursive",
  ]);
  await varve.ok(["add", join(folder, "b.log"), "--as", "logs/first.log"]);
  await varve.ok([
    "add",
    join(folder, "d"),
    "--links",
    `file://${folder}/linked`,
    "--local-base-folder",
    folder,
  ]);
  const held = async () => (await varve.ok(["ls", "-R", "p/d@1.0.0"])).stdout.trim().split("\n");
  const files = ["d/c.txt", "d/e/f.txt", "linked", "logs/first.log", "x/a.txt"];
  const all = ["d", "d/c.txt", "d/e", "d/e/f.txt", "linked", "logs", "logs/first.log", "x", "x/a.txt"];
  assert.deepEqual(await held(), all);
  assert.deepEqual((await varve.ok(["ls", "-R", "p/d@1.0.0", "*.txt"])).stdout.trim().split("\n"), [
    "d/c.txt",
    "d/e/f.txt",
    "x/a.txt",
  ]);

  const dry = await varve.ok(["remove", "d/", "*.log", `file://${folder}/linked`, "--dry-run", "--json"]);
  const { wouldRemove } = dry.json() as { wouldRemove: string[] };
  assert.deepEqual(
    wouldRemove,
    files.slice(0, 4).sort((a, b) => wouldRemove.indexOf(a) - wouldRemove.indexOf(b)),
  );
  assert.deepEqual(await held(), all);
  assert.match(
    (await varve.ok(["remove", "--files", "d", "--non-recursive"])).stdout,
    /^1 file removed; p\/d@1\.0\.0 {2}/,
  );

  for (const wrong of [["remove"], ["add"], ["remove", ""], ["add", folder, "--hash"], ["add", "s3://b/k"]])
    assert.equal((await varve(wrong)).code, 2, wrong.join(" "));
  assert.equal((await varve(["add", join(folder, "typo")])).code, 3);
});

test("words after -- are names, whatever they begin with", async (t) => {
  const varve = await varveUser(t);
  const cwd = join(varve.home, "../files");
  writeFolder(cwd, { "-odd.txt": "odd", "--json": "json", kept: "kept" });
  await varve.ok(["create", "p/d"]);
  await varve.ok(["add", "--to", "d", "--", "-odd.txt", "--json"], { cwd });
  await varve.ok(["add", "."], { cwd });
  assert.match((await varve.ok(["remove", "--", "--json"])).stdout, /^1 file removed/);
  await varve.ok(["finalize", "--upload"]);
  const files = (await varve.ok(["ls", "-R", "p/d"])).stdout.trim().split("\n");
  assert.deepEqual(files, ["-odd.txt", "d", "d/--json", "d/-odd.txt", "kept"]);
  assert.equal((await varve.ok(["cat", "p/d", "--", "-odd.txt"])).stdout, "odd");
});
