import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isDatasetError } from "../../src/errors.js";
import { editTree } from "../../src/manifest/edit.js";
import {
  type Edit,
  type Entry,
  EntryType,
  type FileEntry,
  type LinkableEntry,
  hardLinksOf,
  isLinkable,
} from "../../src/manifest/entry.js";
import { sameLogicalEntry } from "../../src/manifest/entry-compare.js";
import type { TreePath } from "../../src/paths.js";
import {
  MemoryRanges,
  PATHS,
  REMOTE,
  chunkOf,
  cuttingName,
  directory,
  entriesOf,
  file,
  firstOf,
  grouped,
  identityOf,
  path,
  sorted,
  treeEntries,
} from "./support.js";

/** Edits that lead from one tree to another; `spare` also puts and removes what needs neither. */
function editsBetween(
  from: ReadonlyMap<TreePath, Entry>,
  to: ReadonlyMap<TreePath, Entry>,
  spare: boolean,
): Edit[] {
  const edits: Edit[] = [];
  for (const at of new Set([path(""), ...PATHS])) {
    const [before, after] = [from.get(at), to.get(at)];
    const same = before && after ? sameLogicalEntry(before, after) : before === after;
    if (!same || spare) edits.push(after ?? { path: at, type: 0 });
  }
  return sorted(edits);
}

