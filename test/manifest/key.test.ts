import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { EntryType } from "../../src/manifest/entry.js";
import {
  RANGE_ENTRIES_MAX,
  RANGE_WEIGHT_MAX_BYTES,
  compareKeys,
  comparePaths,
  cutsAfter,
  keyHash,
  keyOf,
  pathOfKey,
  weightOf,
} from "../../src/manifest/key.js";
import { parentOf } from "../../src/paths.js";
import { MiB } from "../../src/units.js";
import { MemoryRanges, PATHS, directory, file, hashFor, path } from "./support.js";

test("the root sorts first, ancestors before descendants, and the children of a directory lie together", () => {
  const order = [path(""), ...PATHS].sort(comparePaths);
  assert.equal(order[0], "");
  for (const at of order) assert.ok(at === "" || comparePaths(parentOf(at), at) < 0);
  const parents = order.slice(1).map(parentOf);
  assert.equal(new Set(parents).size, parents.filter((parent, i) => parent !== parents[i - 1]).length);
});

test("paths compare as their keys do, and keys as their bytes do", () => {
  fc.assert(
    fc.property(fc.constantFrom(...PATHS), fc.constantFrom(...PATHS), (a, b) => {
      const [left, right] = [keyOf(a), keyOf(b)];
      const bytes = Buffer.compare(Buffer.from(left, "latin1"), Buffer.from(right, "latin1"));
      assert.equal(compareKeys(left, right), bytes);
      assert.equal(comparePaths(a, b), bytes);
      assert.equal(pathOfKey(left), a);
    }),
  );
});

test("the hash of a key is what the format says, for ever", () => {
  const hashes = ["", "\0", "\0a", "a/b\0c.txt", "\xff\0\xfe"].map((key) => keyHash(key).toString(16));
  // Computed apart from this code, from the definitions of FNV-1a and fmix32.
  assert.deepEqual(hashes, ["ab3e7c0b", "578ab1b", "956e1d12", "1700fa79", "428d8308"]);
});

test("ranges of ordinary names hold 2,048 entries on average and never more than 8,192", async () => {
  const names = Array.from({ length: 40_000 }, (_, i) => file(`${i}.jpg`, "x"));
  const { root } = await new MemoryRanges().build([directory(""), ...names]);
  const counts = Array.from({ length: root.rangeCount }, (_, i) => root.rangeAt(i).totals.entries);
  assert.ok(Math.max(...counts) <= RANGE_ENTRIES_MAX);
  assert.ok(Math.abs(40_001 / root.rangeCount - 2_048) < 700, `${root.rangeCount} ranges`);
});

test("a range ends at its limits of entries and of weight, whatever the key's hash", () => {
  const key = keyOf(path("plain name"));
  assert.equal(cutsAfter(key, 1, 1), false);
  assert.equal(cutsAfter(key, RANGE_ENTRIES_MAX, 1), true);
  assert.equal(cutsAfter(key, 1, RANGE_WEIGHT_MAX_BYTES), true);
});

test("the weight of an entry counts what the content digest covers and nothing else", () => {
  const key = keyOf(path("a/f"));
  const plain = file("a/f", "content", { sizeBytes: 2 * MiB + 1 });
  const dressed = {
    ...plain,
    mode: 0o4755,
    uid: 7,
    mtimeSec: -1,
    xattrs: new Map([["user.a", Buffer.alloc(1000)]]),
    chunks: [],
  };
  assert.equal(weightOf(plain, key), 64 + 3 + 3 * 48);
  assert.equal(weightOf(dressed, key), weightOf(plain, key));
  const link = { ...plain, type: EntryType.link, url: "https://x/y", pin: "etag:1" };
  assert.equal(weightOf({ ...link, sha256: undefined }, key), 64 + 3 + 11 + 6);
  assert.equal(weightOf({ ...link, sha256: hashFor("") }, key), 64 + 3);
});
