import assert from "node:assert/strict";
import { test } from "node:test";

import type { Attributes } from "../../src/fs/filesystem.js";
import {
  exactTextOf,
  isHiddenName,
  statOf,
  statvfsOf,
  timeOf,
} from "../../src/fs/transport/fuse-native/translate.js";
import { GiB } from "../../src/units.js";

test("a file system too large to count in small blocks is counted in larger ones", () => {
  const stats = { totalBytes: 2 ** 20 * GiB, freeBytes: 2 ** 19 * GiB, totalFiles: 2 ** 40, freeFiles: 5 };
  const { bsize, blocks, bfree, files, ffree } = statvfsOf(stats);
  assert.deepEqual([blocks * bsize, bfree * bsize], [stats.totalBytes, stats.freeBytes]);
  assert.ok(blocks < 2 ** 32);
  assert.deepEqual([files, ffree], [2 ** 32 - 1, 5]);
});

test("times go as whole milliseconds, never rounded up, and not before 1970", () => {
  const attributes = { mtimeSec: 1, mtimeNsec: 999_999_999, ctimeSec: -1, ctimeNsec: 0, allocatedBytes: 513 };
  const { mtime, ctime, blocks } = statOf(attributes as Attributes);
  assert.deepEqual([mtime, ctime, blocks], [1999, 0, 2]);
});

test("times come as milliseconds, and those before 1970 as if they were unsigned", () => {
  assert.deepEqual(
    [timeOf(1_500), timeOf(2 ** 64 - 2 ** 20)],
    [
      { sec: 1, nsec: 500_000_000 },
      { sec: -1049, nsec: 424_000_000 },
    ],
  );
});

test("a name goes as text only when it is UTF-8, and libfuse's own names are known", () => {
  assert.deepEqual([exactTextOf("\xc3\xbc"), exactTextOf("\xff")], ["ü", undefined]);
  assert.deepEqual(
    [".fuse_hidden0000000300000001", ".fuse_hidden", "fuse_hidden0000000300000001"].map(isHiddenName),
    [true, false, false],
  );
});
