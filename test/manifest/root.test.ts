import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { EMPTY_SHA256, type Sha256 } from "../../src/content/chunk.js";
import type { SegmentRef } from "../../src/content/segment.js";
import { isDatasetError } from "../../src/errors.js";
import { sha256 } from "../../src/content/hash.js";
import { keyOf } from "../../src/manifest/key.js";
import { outlineOf } from "../../src/manifest/outline.js";
import { type RangeRef, type Root, blockOfRange, encodeRoot, openRoot } from "../../src/manifest/root.js";
import { OTHER_REMOTE, REMOTE, hashFor, path } from "./support.js";

function ref(number: number, changes: Partial<RangeRef> = {}): RangeRef {
  return {
    firstKey: keyOf(path(number === 0 ? "" : `folder/${String(number).padStart(8, "0")}`)),
    id: hashFor(`id ${number}`),
    content: hashFor(`content ${number}`),
    object: hashFor(`object ${number}`),
    objectBytes: 200_000 + number,
    logicalBytes: 150_000 + number,
    totals: {
      entries: 10 + number,
      files: 1,
      directories: 2,
      symlinks: 3,
      links: 4 + number,
      contentBytes: 2 ** 40,
    },
    remote: number % 2 === 0 ? REMOTE : OTHER_REMOTE,
    ...changes,
  };
}

const SEGMENTS: SegmentRef[] = [1, 2].map((number) => ({
  remote: number === 1 ? OTHER_REMOTE : REMOTE,
  id: hashFor(`segment ${number}`),
  headerHash: hashFor(`header ${number}`),
  headerBytes: 4096,
  sizeBytes: 2 ** 40 + number,
  chunkCount: 1_000_000,
}));
const RANGES = [ref(0), ref(1), ref(2)];
const BYTES = encodeRoot({ remote: REMOTE, ranges: RANGES, segments: SEGMENTS });

function rangesOf(root: Root): RangeRef[] {
  return Array.from({ length: root.rangeCount }, (_, i) => root.rangeAt(i));
}

test("a root gives back its ranges, segments and remote, and the totals and digests that follow from the ranges", () => {
  const root = openRoot(BYTES);
  assert.deepEqual(rangesOf(root), RANGES);
  assert.deepEqual(root.segments, SEGMENTS);
  assert.equal(root.remote, REMOTE);
  assert.deepEqual(root.totals, {
    entries: 33,
    files: 3,
    directories: 6,
    symlinks: 9,
    links: 15,
    contentBytes: 3 * 2 ** 40,
  });
  const over = (hashes: Sha256[]) => sha256(Buffer.from(hashes.join(""), "hex"));
  assert.equal(root.treeDigest, over(RANGES.map(({ id }) => id)));
  assert.equal(root.contentDigest, over(RANGES.map(({ content }) => content)));
});

test("a root finds ranges by key and by ordinal", () => {
  const root = openRoot(BYTES);
  assert.deepEqual(
    ["", "\0", "folder\0", "folder\x0000000001", "folder\x0000000001x", "g"].map((key) =>
      root.rangeOfKey(key),
    ),
    [-1, 0, 0, 1, 1, 2],
  );
  assert.deepEqual(
    [0, 9, 10, 20, 21, 32].map((ordinal) => root.rangeOfOrdinal(ordinal)),
    [0, 0, 1, 1, 2, 2],
  );
  assert.deepEqual(
    [0, 1, 2, 3].map((number) => root.ordinalAt(number)),
    [0, 10, 21, 33],
  );
});

test("a tree without entries has a root without ranges", () => {
  const root = openRoot(encodeRoot({ remote: REMOTE, ranges: [], segments: [] }));
  assert.deepEqual([root.rangeCount, root.totals.entries, root.rangeOfKey("\0")], [0, 0, -1]);
});

test("the digests of a tree do not depend on the objects that hold its ranges", () => {
  const moved = RANGES.map((range) => ({
    ...range,
    object: hashFor("elsewhere"),
    objectBytes: 1,
    remote: OTHER_REMOTE,
  }));
  const root = openRoot(encodeRoot({ remote: OTHER_REMOTE, ranges: moved, segments: [] }));
  const { treeDigest, contentDigest } = openRoot(BYTES);
  assert.deepEqual([root.treeDigest, root.contentDigest], [treeDigest, contentDigest]);
});

test("a range is fetched as one whole object, named by its hash", () => {
  const { object } = RANGES[1]!;
  assert.deepEqual(blockOfRange(RANGES[1]!), {
    hash: object,
    sizeBytes: 200_001,
    storedBytes: 200_001,
    remote: OTHER_REMOTE,
    key: `ranges/${object.slice(0, 2)}/${object}`,
    offset: 0,
    codec: 0,
  });
});

test("a root of 10,000,000 entries is about a megabyte and opens without making its references", () => {
  const totals = { entries: 2000, files: 2000, directories: 0, symlinks: 0, links: 0, contentBytes: 1 };
  const ranges = Array.from({ length: 5_000 }, (_, i) => ref(i, { totals }));
  const bytes = encodeRoot({ remote: REMOTE, ranges, segments: [] });
  assert.ok(bytes.length < 1_200_000, `${bytes.length} bytes`);
  const root = openRoot(bytes);
  assert.equal(root.totals.entries, 10_000_000);
  assert.deepEqual(root.rangeAt(4_321), ranges[4_321]);
});

function patched(change: (bytes: Buffer) => void): Uint8Array {
  const bytes = Buffer.from(BYTES);
  change(bytes);
  return bytes;
}