test("a tree after any edits is the tree built anew from what it holds, by ranges, digests and totals", async () => {
  const steps = fc.array(fc.tuple(treeEntries, fc.boolean()), { minLength: 2, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(steps, async (trees) => {
      const ranges = new MemoryRanges();
      let before = new Map<TreePath, Entry>();
      let tree = await ranges.build([]);
      for (const [after, spare] of trees) {
        tree = ranges.tree(await ranges.edit(tree, editsBetween(before, after, spare)));
        before = after;
      }
      assert.deepEqual(identityOf(tree), identityOf(await new MemoryRanges().build(before.values())));
      const logical = (entry: Entry) => ({ ...entry, chunks: [] });
      assert.deepEqual(entriesOf(tree).map(logical), sorted(before.values()).map(logical));
    }),
    { numRuns: 100 },
  );
});

/** What paths are linked with after `edits`, as the contract in `edit-links.ts` says it, pair by pair. */
function expectedAfter(base: ReadonlyMap<TreePath, Entry>, edits: readonly Edit[]): Map<TreePath, Entry> {
  const result = new Map(base);
  const edited = new Map(edits.map((edit) => [edit.path, edit]));
  for (const edit of edits)
    if (edit.type === 0) result.delete(edit.path);
    else result.set(edit.path, edit);
  const files = [...result.values()].filter(isLinkable);
  const groupOf = new Map(files.map((one) => [one.path, one.path]));
  const linked = (a: LinkableEntry, b: LinkableEntry) => {
    if (!edited.has(a.path) && !edited.has(b.path)) return firstOf(a) === firstOf(b);
    return edited.has(a.path) && a.hardLinks?.includes(b.path) === true && contentOf(a) === contentOf(b);
  };
  for (const a of files)
    for (const b of files)
      if (linked(a, b)) {
        const [from, to] = [groupOf.get(a.path)!, groupOf.get(b.path)!];
        for (const [at, group] of groupOf) if (group === from) groupOf.set(at, to);
      }
  return grouped(result, ({ path: at }) => groupOf.get(at));
}

test("hard links stay canonical whichever members are replaced, removed, added or named by an edit", async () => {
  const change = fc.record({
    at: fc.nat(1000),
    kind: fc.constantFrom("remove" as const, "plain" as const, "link" as const),
    to: fc.nat(1000),
  });
  await fc.assert(
    fc.asyncProperty(treeEntries, fc.array(change, { maxLength: 8 }), async (base, changes) => {
      const files = [...base.values()].filter(isLinkable);
      fc.pre(files.length > 0);
      const edits = new Map<TreePath, Edit>();
      for (const { at, kind, to } of changes) {
        const [subject, object] = [files[at % files.length]!, files[to % files.length]!];
        const plain = { ...object, hardLinks: undefined };
        if (kind === "remove") edits.set(subject.path, { path: subject.path, type: 0 });
        else if (kind === "plain") edits.set(subject.path, { ...plain, path: subject.path });
        else edits.set(subject.path, { ...plain, path: subject.path, hardLinks: [object.path] });
      }
      const list = sorted(edits.values());
      const ranges = new MemoryRanges();
      const tree = ranges.tree(await ranges.edit(await ranges.build(base.values()), list));
      const expected = await new MemoryRanges().build(expectedAfter(base, list).values());
      assert.deepEqual(entriesOf(tree).map(linksOf), entriesOf(expected).map(linksOf));
      assert.deepEqual(identityOf(tree), identityOf(expected));
    }),
    { numRuns: 200 },
  );
});

function linksOf(entry: Entry) {
  return { path: entry.path, hardLinks: hardLinksOf(entry) };
}

function contentOf(entry: LinkableEntry): string {
  return entry.type === EntryType.symlink ? entry.target : entry.sha256;
}

function many(count: number): Entry[] {
  const names = Array.from({ length: count }, (_, i) => `d/file ${String(i).padStart(6, "0")}`);
  return [directory(""), directory("d"), ...names.map((name) => file(name, "some content"))];
}

test("an edit of one entry loads one range and puts one", async () => {
  const ranges = new MemoryRanges();
  const tree = await ranges.build(many(20_000));
  assert.ok(tree.root.rangeCount > 4);
  ranges.forget();
  const edited = await ranges.edit(tree, [file("d/file 015000", "other")]);
  assert.equal(ranges.loads.length, 1);
  assert.deepEqual(
    [ranges.puts.length, edited.putRanges, edited.putBytes],
    [1, 1, ranges.puts[0]!.bytes.length],
  );
});

function elsewhere(at: FileEntry): FileEntry {
  return { ...at, chunks: [chunkOf(at.sha256, at.sizeBytes, "another pack")] };
}

test("edits that say what the tree says already load ranges and put none", async () => {
  const ranges = new MemoryRanges();
  const tree = await ranges.build(many(3_000));
  ranges.forget();
  const edits = [
    elsewhere(file("d/file 000007", "some content")),
    { path: path("d/nothing"), type: 0 } as const,
  ];
  const edited = await ranges.edit(tree, edits);
  assert.deepEqual([ranges.puts.length, edited.putRanges, edited.putBytes], [0, 0, 0]);
});

test("an entry put again beside one that changes keeps the base's places of bytes", async () => {
  const ranges = new MemoryRanges();
  const [same, other] = [file("a"), file("b")];
  const tree = await ranges.build([directory(""), same, other]);
  const edited = await ranges.edit(tree, [elsewhere(same), file("b", "changed")]);
  assert.deepEqual(entriesOf(ranges.tree(edited)), [directory(""), same, file("b", "changed")]);
});

test("a directory made a file is refused also when its children lie in a range that no edit touches", async () => {
  const ranges = new MemoryRanges();
  const folder = cuttingName(path(""), "folder");
  const tree = await ranges.build([directory(""), directory(folder), file(`${folder}/child`)]);
  assert.equal(tree.root.rangeCount, 2);
  const replaced = ranges.edit(tree, [file(folder)]);
  await assert.rejects(replaced, (error) => isDatasetError(error, "bad-input"));
});

test("removing the second of two hard links makes the first a plain file and sends its range once", async () => {
  const ranges = new MemoryRanges();
  const [a, z] = ["a", "z"].map((name) => file(name, "same")) as [FileEntry, FileEntry];
  const tree = await ranges.build([
    directory(""),
    { ...a, hardLinks: [z.path] },
    { ...z, hardLinks: [a.path] },
  ]);
  ranges.forget();
  const edited = await ranges.edit(tree, [{ path: z.path, type: 0 }]);
  assert.deepEqual(entriesOf(ranges.tree(edited)), [directory(""), a]);
  assert.equal(ranges.puts.length, 1);
});

const whole = [directory(""), directory("d"), directory("d/e"), file("d/e/f"), file("g")];
const removal = (at: string): Edit => ({ path: path(at), type: 0 });

for (const [name, edits] of Object.entries<Edit[]>({
  "puts a file into a directory that is not there": [file("no/where")],
  "puts a file below a file": [file("g/h")],
  "puts a file below a file it puts": [file("new"), file("new/below")],
  "removes a directory and leaves its child": [removal("d")],
  "removes an inner directory and leaves its child": [removal("d/e")],
  "makes a directory a file and leaves its children": [file("d")],
  "removes a directory and puts a child into it": [
    removal("d"),
    removal("d/e"),
    file("d/new"),
    removal("d/e/f"),
  ],
  "makes the root a file": [file("")],
  "removes the root and leaves the rest": [removal("")],
  "comes out of order": [file("y"), file("x")],
  "names a path twice": [file("x"), file("x")],
  "holds a path that cannot be": [file("x\0y")],
  "holds a name that is no byte string": [file("x\u{1f600}")],
  "holds a chunk list that does not make up the size": [{ ...file("x", "long"), sizeBytes: 5 }],
}))
  test(`an edit that ${name} is refused as bad-input`, async () => {
    const ranges = new MemoryRanges();
    const tree = await ranges.build(whole);
    await assert.rejects(ranges.edit(tree, edits), (error) => isDatasetError(error, "bad-input"));
  });

test("a directory removed with all that it holds, in any range, is gone", async () => {
  const ranges = new MemoryRanges();
  const entries = [...many(9_000), file("z")];
  const tree = await ranges.build(entries);
  const removals = entries.slice(1, -1).map(({ path: at }): Edit => ({ path: at, type: 0 }));
  assert.deepEqual(entriesOf(ranges.tree(await ranges.edit(tree, sorted(removals)))), [
    directory(""),
    file("z"),
  ]);
  const partly = sorted(removals).slice(0, -1);
  await assert.rejects(ranges.edit(tree, partly), (error) => isDatasetError(error, "bad-input"));
});

test("a failed put fails the edit", async () => {
  const { load } = new MemoryRanges();
  const put = () => Promise.reject(new Error("no room"));
  await assert.rejects(editTree(undefined, many(10), { load, put, remote: REMOTE }), /no room/);
});
