import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, relative } from "node:path";
import { test } from "node:test";

import { Dataset } from "../../src/dataset/dataset.js";
import { EntryType } from "../../src/manifest/entry.js";
import { NO_COUNTS, pathsOf, textIn, writeFolder } from "./support/folders.js";
import { testUser } from "./support/workspaces.js";

test("a file goes under its own name, under another, or keeps its path below a base", async (t) => {
  const { open, scratch } = await testUser(t);
  writeFolder(scratch, { "deep/er/a": "1", "deep/b": "2" });
  const draft = await Dataset.create("p/d", { workspace: open() });
  const a = join(scratch, "deep/er/a");
  await draft.addFiles(a);
  await draft.addFiles(a, { to: "t" });
  await draft.addFiles(a, { as: "/x/named" });
  await draft.addFiles([a, join(scratch, "deep")], { localBaseFolder: scratch, datasetPath: "base" });
  const files = (await pathsOf(draft)).filter((path) => !path.endsWith("/"));
  assert.deepEqual(files, ["a", "base/deep/b", "base/deep/er/a", "t/a", "x/named"]);
});

test("where files go is said in one way, and what cannot be meant is refused with nothing staged", async (t) => {
  const { open, scratch } = await testUser(t);
  writeFolder(scratch, { "d/a": "1", b: "2" });
  const draft = await Dataset.create("p/d", { workspace: open() });
  const b = join(scratch, "b");
  const wrong: [string | string[], object, RegExp][] = [
    [b, { to: "x", datasetPath: "y" }, /name one/],
    [b, { as: "x/" }, /whole path/],
    [b, { as: "x", to: "y" }, /no datasetPath/],
    [join(scratch, "d"), { as: "x" }, /one single file/],
    [[b, join(scratch, "d/a")], { as: "x" }, /one single file/],
    [[join(scratch, "d/a"), b], { localBaseFolder: join(scratch, "d") }, /does not lie in/],
    [b, { wildcard: "*" }, /wildcard/],
    [[], {}, /none of them empty/],
    ["", {}, /none of them empty/],
    [[b, 5 as unknown as string], {}, /text/],
  ];
  for (const [paths, options, message] of wrong)
    await assert.rejects(draft.addFiles(paths, options), { code: "bad-input", message });
  assert.deepEqual(await pathsOf(draft), []);
});

test("~ is the home folder, unless something is called so", async (t) => {
  const { open, scratch } = await testUser(t);
  writeFolder(scratch, { "~/a": "1" });
  const draft = await Dataset.create("p/d", { workspace: open() });
  const before = process.cwd();
  process.chdir(scratch);
  t.after(() => process.chdir(before));
  await draft.addFiles("~");
  assert.deepEqual(await pathsOf(draft), ["a"]);
  process.chdir(before);
  await assert.rejects(draft.addFiles(`~/${relative(homedir(), scratch)}/none`), { code: "not-found" });
  await draft.addFiles(`~/${relative(homedir(), scratch)}/~`, { to: "again" });
  assert.deepEqual(await pathsOf(draft), ["a", "again/", "again/a"]);
});

test("symbolic links are kept, or followed to what they lead to; never in circles", async (t) => {
  const { open, scratch } = await testUser(t);
  writeFolder(scratch, {
    "data/real": "content",
    "data/folder/x": "inside",
    "in/file": { target: "../data/real" },
    "in/folder": { target: "../data/folder" },
    "in/loop": { target: "." },
    "in/nothing": { target: "gone" },
  });
  const draft = await Dataset.create("p/d", { workspace: open() });
  const kept = await draft.addFiles(join(scratch, "in"), { to: "kept" });
  assert.deepEqual(kept, { ...NO_COUNTS, added: 4, files: 4 });
  const followed = await draft.addFiles(join(scratch, "in"), { to: "followed", symlinks: "follow" });
  assert.deepEqual(followed, {
    ...NO_COUNTS,
    added: 2,
    files: 2,
    skipped: [
      { path: join(scratch, "in/loop"), reason: "a link to a folder it lies in" },
      { path: join(scratch, "in/nothing"), reason: "a link to nothing that can be read" },
    ],
  });
  await draft.finalize({ autoUpload: true });
  const below = (await pathsOf(draft)).filter((path) => path.startsWith("followed/"));
  assert.deepEqual(below, ["followed/", "followed/file", "followed/folder/", "followed/folder/x"]);
  assert.equal(await textIn(draft, "followed/file"), "content");
  assert.equal((await draft.entry("kept/folder")).type, EntryType.symlink);
});

