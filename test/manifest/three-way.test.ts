/** The laws of three-way merges, over trees of every kind of entry. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";

import { editTree } from "../../src/manifest/edit.js";
import type { Entry } from "../../src/manifest/entry.js";
import { lostEdits } from "../../src/manifest/overridden.js";
import { type MergeTools, mergeThreeWay } from "../../src/manifest/three-way.js";
import { Tree } from "../../src/manifest/tree.js";
import { type TreePath, joinPath } from "../../src/paths.js";
import { MemoryRanges, REMOTE, directory, file, identityOf, path, treeEntries } from "./support.js";

const RUNS = { numRuns: 100 };

async function merged(ranges: MemoryRanges, base: Tree, earlier: Tree, later: Tree): Promise<Tree> {
  const options = { load: ranges.load, put: ranges.put, remote: REMOTE };
  const edited: MergeTools["edited"] = async (tree, edits) =>
    ranges.tree(await editTree(tree, edits, options));
  const { root } = await mergeThreeWay({ base, earlier, later }, { load: ranges.load, edited });
  return new Tree(root, ranges.read);
}

test("merging a tree with what came of it gives what came of it, from either side", async () => {
  await fc.assert(
    fc.asyncProperty(treeEntries, treeEntries, async (before, after) => {
      const ranges = new MemoryRanges();
      const [base, changed] = [await ranges.build(before.values()), await ranges.build(after.values())];
      assert.deepEqual(identityOf(await merged(ranges, base, base, changed)), identityOf(changed));
      assert.deepEqual(identityOf(await merged(ranges, base, changed, base)), identityOf(changed));
      assert.deepEqual(identityOf(await merged(ranges, base, changed, changed)), identityOf(changed));
    }),
    RUNS,
  );
});

test("any two trees merge to a whole tree, and every edit it lacks is told", async () => {
  await fc.assert(
    fc.asyncProperty(treeEntries, treeEntries, treeEntries, async (a, b, c) => {
      const ranges = new MemoryRanges();
      const [base, earlier, later] = [
        await ranges.build(a.values()),
        await ranges.build(b.values()),
        await ranges.build(c.values()),
      ];
      const result = await merged(ranges, base, earlier, later);
      const lost = await lostEdits({ base, earlier, later }, result, ranges.load);
      const told = new Set(lost.map(({ path: at }) => at));
      const at = (tree: Tree, where: TreePath) => contentAt(tree, where);
      for (const where of new Set([...a.keys(), ...b.keys(), ...c.keys()])) {
        const [was, one, other, is] = [base, earlier, later, result].map((tree) => at(tree, where));
        if (one === "directory" || other === "directory" || was === "directory" || told.has(where)) continue;
        if (one !== was) assert.equal(is, one);
        if (other !== was) assert.equal(is, other);
        if (one === was && other === was) assert.equal(is, was);
      }
    }),
    RUNS,
  );
});

test("edits of different files commute, and it is the same however they are grouped", async () => {
  const edit = fc.record({ where: fc.nat(11), what: fc.constantFrom("remove", "1", "2") });
  await fc.assert(
    fc.asyncProperty(fc.array(edit, { maxLength: 20 }), async (edits) => {
      const ranges = new MemoryRanges();
      const base = await ranges.build(filled([]));
      const [a, b, c] = await Promise.all(
        [0, 1, 2].map((side) => ranges.build(filled(edits.filter(({ where }) => where % 3 === side)))),
      );
      const all = identityOf(await ranges.build(filled(edits)));
      const join = (one: Tree, other: Tree) => merged(ranges, base, one, other);
      assert.deepEqual(identityOf(await join(await join(a!, b!), c!)), all);
      assert.deepEqual(identityOf(await join(a!, await join(b!, c!))), all);
      assert.deepEqual(identityOf(await join(await join(c!, b!), a!)), all);
    }),
    RUNS,
  );
});

/** Twelve files in three folders, after edits. */
function filled(edits: readonly { where: number; what: string }[]): Entry[] {
  const files = new Map([...Array(12).keys()].map((where) => [where, "0"]));
  for (const { where, what } of edits) {
    if (what === "remove") files.delete(where);
    else files.set(where, what);
  }
  const folders = ["x", "y", "x/z"];
  const entries = [...files].map(([where, what]) =>
    file(joinPath(path(folders[where % 3]!), `${where}`), what),
  );
  return [directory(""), ...folders.map((folder) => directory(folder)), ...entries];
}

/** What the content digest sees of a path, as text; a folder is one like any other. */
function contentAt(tree: Tree, where: TreePath): string | undefined {
  const ordinal = tree.find(where);
  if (ordinal === undefined) return undefined;
  const entry = tree.entry(ordinal);
  if (entry.type === 1) return "directory";
  if (entry.type === 3) return `to ${entry.target}`;
  if (entry.type === 4) return entry.sha256 ?? `${entry.url} ${entry.pin} ${entry.sizeBytes}`;
  return `${entry.sha256} ${(entry.mode & 0o111) !== 0}`;
}
