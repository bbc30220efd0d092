import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Codec } from "../../src/content/chunk.js";
import { isDatasetError } from "../../src/errors.js";
import { type Entry, EntryType, type FileEntry } from "../../src/manifest/entry.js";
import { sameLogicalEntry } from "../../src/manifest/entry-compare.js";
import { keyOf } from "../../src/manifest/key.js";
import { type Range, encodeRange, openRange, openRangeOf } from "../../src/manifest/range.js";
import { nameOf, parentOf } from "../../src/paths.js";
import { MiB } from "../../src/units.js";
import {
  OTHER_REMOTE,
  PATHS,
  REMOTE,
  chunkOf,
  directory,
  file,
  hashFor,
  path,
  sorted,
  treeEntries,
} from "./support.js";

function open(entries: readonly Entry[]): Range {
  return openRange(encodeRange(entries, REMOTE).bytes, REMOTE);
}

function allOf(range: Range): Entry[] {
  return Array.from({ length: range.count }, (_, i) => range.entryAt(i));
}

/** One of everything that an entry can keep. */
const RICH: Entry[] = sorted([
  directory("", {
    mode: 0o1777,
    xattrs: new Map([
      ["user.b", Buffer.from("2")],
      ["user.\xff", Buffer.alloc(0)],
    ]),
  }),
  directory("dir", { uid: 0, gid: 4_294_967_295 }),
  file("dir/before 1970", "x", { mtimeSec: -2_208_988_800, mtimeNsec: 999_999_999 }),
  file("dir/empty", "", { mode: 0o4755 }),
  file("dir/\xe9\x80\n", "not UTF-8"),
  file("dir/far away", "far", { mtimeSec: 2 ** 52, sizeBytes: 3 }),
  {
    ...file("large", "large"),
    sizeBytes: 3 * MiB,
    chunks: [
      { ...chunkOf(hashFor("1"), MiB, "p1"), offset: 2 ** 40 },
      { ...chunkOf(hashFor("2"), MiB, "p2", OTHER_REMOTE), codec: Codec.brotli, storedBytes: 12 },
      chunkOf(hashFor("1"), MiB, "p1", OTHER_REMOTE),
    ],
    holes: [
      [0, 4096],
      [8192, 3 * MiB],
    ],
    hardLinks: [path("o"), path("dir/other")],
  },
  {
    ...directory("link"),
    type: EntryType.link,
    sizeBytes: 2 ** 45,
    url: "https://x/y?z=%20",
    pin: 'etag:"\xe9"',
  },
  {
    ...directory("link 2"),
    type: EntryType.link,
    sizeBytes: 0,
    url: "file:///x",
    pin: "",
    sha256: hashFor(""),
  },
  { ...directory("symlink"), type: EntryType.symlink, target: "../\xff" },
]);

test("a range gives back every field of every kind of entry", () => {
  assert.deepEqual(allOf(open(RICH)), RICH);
});

test("a range gives back random entries, and its parts agree with them", () => {
  fc.assert(
    fc.property(treeEntries, (tree) => {
      const entries = sorted(tree.values());
      const range = open(entries);
      assert.deepEqual(allOf(range), entries);
      entries.forEach((entry, i) => {
        assert.deepEqual(
          [range.keyAt(i), range.pathAt(i), range.nameAt(i)],
          [keyOf(entry.path), entry.path, nameOf(entry.path)],
        );
        assert.deepEqual(
          [range.typeAt(i), range.modeAt(i), range.uidAt(i)],
          [entry.type, entry.mode, entry.uid],
        );
        assert.equal(range.sizeAt(i), "sizeBytes" in entry ? entry.sizeBytes : 0);
        assert.equal(range.sha256At(i), "sha256" in entry ? entry.sha256 : undefined);
      });
    }),
    { numRuns: 50 },
  );
});

test("look-up and listing in a range give what a search through all entries gives", () => {
  fc.assert(
    fc.property(treeEntries, fc.nat(), (tree, start) => {
      const all = sorted(tree.values());
      const entries = all.slice(start % all.length);
      const range = open(entries);
      for (const at of [path(""), ...PATHS, path("nowhere/x"), path("zzz")]) {
        assert.equal(
          range.indexOf(parentOf(at), nameOf(at)),
          entries.findIndex((entry) => entry.path === at),
        );
        const children = entries.flatMap((entry, i) =>
          entry.path !== "" && parentOf(entry.path) === at ? [i] : [],
        );
        const span = range.childrenOf(at);
        assert.equal(span.end - span.start, children.length);
        if (children.length > 0) assert.equal(span.start, children[0]);
        const bound = entries.findIndex((entry) => keyOf(entry.path) >= keyOf(at));
        assert.equal(range.lowerBound(parentOf(at), nameOf(at)), bound < 0 ? entries.length : bound);
      }
    }),
    { numRuns: 50 },
  );
});

