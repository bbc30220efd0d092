import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Change, type TreeDiff, diffTrees, findRenames } from "../../src/manifest/diff.js";
import { type Edit, type Entry, EntryType } from "../../src/manifest/entry.js";
import { sameLogicalEntry } from "../../src/manifest/entry-compare.js";
import type { Tree } from "../../src/manifest/tree.js";
import {
  MemoryRanges,
  PATHS,
  chunkOf,
  directory,
  file,
  hashFor,
  identityOf,
  path,
  sorted,
  treeEntries,
} from "./support.js";

async function changesBetween(ranges: MemoryRanges, a: Tree, b: Tree): Promise<Change[]> {
  const changes: Change[] = [];
  for await (const change of diffTrees(a, b, ranges.load)) changes.push(change);
  return changes;
}

function editOf(change: Change): Edit {
  return change.kind === "removed" ? { path: change.path, type: 0 } : change.after;
}

test("a diff applied to the first tree gives the second, and names what differs and nothing else", async () => {
  await fc.assert(
    fc.asyncProperty(treeEntries, treeEntries, async (first, second) => {
      const ranges = new MemoryRanges();
      const [a, b] = [await ranges.build(first.values()), await ranges.build(second.values())];
      const changes = await changesBetween(ranges, a, b);
      const differing = sorted([path(""), ...PATHS].map((at) => ({ path: at }))).filter(({ path: at }) => {
        const [before, after] = [first.get(at), second.get(at)];
        return before && after ? !sameLogicalEntry(before, after) : before !== after;
      });
      assert.deepEqual(
        changes.map(({ path: at }) => at),
        differing.map(({ path: at }) => at),
      );
      assert.deepEqual(identityOf(ranges.tree(await ranges.edit(a, changes.map(editOf)))), identityOf(b));
    }),
    { numRuns: 120 },
  );
});

const F = file("f", "content");

for (const [name, kind, changes] of [
  ["content", "modified", file("f", "CONTENT")],
  ["size", "modified", file("f", "longer content")],
  ["executable bits", "modified", { ...F, mode: 0o744 }],
  ["type", "modified", { ...directory("f"), type: EntryType.symlink, target: "x" }],
  ["mode", "metadata", { ...F, mode: 0o600 }],
  ["time", "metadata", { ...F, mtimeNsec: 5 }],
  ["owner", "metadata", { ...F, uid: 5 }],
  ["extended attributes", "metadata", { ...F, xattrs: new Map([["user.a", Buffer.from("b")]]) }],
  ["holes", "metadata", { ...F, holes: [[0, 4]] }],
  ["places of bytes", undefined, { ...F, chunks: [chunkOf(F.sha256, F.sizeBytes, "another pack")] }],
] as [string, string | undefined, Entry][])
  test(`a file of another ${name} is ${kind ?? "no change"}`, async () => {
    const ranges = new MemoryRanges();
    const [a, b] = [await ranges.build([directory(""), F]), await ranges.build([directory(""), changes])];
    assert.deepEqual(
      (await changesBetween(ranges, a, b)).map((change) => change.kind),
      kind ? [kind] : [],
    );
  });

test("a link is modified by its source, unless its known hash says that the bytes are the same", async () => {
  const link = (url: string, sha256?: string) =>
    ({
      ...directory("l"),
      type: EntryType.link,
      sizeBytes: 1,
      url,
      pin: "",
      ...(sha256 && { sha256 }),
    }) as Entry;
  const kinds = async (before: Entry, after: Entry) => {
    const ranges = new MemoryRanges();
    const [a, b] = [await ranges.build([directory(""), before]), await ranges.build([directory(""), after])];
    return (await changesBetween(ranges, a, b)).map(({ kind }) => kind);
  };
  const hash = hashFor("x");
  assert.deepEqual(await kinds(link("https://a"), link("https://b")), ["modified"]);
  assert.deepEqual(await kinds(link("https://a"), link("https://a", hash)), ["modified"]);
  assert.deepEqual(await kinds(link("https://a", hash), link("https://b", hash)), ["metadata"]);
});

test("a diff of large trees loads only the ranges that one of them has", async () => {
  const ranges = new MemoryRanges();
  const names = Array.from({ length: 20_000 }, (_, i) => file(`d/${i}`, "x"));
  const a = await ranges.build([directory(""), directory("d"), ...names]);
  const b = ranges.tree(await ranges.edit(a, [file("d/100", "changed"), file("d/15000", "changed")]));
  ranges.forget();
  assert.deepEqual(
    (await changesBetween(ranges, a, b)).map((change) => change.path),
    ["d/100", "d/15000"],
  );
  assert.ok(ranges.loads.length <= 4);
});

async function renamesBetween(before: Entry[], after: Entry[]): Promise<TreeDiff> {
  const ranges = new MemoryRanges();
  const [a, b] = [
    await ranges.build([directory(""), ...before]),
    await ranges.build([directory(""), ...after]),
  ];
  return findRenames(await changesBetween(ranges, a, b));
}

const NOTHING: TreeDiff = { added: [], modified: [], metadata: [], removed: [], renamed: [] };

test("a moved file is renamed, to its own name first, then within its folder, then in order", async () => {
  const folders = [directory("a"), directory("b")];
  const before = [...folders, file("a/one", "same"), file("a/two", "same"), file("a/zoo", "same")];
  const after = [...folders, file("a/new", "same"), file("b/any", "same"), file("b/two", "same")];
  const renamed = [
    { from: path("a/one"), to: path("a/new") },
    { from: path("a/two"), to: path("b/two") },
    { from: path("a/zoo"), to: path("b/any") },
  ];
  assert.deepEqual(await renamesBetween(before, after), { ...NOTHING, renamed });
});

test("each file is renamed once; copies are added and further originals removed", async () => {
  const diff = await renamesBetween([file("a", "same")], [file("b", "same"), file("c", "same")]);
  assert.deepEqual(diff, { ...NOTHING, added: ["c"], renamed: [{ from: "a", to: "b" }] });
  const back = await renamesBetween([file("b", "same"), file("c", "same")], [file("a", "same")]);
  assert.deepEqual(back, { ...NOTHING, removed: ["c"], renamed: [{ from: "b", to: "a" }] });
});

test("empty files and symbolic links are never renamed", async () => {
  const link = (at: string) => ({ ...directory(at), type: EntryType.symlink, target: "x" }) as Entry;
  const diff = await renamesBetween([file("a", ""), link("l")], [file("b", ""), link("m")]);
  assert.deepEqual(diff, { ...NOTHING, added: ["b", "m"], removed: ["a", "l"] });
});

test("a moved folder is renamed with the folders in it, what was deleted from it is removed", async () => {
  const before = [directory("old"), directory("old/sub"), file("old/sub/x"), file("old/sub/gone")];
  const after = [directory("new"), directory("new/sub"), file("new/sub/x", "old/sub/x")];
  const renamed = [
    { from: path("old"), to: path("new") },
    { from: path("old/sub"), to: path("new/sub") },
    { from: path("old/sub/x"), to: path("new/sub/x") },
  ];
  assert.deepEqual(await renamesBetween(before, after), { ...NOTHING, removed: ["old/sub/gone"], renamed });
});

test("a folder whose files went two ways is removed, not renamed", async () => {
  const before = [directory("old"), file("old/x"), file("old/y")];
  const after = [directory("n1"), directory("n2"), file("n1/x", "old/x"), file("n2/y", "old/y")];
  const { removed, added, renamed } = await renamesBetween(before, after);
  assert.deepEqual([removed, added], [["old"], ["n1", "n2"]]);
  assert.equal(renamed.length, 2);
});