test("what a .varveignore names is left out, by the rules of a .gitignore, deeper ones overruling", async (t) => {
  const { open, scratch } = await testUser(t);
  writeFolder(scratch, {
    ".varveignore": "# comment\n*.tmp\n/top\nbuild/\n!keep.tmp\nbracket\\[1\\]\n",
    "a.tmp": "",
    "keep.tmp": "",
    top: "",
    TOP: "",
    "bracket[1]": "",
    "build/x": "",
    "sub/top": "",
    "sub/a.tmp": "",
    "sub/.varveignore": "!a.tmp\n/only-here\nnot/deep\n*.log\n",
    "sub/only-here": "",
    "only-here": "",
    "sub/not/deep": "",
    "sub/x/not/deep": "",
    "sub/x/l.log": "",
    "l.log": "",
    "sub [odd]!/.varveignore": "\\!name\nplain\n",
    "sub [odd]!/!name": "",
    "sub [odd]!/deeper/plain": "",
    "sub [odd]!/kept": "",
    plain: "",
  });
  const workspace = open();
  const draft = await Dataset.create("p/d", { workspace });
  await draft.addFiles(scratch);
  const files = (await pathsOf(draft)).filter((path) => !path.endsWith("/"));
  assert.deepEqual(files, [
    ".varveignore",
    "TOP",
    "keep.tmp",
    "l.log",
    "only-here",
    "plain",
    "sub [odd]!/.varveignore",
    "sub [odd]!/kept",
    "sub/.varveignore",
    "sub/a.tmp",
    "sub/top",
    "sub/x/not/deep",
  ]);
  await draft.addFiles(join(scratch, "top"));
  assert.ok((await pathsOf(draft)).includes("top"), "a file that the user names is taken");
  const synced = await draft.syncFolder(scratch);
  assert.equal(synced.removed, 1, "to a sync what is ignored is not there");
  const all = await Dataset.create("p/d", { workspace });
  assert.equal((await all.addFiles(scratch, { ignoreFiles: false })).files, 21);
});

test("adding again what waits for its upload changes nothing, and what was added counts once", async (t) => {
  const { open, scratch } = await testUser(t);
  writeFolder(scratch, { a: "1", b: "2" });
  const draft = await Dataset.create("p/d", { workspace: open() });
  await draft.addFiles(scratch);
  assert.deepEqual(await draft.addFiles(scratch), { ...NO_COUNTS, unchanged: 2, files: 2 });
  writeFileSync(join(scratch, "b"), "changed");
  assert.deepEqual(await draft.addFiles(scratch), { ...NO_COUNTS, unchanged: 1, modified: 1, files: 2 });
  await draft.upload();
  assert.deepEqual(await draft.addFiles(scratch), { ...NO_COUNTS, unchanged: 2, files: 2 });
  assert.deepEqual([draft.isDirty, (await draft.finalize()).added], [false, 2]);
});

test("a draft is dirty while something waits for its upload, and not for a removal", async (t) => {
  const { open, scratch } = await testUser(t);
  writeFolder(scratch, { a: "1", b: "2" });
  const draft = await Dataset.create("p/d", { workspace: open() });
  const dirty = [draft.isDirty];
  await draft.addFiles(join(scratch, "a"));
  dirty.push(draft.isDirty);
  await draft.upload();
  dirty.push(draft.isDirty);
  await draft.addFiles(join(scratch, "b"));
  await draft.removeFiles("a");
  dirty.push(draft.isDirty);
  await draft.removeFiles("b");
  dirty.push(draft.isDirty);
  assert.deepEqual(dirty, [false, true, false, true, false]);
  assert.equal((await draft.finalize()).files, 0);
});