test("two entries compare in place as they do as objects", () => {
  fc.assert(
    fc.property(treeEntries, treeEntries, (one, two) => {
      const [a, b] = [sorted(one.values()), sorted(two.values())];
      const [left, right] = [open(a), open(b)];
      for (const [i, entry] of a.entries()) {
        const j = b.findIndex((other) => other.path === entry.path);
        if (j >= 0) assert.equal(left.sameLogical(i, right, j), sameLogicalEntry(entry, b[j]!));
      }
    }),
    { numRuns: 50 },
  );
});

const F = file("f", "content");

test("the identity covers all but the places of bytes, the content hash only content", () => {
  const root = directory("");
  const of = (changes: Partial<FileEntry>) => encodeRange([root, { ...F, ...changes }], REMOTE);
  const plain = of({});
  const moved = of({ chunks: [chunkOf(F.sha256, F.sizeBytes, "elsewhere", OTHER_REMOTE)] });
  assert.deepEqual(
    [moved.id === plain.id, moved.content === plain.content, moved.object === plain.object],
    [true, true, false],
  );
  const metadata: Partial<FileEntry>[] = [
    { mode: 0o600 },
    { mtimeSec: 1 },
    { mtimeNsec: 2 },
    { uid: 1 },
    { gid: 1 },
    { xattrs: new Map([["user.a", Buffer.alloc(1)]]) },
    { holes: [[0, 1]] },
    { hardLinks: [path("g")] },
  ];
  for (const changes of metadata) {
    const changed = of(changes);
    assert.deepEqual(
      [changed.id === plain.id, changed.content === plain.content],
      [false, true],
      JSON.stringify(changes),
    );
  }
  const other = file("f", "CONTENT");
  for (const changes of [
    { mode: 0o744 },
    { sha256: other.sha256, chunks: other.chunks },
    { path: path("g") },
  ])
    assert.notEqual(of(changes).content, plain.content, JSON.stringify(changes));
});

test("a link of known hash has the same content wherever it comes from; one of unknown hash has its source", () => {
  const link = (changes: object) => {
    const entry = {
      ...directory("l"),
      type: EntryType.link,
      sizeBytes: 1,
      url: "https://a",
      pin: "p",
      ...changes,
    };
    return encodeRange([entry], REMOTE).content;
  };
  const sha256 = hashFor("known");
  assert.equal(link({ sha256 }), link({ sha256, url: "https://b", pin: "q" }));
  assert.notEqual(link({}), link({ url: "https://b" }));
  assert.notEqual(link({}), link({ pin: "q" }));
  assert.notEqual(link({}), link({ sha256 }));
});

test("digests of known entries are what the format says, for ever", () => {
  const { id, content, object } = encodeRange(RICH, REMOTE);
  assert.deepEqual(
    { id, content, object },
    {
      id: "e58bbfa5f815e92890fe0eac048d1085809f07fdc5a05babe9be83cdbc8e475f",
      // Computed apart from this code, from the table in `content-digest.ts`.
      content: "94c5527e86e24f17e22829f5c39ee705ca521371fd81b54cf3e1f153973778d5",
      object: "c5d5e5fe9ebe863c886b8e836d018e29945d850320a73ae454e539230e72a0ee",
    },
  );
});

test("a thousand ordinary files take less than 105 bytes each", () => {
  const files = Array.from({ length: 1_000 }, (_, i) =>
    file(`images/train/IMG_${String(i).padStart(5, "0")}.jpg`, `${i}`),
  );
  const bytesEach = encodeRange(files, REMOTE).bytes.length / files.length;
  assert.ok(bytesEach < 105, `${bytesEach} bytes`);
});

