/** Lines of scripts for `clearml-data` with the first word changed, each run once. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { withoutClearmlSpellings } from "../../../src/cli/clearml-spellings.js";
import { writeFolder } from "../../dataset/support/folders.js";
import { varveUser } from "../../support/varve.js";

const words = (line: string) => withoutClearmlSpellings(line.split(" ")).join(" ");

const LINES: readonly (readonly [clearml: string, ours: string])[] = [
  [
    "create --project P --name N --parents A B --tags x y --storage /s --json",
    "create P/N --parent A --parent B --tag x --tag y --remote /s --json",
  ],
  ["create --name=N --project=P/Q --version 2.0.0", "create P/Q/N --version 2.0.0"],
  [
    "add --id D --files a b --wildcard *.jpg *.png --verbose",
    "add --id D --files a --files b --wildcard *.jpg --wildcard *.png",
  ],
  ["add --links s3://b/x s3://b/y --non-recursive", "add --links s3://b/x --links s3://b/y --non-recursive"],
  ["remove --files a b --verbose", "remove --files a --files b"],
  [
    "upload --storage /s --chunk-size 512 --max-workers 2",
    "upload --remote /s --pack-size 256MiB --max-workers 2",
  ],
  ["upload --chunk-size 16 --verbose", "upload --pack-size 16MiB"],
  ["upload --chunk-size 0", "upload --pack-size 256MiB"],
  ["upload --chunk-size lots", "upload --pack-size lots"],
  ["close --disable-upload --storage /s", "close --no-upload --remote /s"],
  ["sync --folder F --project P --name N --parents A --verbose", "sync F P/N --parent A"],
  ["publish --id X", "publish X"],
  ["delete --id X --force", "delete X --force"],
  ["delete --project P --name N --version 1.0.0", "delete P/N@1.0.0"],
  ["delete --project P --name N --entire-dataset --force", "delete P/N --entire-dataset --force"],
  ["rename --new-name M --project P --name N", "rename P/N M"],
  ["move --new-project Q --project P --name N", "move P/N Q"],
  ["compare --target B --source A --verbose", "compare A B --verbose"],
  ["squash --name P/N --ids A B --storage /s --verbose", "squash P/N A B --remote /s"],
  ["search --ids A B --tags x y --project P", "search --id A --id B --tag x --tag y --project P"],
  ["verify --id X --folder F --filesize --verbose", "verify X F --size"],
  ["list --id X --filter *.jpg", "ls -lR X *.jpg"],
  ["list --project P --name N --version 1.0.0", "ls -lR P/N@1.0.0"],
  [
    "get --id X --copy DIR --overwrite --num-parts 2 --part 0",
    "get X DIR --overwrite --num-parts 2 --part 0",
  ],
  ["set-description --description D --id X", "set-description X D"],
];

test("a line for clearml-data becomes one of ours", () => {
  assert.deepEqual(
    LINES.map(([clearml]) => [clearml, words(clearml)]),
    LINES,
  );
});

test("a line of ours stays as it is, and what has no counterpart stays to be refused", () => {
  const lines = [
    "create vision/cifar10 --parent vision/cifar10",
    "add . --wildcard *.jpg more",
    "get vision/cifar10 --copy",
    "get --copy vision/cifar10",
    "list --project P --name N",
    "delete vision/cifar10 --entire-dataset",
    "search --name ^c --tag x",
    "publish",
    "constructor --id X",
    "",
  ];
  assert.deepEqual(lines.map(words), lines);
  assert.equal(words("sync --folder F --name P/N --skip-close"), "sync F P/N --skip-close");
  assert.equal(words("upload --storage"), "upload --remote", "an option without its value is not lost");
});

test("a script for clearml-data runs", async (t) => {
  const varve = await varveUser(t);
  const files = join(varve.home, "../files");
  const there = join(varve.home, "../there");
  const copy = join(varve.home, "../copy");
  writeFolder(files, { "a.txt": "1", "b.jpg": "22", "c/d.jpg": "333" });
  const run = async (...args: string[]) => (await varve.ok([...args, "--json"])).json();
  const idOf = async (...args: string[]) => ((await run(...args)) as { id: string }).id;

  const first = await idOf("create", "--project", "P", "--name", "N", "--tags", "x", "y", "--storage", there);
  await run("add", "--files", join(files, "a.txt"), join(files, "b.jpg"), "--verbose");
  await run("remove", "--files", "b.jpg", "--verbose");
  await run("upload", "--chunk-size", "512", "--storage", there, "--verbose");
  assert.equal(await idOf("close", "--disable-upload", "--max-workers", "2"), first);
  await run(
    "sync",
    "--folder",
    files,
    "--project",
    "P",
    "--name",
    "N",
    "--parents",
    first,
    "--chunk-size",
    "8",
  );
  const found = (await run("search", "--project", "P", "--tags", "x", "y", "--ids", first)) as {
    id: string;
  }[];
  assert.deepEqual(
    found.map(({ id }) => id),
    [first],
  );
  await run("set-description", "--id", first, "--description", "one file");
  await run("publish", "--id", first);
  const listed = await varve.ok([
    "list",
    "--project",
    "P",
    "--name",
    "N",
    "--filter",
    "*.jpg",
    "--version",
    "1.0.1",
  ]);
  assert.match(listed.stdout, /b\.jpg\n.*c\/d\.jpg\n$/);
  const compared = await run("compare", "--source", first, "--target", "P/N", "--verbose");
  assert.equal((compared as { counts: { added: number } }).counts.added, 2);
  await run("get", "--id", first, "--copy", copy);
  assert.equal(readFileSync(join(copy, "a.txt"), "utf8"), "1");
  await run("squash", "--name", "S", "--ids", first, "P/N", "--storage", there);
  assert.equal((await varve.ok(["cat", "P/S", "c/d.jpg"])).stdout, "333");
  await run("rename", "--new-name", "M", "--project", "P", "--name", "N");
  await run("move", "--new-project", "Q", "--project", "P", "--name", "M");
  await run("verify", "--id", "Q/M", "--links");
  await run("delete", "--project", "P", "--name", "S");
  await run("delete", "--project", "Q", "--name", "M", "--entire-dataset", "--force");
  assert.deepEqual(await run("search", "--not-only-completed"), []);
});
