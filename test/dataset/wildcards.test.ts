import assert from "node:assert/strict";
import { homedir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { Dataset } from "../../src/dataset/dataset.js";
import { type WildcardOptions, isWildcard, wildcardsOf } from "../../src/dataset/wildcard.js";
import { bytesOfText } from "../../src/paths.js";
import { syncVersion } from "../../src/dataset/sync.js";
import { pathsOf, writeFolder } from "./support/folders.js";
import { testUser } from "./support/workspaces.js";

const FILES = [
  "a.jpg",
  "b.png",
  "B.JPG",
  ".hidden.jpg",
  "[1].jpg",
  "photo (1).jpeg",
  "train/c.jpg",
  "train/.cache/g.bin",
  "train/deep/d.jpg",
  "train/deep/e.txt",
  "test/f.jpg",
  "test/train/h.txt",
  "~/tilde",
];

/** The table of docs/wildcards.md: what each pattern takes of the files above, and what it takes with `recursive: false`. */
const TABLE: { pattern: string | readonly string[]; takes: string[]; flat?: string[] }[] = [
  {
    pattern: "*.jpg",
    takes: ["a.jpg", ".hidden.jpg", "[1].jpg", "train/c.jpg", "train/deep/d.jpg", "test/f.jpg"],
    flat: ["a.jpg", ".hidden.jpg", "[1].jpg"],
  },
  { pattern: "c.jpg", takes: ["train/c.jpg"], flat: [] },
  { pattern: "?.png", takes: ["b.png"] },
  { pattern: "*.JPG", takes: ["B.JPG"] },
  {
    pattern: "*",
    takes: FILES,
    flat: ["a.jpg", "b.png", "B.JPG", ".hidden.jpg", "[1].jpg", "photo (1).jpeg"],
  },
  { pattern: "./*.jpg", takes: ["a.jpg", ".hidden.jpg", "[1].jpg"] },
  { pattern: "train/*.jpg", takes: ["train/c.jpg"] },
  {
    pattern: "train/*",
    takes: ["train/c.jpg", "train/.cache/g.bin", "train/deep/d.jpg", "train/deep/e.txt"],
    flat: ["train/c.jpg"],
  },
  {
    pattern: "train",
    takes: ["train/c.jpg", "train/.cache/g.bin", "train/deep/d.jpg", "train/deep/e.txt", "test/train/h.txt"],
    flat: [],
  },
  {
    pattern: "./train/",
    takes: ["train/c.jpg", "train/.cache/g.bin", "train/deep/d.jpg", "train/deep/e.txt"],
    flat: [],
  },
  { pattern: "d*/", takes: ["train/deep/d.jpg", "train/deep/e.txt"], flat: [] },
  {
    pattern: "train/**/*.jpg",
    takes: ["train/c.jpg", "train/deep/d.jpg"],
    flat: ["train/deep/d.jpg"],
  },
  { pattern: "train//./deep/*.jpg", takes: ["train/deep/d.jpg"] },
  { pattern: "**/*.txt", takes: ["train/deep/e.txt", "test/train/h.txt"], flat: [] },
  { pattern: "**/train/*.txt", takes: ["test/train/h.txt"] },
  { pattern: "t*/[cf].jpg", takes: ["train/c.jpg", "test/f.jpg"] },
  {
    pattern: "[!ab].*",
    takes: [
      "train/c.jpg",
      "train/.cache/g.bin",
      "train/deep/d.jpg",
      "train/deep/e.txt",
      "test/f.jpg",
      "test/train/h.txt",
      "B.JPG",
    ],
    flat: ["B.JPG"],
  },
  { pattern: "[a-c].*", takes: ["a.jpg", "b.png", "train/c.jpg"], flat: ["a.jpg", "b.png"] },
  { pattern: "*.{png,txt}", takes: ["b.png", "train/deep/e.txt", "test/train/h.txt"], flat: ["b.png"] },
  { pattern: "\\[1\\].jpg", takes: ["[1].jpg"] },
  { pattern: "[[]1].jpg", takes: ["[1].jpg"] },
  { pattern: "*(1).jp*", takes: ["photo (1).jpeg"] },
  { pattern: "!*.jpg", takes: [] },
  { pattern: ["*.png", "test/*.jpg"], takes: ["b.png", "test/f.jpg"] },
];

function taken(patterns: string | readonly string[], options: WildcardOptions = {}): string[] {
  const wildcards = wildcardsOf(patterns, options);
  return FILES.filter((path) => wildcards.takes(bytesOfText(path)));
}

for (const { pattern, takes, flat = takes } of TABLE) {
  const shown = JSON.stringify(pattern);
  test(`${shown} takes just these files, and without folders below these`, () => {
    assert.deepEqual(taken(pattern).sort(), [...takes].sort());
    assert.deepEqual(taken(pattern, { recursive: false }).sort(), [...flat].sort());
  });

  test(`${shown} means the same files when adding, syncing, listing and removing`, async (t) => {
    const { open, scratch } = await testUser(t);
    const workspace = open();
    writeFolder(scratch, Object.fromEntries(FILES.map((path) => [path, path])));
    const all = await Dataset.create("p/all", { workspace });
    await all.addFiles(scratch);
    for (const [recursive, matches] of [
      [true, takes],
      [false, flat],
    ] as const) {
      const wanted = [...matches].sort();
      const added = await Dataset.create("p/added", { workspace });
      await added.addFiles(scratch, { wildcards: pattern, recursive });
      assert.deepEqual(await filesIn(added), wanted);
      const synced = await Dataset.create("p/synced", { workspace });
      await synced.addFiles(scratch);
      await synced.syncFolder(scratch, { wildcards: pattern, recursive });
      assert.deepEqual(await filesIn(synced), wanted);
      assert.deepEqual(await filesIn(all, { wildcards: pattern, recursive }), wanted);
      // What has no wildcard is a path there, and no name at any depth.
      if (typeof pattern !== "string" || !isWildcard(pattern)) continue;
      const removed = await Dataset.create("p/removed", { workspace });
      await removed.addFiles(scratch);
      if (wanted.length === 0)
        await assert.rejects(removed.removeFiles(pattern, { recursive }), { code: "path-missing" });
      else assert.equal(await removed.removeFiles(pattern, { recursive }), wanted.length);
      assert.deepEqual(await filesIn(removed), FILES.filter((path) => !wanted.includes(path)).sort());
    }
  });
}

async function filesIn(draft: Dataset, options = {}): Promise<string[]> {
  return (await pathsOf(draft, options)).filter((path) => !path.endsWith("/"));
}

test("of local files a pattern may be absolute or begin with ~; in a dataset / is its root and ~ a name", () => {
  const under = "/data/set";
  assert.deepEqual(taken("/data/set/*.png", { under }), ["b.png"]);
  assert.deepEqual(taken("/data/*/train/*.jpg", { under }), ["train/c.jpg"]);
  assert.deepEqual(taken("/data/**/*.txt", { under }), ["train/deep/e.txt", "test/train/h.txt"]);
  assert.deepEqual(taken("/data/s*", { under }), FILES);
  assert.deepEqual(taken("/data/other/*", { under }), []);
  assert.deepEqual(taken("~/x/*.png", { under: join(homedir(), "x") }), ["b.png"]);
  assert.deepEqual(taken("/*.png"), ["b.png"]);
  assert.deepEqual(taken("/c.jpg"), []);
  assert.deepEqual(taken("~/*"), ["~/tilde"]);
});

test("folders that no pattern can reach are not walked", () => {
  const wildcards = wildcardsOf(["train/*/x", "test/deep/{a,b}"]);
  const folders = ["", "train", "train/any", "test", "test/deep", "other", "trains"];
  assert.deepEqual(
    folders.filter((folder) => wildcards.mayNameBelow(folder)),
    ["", "train", "train/any", "test", "test/deep"],
  );
  assert.equal(wildcardsOf("*.jpg").mayNameBelow("any/where"), true);
});

test("what names nothing, leads upwards or is no text is refused", () => {
  for (const pattern of ["", "/", ".", "./", "../a", "a/../b"])
    assert.throws(() => wildcardsOf(pattern), { code: "bad-input" }, pattern);
  for (const wrong of [5, ["a", 5], { a: 1 }, null, new Set(["a"])])
    assert.throws(() => wildcardsOf(wrong as unknown as string), { code: "bad-input" });
});

test("a readonly tuple is a list", () => {
  const pictures = ["*.png", "c.*"] as const;
  assert.deepEqual(taken(pictures), ["b.png", "train/c.jpg"]);
});

test("adding by wildcard makes only the folders that something lies in, and whole those it names", async (t) => {
  const { open, scratch } = await testUser(t);
  writeFolder(scratch, { "a/b/keep.jpg": "1", "a/c/d/other.txt": "2", "e/f/": "", "g/h/": "" });
  const draft = await Dataset.create("p/d", { workspace: open() });
  await draft.addFiles(scratch, { wildcards: ["*.jpg", "e"] });
  assert.deepEqual(await pathsOf(draft), ["a/", "a/b/", "a/b/keep.jpg", "e/", "e/f/"]);
});

test("a folder added without its subfolders brings its own files only", async (t) => {
  const { open, scratch } = await testUser(t);
  writeFolder(scratch, { a: "1", "sub/b": "2" });
  const draft = await Dataset.create("p/d", { workspace: open() });
  await draft.addFiles(scratch, { recursive: false });
  assert.deepEqual(await pathsOf(draft), ["a"]);
});

test("a path that looks like a wildcard and exists is that path, added, listed or removed", async (t) => {
  const { open, scratch } = await testUser(t);
  writeFolder(scratch, { "[a].txt": "1", a: "2", "a.txt": "3", "x*/y": "4", "xx/y": "5" });
  const draft = await Dataset.create("p/d", { workspace: open() });
  await draft.addFiles([join(scratch, "[a].txt"), join(scratch, "x*")]);
  assert.deepEqual(await pathsOf(draft), ["[a].txt", "y"]);
  await draft.addFiles(scratch);
  assert.deepEqual(await pathsOf(draft, {}, "x*"), ["x*/y"]);
  await draft.removeFiles("[a].txt");
  assert.deepEqual((await pathsOf(draft)).slice(0, 2), ["a", "a.txt"]);
});

test("a path to add may be a pattern: its fixed part is the folder that is walked", async (t) => {
  const { open, scratch } = await testUser(t);
  writeFolder(scratch, { "data/a.jpg": "1", "data/b.txt": "2", "data/deep/c.jpg": "3", "d (1)/e.jpg": "4" });
  const workspace = open();
  const cases = {
    "data/*.jpg": ["a.jpg"],
    "data/**/*.jpg": ["a.jpg", "deep/c.jpg"],
    "d*/*.txt": ["data/b.txt"],
    "d (1)/*": ["e.jpg"],
  };
  for (const [pattern, wanted] of Object.entries(cases)) {
    const draft = await Dataset.create("p/d", { workspace });
    await draft.addFiles(join(scratch, pattern), { to: "x" });
    assert.deepEqual(
      await filesIn(draft),
      wanted.map((path) => `x/${path}`),
      pattern,
    );
  }
  const draft = await Dataset.create("p/d", { workspace });
  const both = [join(scratch, "data/a.jpg"), join(scratch, "data/*.gif")];
  await assert.rejects(draft.addFiles(both), { code: "not-found", message: /nothing matches it/ });
  assert.deepEqual(await pathsOf(draft), []);
});

test("a sync by wildcard holds what it names and nothing else", async (t) => {
  const { open, scratch } = await testUser(t);
  const workspace = open();
  writeFolder(scratch, { "a.jpg": "1", "b.txt": "2", "c/d.jpg": "3" });
  await syncVersion(scratch, "p/d", { workspace });
  const { committed } = await syncVersion(scratch, "p/d", { workspace, wildcards: "*.jpg" });
  assert.deepEqual([committed?.removed, committed?.files], [1, 2]);
});