for (const [name, entries] of Object.entries<Entry[]>({
  none: [],
  "out of order": [file("b"), file("a")],
  "of one path twice": [file("a"), file("a")],
  "with a dot-dot name": [file("a/..")],
  "with a slash doubled": [file("a//b")],
  "with a NUL": [file("a\0b")],
  "beyond bytes": [file("\u0100")],
  "with a size that is no whole number": [file("a", "", { sizeBytes: 0.5 })],
  "with a hash that is none": [file("a", "a", { sha256: "abc" as FileEntry["sha256"], chunks: [] })],
  "with nanoseconds of a whole second": [file("a", "a", { mtimeNsec: 1e9 })],
  "with a mode of more bits": [file("a", "a", { mode: 0o100644 })],
  "with holes beyond the end": [file("a", "a", { holes: [[0, 2]] })],
  "with an empty target": [{ ...directory("a"), type: EntryType.symlink, target: "" }],
  "that is the root and a file": [file("", "a")],
}))
  test(`entries ${name} are refused as bad-input`, () => {
    assert.throws(
      () => encodeRange(entries, REMOTE),
      (error) => isDatasetError(error, "bad-input"),
    );
  });

test("a range is opened for a reference only when it is what the reference names", () => {
  const { ref, bytes } = encodeRange(RICH, REMOTE);
  assert.equal(openRangeOf(bytes, ref).count, RICH.length);
  const lies = [
    { ...ref, id: hashFor("another") },
    { ...ref, firstKey: keyOf(path("a")) },
  ];
  for (const lie of [...lies, { ...ref, totals: { ...ref.totals, entries: 1 } }])
    assert.throws(
      () => openRangeOf(bytes, lie),
      (error) => isDatasetError(error, "format-damaged"),
    );
});

test("a range of a newer format is refused as such", () => {
  const bytes = Buffer.from(encodeRange(RICH, REMOTE).bytes);
  bytes.writeUInt16LE(2, 4);
  assert.throws(
    () => openRange(bytes, REMOTE),
    (error) => isDatasetError(error, "format-newer") && error.data.version === 2,
  );
});

/** Everything a reader may ask of a range. */
function readAll(range: Range): void {
  const entries = allOf(range);
  entries.forEach((entry, i) => {
    assert.equal(range.indexOf(parentOf(entry.path), nameOf(entry.path)), i);
    const { start, end } = range.childrenOf(parentOf(entry.path));
    assert.ok(entry.path === "" || (start <= i && i < end));
  });
  assert.equal(encodeRange(entries, REMOTE).id, range.id());
  assert.deepEqual(encodeRange(entries, REMOTE).totals, range.totals());
}

test("a range with any bytes changed is refused as damaged, or reads without a failure as valid entries", () => {
  const { bytes } = encodeRange(RICH, REMOTE);
  const change = fc.record({
    at: fc.oneof(fc.nat(400), fc.nat(bytes.length - 1)),
    width: fc.constantFrom(1, 2, 4),
    value: fc.oneof(fc.constantFrom(0, 1, 2, 3, 0x7fffffff, 0xffffffff, 0xfffffffe), fc.nat(300), fc.nat()),
  });
  let opened = 0;
  fc.assert(
    fc.property(
      fc.array(change, { minLength: 1, maxLength: 3 }),
      fc.option(fc.nat(bytes.length)),
      (changes, length) => {
        const mutated = Buffer.from(bytes);
        for (const { at, width, value } of changes)
          if (at + width <= mutated.length) mutated.writeUIntLE(value % 2 ** (8 * width), at, width);
        try {
          readAll(openRange(mutated.subarray(0, length ?? mutated.length), REMOTE));
          opened += 1;
        } catch (error) {
          assert.ok(
            isDatasetError(error, "format-damaged") || isDatasetError(error, "format-newer"),
            String(error),
          );
        }
      },
    ),
    { numRuns: 5_000 },
  );
  assert.ok(opened > 100, "changes of hashes, times and owners are no damage that a range could see");
});

test("a range with a byte more than its entries explain is refused as damaged", () => {
  const { bytes, logicalBytes } = encodeRange(
    [{ ...directory("l"), type: EntryType.symlink, target: "to" }],
    REMOTE,
  );
  const longer = Buffer.concat([
    bytes.subarray(0, logicalBytes),
    Buffer.alloc(1),
    bytes.subarray(logicalBytes),
  ]);
  const extras = logicalBytes - (4 + 1 + 2 + 2);
  for (const at of [8, 24, extras]) longer.writeUInt32LE(longer.readUInt32LE(at) + 1, at);
  assert.throws(
    () => openRange(longer, REMOTE),
    (error) => isDatasetError(error, "format-damaged"),
  );
});

test("bytes of anything else are refused as damaged", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      assert.throws(
        () => openRange(bytes, REMOTE),
        (error) => isDatasetError(error, "format-damaged"),
      );
    }),
  );
});
