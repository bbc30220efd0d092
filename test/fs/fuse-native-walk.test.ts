import assert from "node:assert/strict";
import { test } from "node:test";

import { Missing } from "../../src/cache/block.js";
import { FileSystemError } from "../../src/fs/errno.js";
import type { Attributes, FileSystem, Ino } from "../../src/fs/filesystem.js";
import { walking } from "../../src/fs/transport/fuse-native/walk.js";

/** `/a/b` as inodes 2 and 3, with how often each is held. */
function counting(): { fileSystem: FileSystem; held: Map<Ino, number> } {
  const held = new Map<Ino, number>();
  const children = new Map<string, Ino>([
    ["1/a", 2],
    ["2/b", 3],
  ]);
  const add = (ino: Ino, count: number) => void held.set(ino, (held.get(ino) ?? 0) + count);
  const fileSystem: Pick<FileSystem, "lookup" | "forget" | "getattr"> = {
    lookup: (parent, name) => {
      if (name === "far") throw new Missing([]);
      const ino = children.get(`${parent}/${name}`);
      if (ino !== undefined) add(ino, 1);
      return ino === undefined ? undefined : ({ ino } as Attributes);
    },
    forget: (ino, count) => add(ino, -count),
    getattr: (ino) => ({ ino }) as Attributes,
  };
  return { fileSystem: fileSystem as FileSystem, held };
}

test("a walk finds what lies at a path, the root included, and holds it only while it is used", () => {
  const { fileSystem, held } = counting();
  const during = walking(fileSystem, (walk) => [walk.at("/").ino, walk.at("/a/b").ino, ...held.values()]);
  assert.deepEqual(during, [1, 3, 1, 1]);
  assert.deepEqual(
    [...held],
    [
      [2, 0],
      [3, 0],
    ],
  );
});

test("a walk that ends in an error or in missing blocks lets go of all it held", () => {
  const { fileSystem, held } = counting();
  const at = (path: string) => () => walking(fileSystem, (walk) => walk.at(path));
  assert.throws(at("/a/none"), (thrown) => thrown instanceof FileSystemError && thrown.errno === "ENOENT");
  assert.throws(at("/a/b/far"), (thrown) => thrown instanceof Missing);
  assert.deepEqual(
    [...held],
    [
      [2, 0],
      [3, 0],
    ],
  );
});

test("what a walk keeps stays held: an open file outlives its name, and the folders above it", () => {
  const { fileSystem, held } = counting();
  const kept = walking(fileSystem, (walk) => {
    walk.at("/a/b");
    return walk.keep();
  });
  assert.deepEqual(kept, [2, 3]);
  assert.deepEqual(
    [...held],
    [
      [2, 1],
      [3, 1],
    ],
  );
});
