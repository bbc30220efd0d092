import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { chmodSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, before, test } from "node:test";

import { noise } from "../../content/noise.js";
import { writeFolder } from "../../dataset/support/folders.js";
import { setTime } from "../../support/native.js";
import { type Varve, varveUser } from "../../support/varve.js";
import { keysOf } from "./keys.js";

const BINARY = noise("binary", 3_000_000);

/** A dataset of two versions, made once: these commands change nothing. */
let varve: Varve;
before(async (t) => {
  varve = await varveUser(t as TestContext);
  const folder = join(varve.home, "../files");
  writeFolder(folder, {
    "read.me": "hello\n",
    "d/binary": BINARY,
    "d/deep/x": "1",
    link: { target: "d" },
    gone: "g",
  });
  writeFileSync(Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0xfe])]), "odd");
  chmodSync(join(folder, "read.me"), 0o4751);
  setTime(join(folder, "read.me"), -1n);
  await varve.ok(["sync", folder, "p/d", "--description", "the first"]);
  writeFolder(folder, { "read.me": "changed\n", added: "a", moved: "g" });
  rmSync(join(folder, "gone"));
  await varve.ok(["sync", folder, "p/d"]);
});

test("versions lists one dataset's, in order, for programs and in columns for people", async () => {
  const answer = await varve.ok(["versions", "p/d", "--json"]);
  const rows = answer.json() as Record<string, unknown>[];
  assert.equal(answer.stderr, "");
  const wanted = ["bytes", "created", "files", "id", "parents", "state", "version"];
  for (const row of rows)
    assert.deepEqual(
      keysOf(row).filter((key) => wanted.includes(key)),
      wanted,
    );
  assert.deepEqual(
    rows.map(({ version, state }) => [version, state]),
    [
      ["1.0.0", "completed"],
      ["1.0.1", "completed"],
    ],
  );
  assert.deepEqual(
    rows.map(({ parents }) => parents),
    [[], [rows[0]!["id"]]],
  );
  assert.match(String(rows[0]!["created"]), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);

  const [title, ...lines] = (await varve.ok(["versions", "p/d"])).stdout.trimEnd().split("\n");
  assert.equal(lines.length, 2);
  const at = title!.indexOf("state");
  for (const line of lines) assert.equal(line.indexOf("completed"), at, "columns line up");
});

test("versions without a name lists datasets", async () => {
  const rows = (await varve.ok(["versions", "--json"])).json() as Record<string, unknown>[];
  assert.deepEqual(
    rows.map(({ dataset, versions, latest }) => ({ dataset, versions, latest })),
    [{ dataset: "p/d", versions: 2, latest: "1.0.1" }],
  );
});

test("log tells a version and its ancestors, newest first", async () => {
  const steps = (await varve.ok(["log", "p/d", "--json"])).json() as Record<string, unknown>[];
  assert.deepEqual(
    steps.map(({ version, description }) => [version, description]),
    [
      ["1.0.1", ""],
      ["1.0.0", "the first"],
    ],
  );
  const { stdout } = await varve.ok(["log", "p/d"]);
  assert.match(stdout, /^p\/d@1\.0\.1 {2}completed/);
  assert.match(stdout, /parents p\/d@1\.0\.0\n/);
  assert.match(stdout, /1 added, 1 modified, .*1 renamed\n/);
});

test("ls lists a folder, everything, or one file; names that are not UTF-8 are told as bytes", async () => {
  const rows = (await varve.ok(["ls", "p/d@1.0.0", "--json"])).json() as Record<string, unknown>[];
  assert.deepEqual(
    rows.map(({ path }) => path),
    ["d", "gone", "link", "read.me", { bytes: "/g==" }],
  );
  const [file] = rows.filter(({ path }) => path === "read.me");
  assert.deepEqual(file, {
    path: "read.me",
    type: "file",
    size: 6,
    mode: "4751",
    mtime: "1969-12-31T23:59:59.999999999Z",
    sha256: createHash("sha256").update("hello\n").digest("hex"),
  });
  assert.deepEqual(
    rows.map(({ type }) => type),
    ["directory", "file", "symlink", "file", "file"],
  );
  assert.equal((await varve.ok(["ls", "p/d", "d"])).stdout, "binary\ndeep\n");
  assert.equal((await varve.ok(["ls", "-R", "p/d", "d"])).stdout, "d/binary\nd/deep\nd/deep/x\n");
  assert.equal((await varve.ok(["ls", "p/d", "d/binary"])).stdout, "binary\n");
  const missing = await varve(["ls", "p/d", "nowhere"]);
  assert.deepEqual([missing.code, missing.stdout], [3, ""]);
});

test("ls -l -R lines up and shows modes, sizes, times and link targets", async () => {
  const { stdout } = await varve.ok(["ls", "-l", "-R", "p/d@1.0.0"]);
  const lines = stdout.trimEnd().split("\n");
  assert.match(lines[0]!, /^mode +size +modified +name$/);
  assert.match(stdout, /^-rwsr-x--x +6 B +1969-12-31 23:59:59 +read\.me$/m);
  assert.match(stdout, /^lrwxrwxrwx .* link -> d$/m);
  const at = lines[0]!.indexOf("name");
  for (const line of lines.slice(1)) assert.equal(line[at - 1], " ", line);
});

test("cat prints the bytes of a file and nothing else", async () => {
  const child = varve.start(["cat", "p/d", "d/binary"]);
  const hash = createHash("sha256");
  child.child.stdout.setEncoding("latin1").on("data", (text: string) => hash.update(text, "latin1"));
  const { code, stderr } = await child.ended;
  assert.deepEqual([code, stderr], [0, ""]);
  assert.equal(hash.digest("hex"), createHash("sha256").update(BINARY).digest("hex"));
});

test("cat of what is no file fails: 3 for what is missing, 1 for a folder", async () => {
  const missing = await varve(["cat", "p/d", "gone"]);
  assert.deepEqual([missing.code, missing.stdout], [3, ""]);
  assert.equal(missing.stderr, 'varve: Cannot find "gone": the version has no such path\n');
  const folder = await varve(["cat", "p/d", "d"]);
  assert.equal(folder.code, 1);
  assert.match(folder.stderr, /it is a folder, not a file/);
});

test("diff of two versions tells what changed, both ways", async () => {
  const forth = (await varve.ok(["diff", "p/d@1.0.0", "p/d@1.0.1", "--json"])).json();
  const renamed = [{ from: "gone", to: "moved" }];
  const { metadata, ...rest } = forth as { metadata: unknown[] };
  assert.deepEqual(rest, { added: ["added"], modified: ["read.me"], removed: [], renamed });
  assert.ok(Array.isArray(metadata));
  const back = await varve.ok(["diff", "p/d@1.0.1", "p/d@1.0.0"]);
  assert.equal(back.stdout, "M  read.me\nD  added\nR  moved -> gone\n");
  assert.equal((await varve.ok(["diff", "p/d", "p/d@1.0.1"])).stdout, "No difference\n");
});

test("a reference that means nothing is not found, in every command", async () => {
  const id = "0".repeat(32);
  for (const args of [
    ["ls", "p/none"],
    ["log", "p/d@9"],
    ["cat", id, "x"],
    ["versions", "p/none"],
    ["diff", "p/d", "p/d@7"],
  ]) {
    const { code, stdout, stderr } = await varve(args);
    assert.deepEqual([code, stdout], [3, ""], args.join(" "));
    assert.match(stderr, /^varve: Cannot find the (version|dataset) /);
  }
});
