/** What a diff says of folders; what it says of files is tested where trees are compared. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { diffOf } from "../../src/dataset/version-diff.js";
import type { TreeDiff } from "../../src/manifest/diff.js";
import type { Entry } from "../../src/manifest/entry.js";
import { MemoryRanges, directory, file } from "../manifest/support.js";

async function diffBetween(before: Entry[], after: Entry[]): Promise<Partial<TreeDiff>> {
  const ranges = new MemoryRanges();
  const [a, b] = [await ranges.build(before), await ranges.build(after)];
  const diff = await diffOf(a, b, ranges.load);
  return Object.fromEntries(Object.entries(diff).filter(([, paths]) => (paths as unknown[]).length > 0));
}

/** A folder something came into or went from: it has a new time. */
const stirred = (at: string, changes: Partial<Entry> = {}) => directory(at, { mtimeNsec: 5, ...changes });

test("folders that came, went or have a new time because of what is in them are not listed", async () => {
  const before = [directory(""), directory("kept"), directory("old"), file("old/x"), file("kept/gone")];
  const after = [stirred(""), stirred("kept"), directory("new"), directory("new/sub"), file("new/sub/y")];
  assert.deepEqual(await diffBetween(before, after), {
    added: ["new/sub/y"],
    removed: ["kept/gone", "old/x"],
  });
});

test("an empty folder that came or went is listed, and one of another mode, owner or attributes", async () => {
  const names = ["attributes", "mode", "owner"];
  const before = [directory(""), directory("went"), ...names.map((at) => directory(at))];
  const xattrs = new Map([["user.a", Buffer.from("b")]]);
  const changed = [
    stirred("attributes", { xattrs }),
    stirred("mode", { mode: 0o700 }),
    directory("owner", { uid: 5 }),
  ];
  const after = [stirred(""), directory("came"), file("mode/new"), ...changed];
  assert.deepEqual(await diffBetween(before, after), {
    added: ["came", "mode/new"],
    metadata: names,
    removed: ["went"],
  });
});