test("a link whose bytes are known stays a link when the same file is synced; others become files", async (t) => {
  const { open, scratch } = await testUser(t);
  writeFolder(scratch, {
    "source/known": "11",
    "source/unknown": "22",
    "local/known": "11",
    "local/unknown": "22",
  });
  const draft = await Dataset.create("p/d", { workspace: open() });
  await draft.addExternalFiles(`file://${scratch}/source/known`, { hash: true });
  await draft.addExternalFiles(`file://${scratch}/source/unknown`);
  const counts = await draft.syncFolder(join(scratch, "local"));
  assert.deepEqual(counts, { ...NO_COUNTS, unchanged: 1, modified: 1, files: 2 });
  await draft.finalize({ autoUpload: true });
  const types = await Promise.all(["known", "unknown"].map(async (path) => (await draft.entry(path)).type));
  assert.deepEqual(types, [EntryType.link, EntryType.file]);
});

test("a path of over 4,095 bytes is named and left as it is in the draft; the rest goes on", async (t) => {
  const { open, scratch } = await testUser(t);
  mkdirSync(scratch);
  writeFolder(scratch, { beside: "1" });
  const deep = "import os\nfor _ in range(20): os.mkdir('d' * 250); os.chdir('d' * 250)\nopen('f', 'w')";
  execFileSync("python3", ["-c", deep], { cwd: scratch });
  const draft = await Dataset.create("p/d", { workspace: open() });
  const { files, skipped } = await draft.syncFolder(scratch).finally(() => {
    execFileSync("rm", ["-rf", scratch]); // Node's own rm fails at such paths
  });
  assert.deepEqual([files, skipped.length], [1, 1]);
  assert.match(skipped[0]!.reason, /over 4,095 bytes/);
});

test("files, folders, wildcards and URLs of links are removed by one call, or none of them", async (t) => {
  const { open, scratch } = await testUser(t);
  writeFolder(scratch, {
    "files/a": "1",
    "files/d/x": "2",
    "files/d/e/y": "3",
    "files/b.tmp": "4",
    "files/[1]": "5",
    "files/1": "6",
    "out/l": "7",
    "out/m": "8",
  });
  const draft = await Dataset.create("p/d", { workspace: open() });
  const fill = async () => {
    await draft.addFiles(join(scratch, "files"));
    await draft.addExternalFiles(`file://${scratch}/out/`);
  };
  await fill();
  const cases: [string | string[], string[], object?][] = [
    ["d", ["d/x", "d/e/y"]],
    ["d/", ["d/x", "d/e/y"]],
    ["/d", ["d/x", "d/e/y"]],
    ["d", ["d/x"], { recursive: false }],
    ["*", ["[1]", "1", "a", "b.tmp", "l", "m"], { recursive: false }],
    ["[1]", ["[1]"]],
    ["\\[1\\]", ["[1]"]],
    [
      ["[12]", "*.tmp", "d/e"],
      ["1", "b.tmp", "d/e/y"],
    ].slice(0, 2) as [string[], string[]],
    [`file://${scratch}/out/l`, ["l"]],
    [
      [`file://${scratch}/out/`, "a"],
      ["l", "m", "a"],
    ],
  ];
  for (const [patterns, wanted, options = {}] of cases) {
    const selected: string[] = [];
    for await (const { path } of draft.selectFiles(patterns, options)) selected.push(path);
    assert.deepEqual(selected.sort(), [...wanted].sort(), String(patterns));
    assert.equal(await draft.removeFiles(patterns, options), wanted.length);
    const left = await pathsOf(draft);
    assert.deepEqual(
      wanted.filter((path) => left.includes(path)),
      [],
    );
    await fill();
  }
  for (const nothing of [[], "", "/", ".", "a/", "none", ["a", "none"], "../a"] as (string | string[])[])
    await assert.rejects(draft.removeFiles(nothing));
  assert.equal((await pathsOf(draft)).filter((path) => !path.endsWith("/")).length, 8);
});
