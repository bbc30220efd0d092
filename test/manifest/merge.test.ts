import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Entry, EntryType } from "../../src/manifest/entry.js";
import { mergeEdits, mergeTrees } from "../../src/manifest/merge.js";
import type { Tree } from "../../src/manifest/tree.js";
import { type TreePath, isWithin } from "../../src/paths.js";
import {
  MemoryRanges,
  REMOTE,
  alikeTreeEntries,
  directory,
  entriesOf,
  file,
  firstOf,
  grouped,
  identityOf,
  path,
  treeEntries,
} from "./support.js";

type Entries = ReadonlyMap<TreePath, Entry>;

async function merge(ranges: MemoryRanges, trees: Tree[]): Promise<Tree> {
  return ranges.tree(await mergeTrees(trees, { load: ranges.load, put: ranges.put, remote: REMOTE }));
}

/** Later wins, path by path; each entry stays linked with those it came with. */
function model(...trees: Entries[]): Map<TreePath, Entry> {
  const merged = new Map<TreePath, { entry: Entry; from: number }>();
  trees.forEach((tree, from) => {
    for (const entry of tree.values()) {
      const isDirectory = entry.type === EntryType.directory;
      for (const at of merged.keys()) if (!isDirectory && isWithin(at, entry.path)) merged.delete(at);
      merged.set(entry.path, { entry, from });
    }
  });
  const entries = new Map([...merged].map(([at, { entry }]) => [at, entry]));
  return grouped(entries, (entry) => entry.hardLinks && `${merged.get(entry.path)!.from} ${firstOf(entry)}`);
}

test("merged trees hold what a map filled tree by tree holds, folders, files and hard links included", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(treeEntries, { minLength: 1, maxLength: 3 }), async (maps) => {
      const ranges = new MemoryRanges();
      const trees: Tree[] = [];
      for (const map of maps) trees.push(await ranges.build(map.values()));
      const merged = await merge(ranges, trees);
      const expected = await ranges.build(model(...maps).values());
      assert.deepEqual(
        entriesOf(merged).map(({ path: at }) => at),
        entriesOf(expected).map(({ path: at }) => at),
      );
      assert.deepEqual(identityOf(merged), identityOf(expected));
    }),
    { numRuns: 120 },
  );
});

test("a tree merged with itself or with nothing is itself, and writes nothing", async () => {
  await fc.assert(
    fc.asyncProperty(treeEntries, async (map) => {
      const ranges = new MemoryRanges();
      const [tree, empty] = [await ranges.build(map.values()), await ranges.build([])];
      ranges.forget();
      for (const trees of [[tree], [tree, tree], [tree, empty]])
        assert.deepEqual(identityOf(await merge(ranges, trees)), identityOf(tree));
      assert.deepEqual([ranges.puts.length, ranges.loads.length], [0, 0]);
      assert.deepEqual(identityOf(await merge(ranges, [empty, tree])), identityOf(tree));
    }),
    { numRuns: 40 },
  );
});

test("merging is associative where no path is a directory in one tree and something else in another", async () => {
  await fc.assert(
    fc.asyncProperty(alikeTreeEntries, alikeTreeEntries, alikeTreeEntries, async (first, second, third) => {
      const ranges = new MemoryRanges();
      const [a, b, c] = [
        await ranges.build(first.values()),
        await ranges.build(second.values()),
        await ranges.build(third.values()),
      ];
      const left = await merge(ranges, [await merge(ranges, [a, b]), c]);
      const right = await merge(ranges, [a, await merge(ranges, [b, c])]);
      assert.deepEqual(identityOf(left), identityOf(right));
      assert.deepEqual(identityOf(left), identityOf(await merge(ranges, [a, b, c])));
    }),
    { numRuns: 60 },
  );
});

test("a file over a folder ends all that lay below it, and nothing beside it", async () => {
  const ranges = new MemoryRanges();
  const base = [
    directory(""),
    directory("a"),
    directory("a!"),
    file("a!/x"),
    directory("a/b"),
    file("a/b/c"),
    file("a/d"),
    file("a0"),
  ];
  const other = [directory(""), file("a", "now a file")];
  const merged = await merge(ranges, [await ranges.build(base), await ranges.build(other)]);
  assert.deepEqual(entriesOf(merged), [directory(""), other[1], directory("a!"), file("a0"), file("a!/x")]);
});

test("a merge splits a hard-link group of which the later tree replaces a member", async () => {
  const ranges = new MemoryRanges();
  const [a, b, c] = ["a", "b", "c"].map((name) => file(name, "same")) as [Entry, Entry, Entry];
  const links = (...names: string[]) => ({ hardLinks: names.map(path) });
  const base = [
    directory(""),
    { ...a, ...links("b", "c") },
    { ...b, ...links("a") },
    { ...c, ...links("a") },
  ] as Entry[];
  const other = [directory(""), file("a", "replaced")];
  const merged = await merge(ranges, [await ranges.build(base), await ranges.build(other)]);
  assert.deepEqual(entriesOf(merged), [
    directory(""),
    other[1],
    { ...b, ...links("c") },
    { ...c, ...links("b") },
  ]);
});

test("paths that the later tree links are linked as it says, not with what the earlier one linked them with", async () => {
  const ranges = new MemoryRanges();
  const [a, b, c] = ["a", "b", "c"].map((name) => file(name, "same")) as [Entry, Entry, Entry];
  const links = (...names: string[]) => ({ hardLinks: names.map(path) });
  const base = [
    directory(""),
    { ...a, ...links("b", "c") },
    { ...b, ...links("a") },
    { ...c, ...links("a") },
  ] as Entry[];
  const other = [directory(""), { ...a, ...links("c") }, { ...c, ...links("a") }] as Entry[];
  const merged = await merge(ranges, [await ranges.build(base), await ranges.build(other)]);
  assert.deepEqual(entriesOf(merged), [directory(""), other[1], b, other[2]]);
});

test("merging a tree with a small change into its origin loads only the ranges that changed", async () => {
  const ranges = new MemoryRanges();
  const names = Array.from({ length: 20_000 }, (_, i) => file(`d/${i}`, "x"));
  const base = await ranges.build([directory(""), directory("d"), ...names]);
  const other = ranges.tree(await ranges.edit(base, [file("d/777", "changed")]));
  assert.ok(base.root.rangeCount > 5);
  ranges.forget();
  const edits = [];
  for await (const edit of mergeEdits(base, other, ranges.load)) edits.push(edit);
  assert.deepEqual(edits, [file("d/777", "changed")]);
  assert.equal(ranges.loads.length, 2);
});
