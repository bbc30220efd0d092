import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Block, Missing } from "../../src/cache/block.js";
import { isDatasetError } from "../../src/errors.js";
import type { Range } from "../../src/manifest/range.js";
import { blockOfRange } from "../../src/manifest/root.js";
import { Tree } from "../../src/manifest/tree.js";
import { nameOf, parentOf } from "../../src/paths.js";
import { MemoryRanges, PATHS, directory, entriesOf, file, path, sorted, treeEntries } from "./support.js";

test("look-up and listing across ranges give what a search through all entries gives", async () => {
  let most = 0;
  await fc.assert(
    fc.asyncProperty(treeEntries, async (map) => {
      const entries = sorted(map.values());
      const tree = await new MemoryRanges().build(entries);
      most = Math.max(most, tree.root.rangeCount);
      assert.deepEqual(entriesOf(tree), entries);
      for (const at of [path(""), ...PATHS, path("nowhere/x"), path("\xff\xff")]) {
        const ordinal = entries.findIndex((entry) => entry.path === at);
        assert.equal(tree.find(at), ordinal < 0 ? undefined : ordinal);
        const { start, end } = tree.children(at);
        const children = entries.filter((entry) => entry.path !== "" && parentOf(entry.path) === at);
        assert.deepEqual(entries.slice(start, end), children);
      }
    }),
    { numRuns: 60 },
  );
  assert.ok(most > 3, "the trees span ranges");
});

test("what is asked of an ordinal agrees with its entry", async () => {
  const entries = [directory(""), file("a", "four"), directory("b"), file("b/c", "")];
  const tree = await new MemoryRanges().build(entries);
  assert.equal(tree.entryCount, 4);
  entries.forEach((entry, i) => {
    assert.deepEqual(
      [tree.path(i), tree.name(i), tree.type(i)],
      [entry.path, nameOf(entry.path), entry.type],
    );
    assert.deepEqual(tree.entry(i), entry);
  });
  assert.deepEqual([tree.size(1), tree.size(2), tree.chunks(1).length, tree.chunks(3).length], [4, 0, 1, 0]);
  assert.deepEqual([...tree.entries(1, 3)], entries.slice(1, 3));
});

test("nothing is found in a tree without entries", async () => {
  const tree = await new MemoryRanges().build([]);
  assert.deepEqual(
    [tree.find(path("")), tree.find(path("a")), tree.children(path(""))],
    [undefined, undefined, { start: 0, end: 0 }],
  );
});

async function wide(ranges: MemoryRanges): Promise<Tree> {
  const names = Array.from({ length: 12_000 }, (_, i) => file(`d/${String(i).padStart(5, "0")}`, "x"));
  return ranges.build([directory(""), directory("d"), directory("e"), file("e/f"), ...names]);
}

test("a look-up loads one range, a listing of any length two, and neighbours none", async () => {
  const ranges = new MemoryRanges();
  const built = await wide(ranges);
  const fresh = () => new Tree(built.root, ranges.read);
  assert.ok(built.root.rangeCount > 3);
  ranges.forget();
  const tree = fresh();
  const found = tree.find(path("d/06000"))!;
  for (let ordinal = found; ordinal < found + 5; ordinal++) tree.name(ordinal);
  assert.equal(ranges.loads.length, 1);
  ranges.forget();
  const { start, end } = fresh().children(path("d"));
  assert.equal(end - start, 12_000);
  assert.equal(ranges.loads.length, 2);
});

test("a tree whose ranges are not here throws Missing, and answers once they are", async () => {
  const ranges = new MemoryRanges();
  const built = await wide(ranges);
  const here = new Set<string>();
  const tree = new Tree(built.root, (ref): Range => {
    if (!here.has(ref.object)) throw new Missing([blockOfRange(ref)]);
    return ranges.read(ref);
  });
  const fetched: Block[] = [];
  const complete = <T>(ask: () => T): T => {
    for (;;)
      try {
        return ask();
      } catch (error) {
        if (!(error instanceof Missing)) throw error;
        fetched.push(...error.blocks);
        for (const { hash } of error.blocks) here.add(hash);
      }
  };
  assert.deepEqual(
    complete(() => tree.entry(tree.find(path("e/f"))!)),
    file("e/f"),
  );
  assert.equal(fetched.length, 1);
  assert.equal(complete(() => [...tree.entries()]).length, built.entryCount);
  assert.equal(fetched.length, built.root.rangeCount);
});

test("a loader that gives another range than the root names is not believed", async () => {
  const ranges = new MemoryRanges();
  const built = await wide(ranges);
  const tree = new Tree(built.root, () => ranges.read(built.root.rangeAt(1)));
  assert.throws(
    () => tree.find(path("")),
    (error) => isDatasetError(error, "format-damaged"),
  );
});