for (const [name, bytes, version] of [
  ["a newer format", patched((root) => root.writeUInt16LE(3, 4)), 3],
  ["more levels", patched((root) => root.writeUInt16LE(2, 6)), 1],
] as const)
  test(`a root of ${name} is refused as format-newer`, () => {
    assert.throws(
      () => openRoot(bytes),
      (error) => isDatasetError(error, "format-newer") && error.data.version === version,
    );
  });

for (const [name, ranges] of Object.entries({
  "does not start with the root directory": [ref(1)],
  "has first keys out of order": [ref(0), ref(2), ref(1)],
  "has the same first key twice": [ref(0), ref(1), ref(1)],
  "has a first key that is none": [ref(0), ref(1, { firstKey: "a" as RangeRef["firstKey"] })],
  "has a first key with a path that cannot be": [
    ref(0),
    ref(1, { firstKey: "a/..\0b" as RangeRef["firstKey"] }),
  ],
  "has a range without entries": [
    ref(0, { totals: { ...ref(0).totals, files: 0, directories: 0, symlinks: 0, links: 0 } }),
  ],
}))
  test(`a root that ${name} is refused as format-damaged`, () => {
    const bytes = encodeRoot({ remote: REMOTE, ranges, segments: [] });
    assert.throws(
      () => openRoot(bytes),
      (error) => isDatasetError(error, "format-damaged"),
    );
  });

/** As ranges are made now: the first has no file of several chunks, the others have. */
const SAYING = RANGES.map((range, number) => ({
  ...range,
  chunkLists: number === 0 ? EMPTY_SHA256 : hashFor(`chunks ${number}`),
}));
const SAYING_BYTES = encodeRoot({ remote: REMOTE, ranges: SAYING, segments: SEGMENTS });

test("a root says which chunks files consist of where all its ranges do, and else is of the first format", () => {
  assert.deepEqual(rangesOf(openRoot(SAYING_BYTES)), SAYING);
  assert.equal(SAYING_BYTES.length - BYTES.length, 4 + 2 * 36);
  const [first, ...others] = SAYING;
  const partly = encodeRoot({
    remote: REMOTE,
    ranges: [{ ...first!, chunkLists: undefined }, ...others],
    segments: SEGMENTS,
  });
  assert.deepEqual(partly, BYTES);
  assert.deepEqual([Buffer.from(BYTES).readUInt16LE(4), Buffer.from(SAYING_BYTES).readUInt16LE(4)], [1, 2]);
});

test("the outline of a tree changes with all that its root says but with places", () => {
  const outline = (ranges: readonly RangeRef[]) =>
    outlineOf(openRoot(encodeRoot({ remote: REMOTE, ranges, segments: [] })));
  const known = outline(SAYING);
  const changed = (changes: Partial<RangeRef>) =>
    outline([SAYING[0]!, { ...SAYING[1]!, ...changes }, SAYING[2]!]);
  assert.equal(changed({ object: hashFor("elsewhere"), objectBytes: 1, remote: REMOTE }), known);
  const { totals } = SAYING[1]!;
  for (const changes of [
    { id: hashFor("x") },
    { content: hashFor("x") },
    { chunkLists: EMPTY_SHA256 },
    { firstKey: keyOf(path("folder/00000001x")) },
    { logicalBytes: 1 },
    { totals: { ...totals, contentBytes: 1 } },
    { totals: { ...totals, files: totals.files + 1, directories: totals.directories - 1 } },
  ])
    assert.notEqual(changed(changes), known, JSON.stringify(changes));
  assert.equal(outline(RANGES), undefined);
});

test("chunk lists that are out of order, of no range, or of nothing make a root damaged", () => {
  const lists = SAYING_BYTES.length - RANGES.reduce((sum, { firstKey }) => sum + firstKey.length, 0) - 2 * 36;
  for (const [at, number] of [
    [lists, 2],
    [lists + 36, 1],
    [lists + 36, 3],
  ] as const) {
    const bytes = Buffer.from(SAYING_BYTES);
    bytes.writeUInt32LE(number, at);
    assert.throws(
      () => openRoot(bytes),
      (error) => isDatasetError(error, "format-damaged"),
    );
  }
  const empty = Buffer.from(SAYING_BYTES);
  empty.write(EMPTY_SHA256, lists + 4, "hex");
  assert.throws(
    () => openRoot(empty),
    (error) => isDatasetError(error, "format-damaged"),
  );
});

test("a root with any bytes changed is refused, or reads without a failure as what can be written", () => {
  const change = fc.record({
    at: fc.nat(BYTES.length - 1),
    width: fc.constantFrom(1, 2, 4),
    value: fc.oneof(fc.constantFrom(0, 1, 0x7fffffff, 0xffffffff), fc.nat(300), fc.nat()),
  });
  fc.assert(
    fc.property(
      fc.array(change, { minLength: 1, maxLength: 3 }),
      fc.option(fc.nat(BYTES.length)),
      (changes, length) => {
        const mutated = Buffer.from(BYTES);
        for (const { at, width, value } of changes)
          if (at + width <= mutated.length) mutated.writeUIntLE(value % 2 ** (8 * width), at, width);
        try {
          const root = openRoot(mutated.subarray(0, length ?? mutated.length));
          const again = openRoot(
            encodeRoot({ remote: root.remote, ranges: rangesOf(root), segments: root.segments }),
          );
          assert.deepEqual(rangesOf(again), rangesOf(root));
          const factsOf = ({ totals, treeDigest, contentDigest }: Root) => ({
            totals,
            treeDigest,
            contentDigest,
          });
          assert.deepEqual(factsOf(again), factsOf(root));
        } catch (error) {
          assert.ok(
            isDatasetError(error, "format-damaged") || isDatasetError(error, "format-newer"),
            String(error),
          );
        }
      },
    ),
    { numRuns: 3_000 },
  );
});
