import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { mapInOrder } from "../../../src/content/in-order.js";
import { varveUser } from "../../support/varve.js";

const COMMANDS = [
  "create",
  "add",
  "remove",
  "upload",
  "finalize",
  "sync",
  "versions",
  "list",
  "search",
  "job list",
  "job show",
  "job set",
  "job unset",
  "used-by",
  "import",
  "log",
  "ls",
  "cat",
  "get",
  "diff",
  "verify",
  "metadata set",
  "metadata get",
  "metadata list",
  "metadata remove",
  "publish",
  "archive",
  "unarchive",
  "tag",
  "set-description",
  "rename",
  "move",
  "delete",
  "watch",
  "metadata file",
  "metadata import",
  "query",
  "preview",
  "mount",
  "unmount",
  "commit",
  "discard",
  "status",
  "logs",
  "metrics",
  "recover",
  "prefetch",
  "cache",
  "cache status",
  "cache clear",
  "cache verify",
  "cache pin",
  "cache unpin",
  "copies",
  "copies clear",
  "doctor",
  "remote add",
  "remote list",
  "remote set",
  "remote remove",
  "catalog rebuild",
];

test("the help of every command shows how it is used, with examples, on standard output", async (t) => {
  const varve = await varveUser(t);
  for await (const { command, stdout, stderr } of mapInOrder(COMMANDS, 4, async (command) => ({
    command,
    ...(await varve.ok([...command.split(" "), "--help"])),
  }))) {
    assert.match(stdout, new RegExp(`^varve ${command}\\b`));
    assert.match(stdout, new RegExp(`Examples:\\n +varve ${command} `), command);
    assert.equal(stderr, "");
  }
});

test("the help of varve lists every command and the exit codes", async (t) => {
  const varve = await varveUser(t);
  const { stdout } = await varve.ok(["--help"]);
  for (const command of COMMANDS)
    assert.match(stdout, new RegExp(`^  varve ${command.split(" ")[0]}\\b`, "m"));
  assert.match(
    stdout,
    /Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not found, 4 conflict, 5 left uncommitted/,
  );
});

test("--version prints the version of the package", async (t) => {
  const varve = await varveUser(t);
  const manifest = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
  assert.equal((await varve.ok(["--version"])).stdout, `${manifest.version}\n`);
});

const WRONG: { args: string[]; says: RegExp }[] = [
  { args: [], says: /Say what to do/ },
  { args: ["nonsense"], says: /Unknown argument: nonsense/ },
  { args: ["ls"], says: /Not enough non-option arguments.*; --help shows what it takes/ },
  { args: ["ls", "p/d", "a", "b"], says: /Unknown argument: b/ },
  { args: ["verify", "p/d", "--hash"], says: /Cannot take --hash without --links/ },
  { args: ["add", "s3://bucket/x"], says: /--link puts it into the version without a copy/ },
  { args: ["add", "x", "--unpinned"], says: /--unpinned and --hash are for --link/ },
  { args: ["versions", "--nonsense"], says: /Unknown argument: nonsense; --help shows what it takes/ },
  { args: ["versions", "--big-words", "--other-words"], says: /Unknown arguments: big-words, other-words;/ },
  { args: ["create", "noproject"], says: /it has no project; write PROJECT\/NAME/ },
  { args: ["create", "p/d", "--version", "one"], says: /Cannot take "one" as a version label/ },
  { args: ["create", "p/d", "--version"], says: /Not enough arguments following: version/ },
  { args: ["upload", "--max-workers", "none"], says: /--max-workers/ },
  { args: ["versions", "--cache-size", "many"], says: /many/ },
];

for (const { args, says } of WRONG) {
  test(`"varve ${args.join(" ")}" is wrong usage`, async (t) => {
    const varve = await varveUser(t);
    const { code, stdout, stderr } = await varve(args);
    assert.match(stderr, says);
    assert.deepEqual([code, stdout], [2, ""]);
  });
}

test("wrong usage with --json is told as data too", async (t) => {
  const varve = await varveUser(t);
  for (const args of [["ls"], ["versions", "--nonsense"], ["nonsense"]]) {
    const { code, stdout } = await varve([...args, "--json"]);
    const { error } = JSON.parse(stdout) as { error: { code: string; message: string } };
    assert.deepEqual([code, error.code], [2, "bad-input"]);
  }
});

test("recover of an id that is not there names it", async (t) => {
  const varve = await varveUser(t);
  const { code, stderr } = await varve(["recover", "nope"]);
  assert.equal(code, 3);
  assert.match(stderr, /Cannot find the overlay "nope"/);
});
