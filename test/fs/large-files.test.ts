/** Whether a version may hold a large file, from its root and the ranges that happen to be here. */
import assert from "node:assert/strict";
import { test } from "node:test";

import type { Block, LocalBlocks } from "../../src/cache/block.js";
import type { RemoteId, Sha256 } from "../../src/content/chunk.js";
import { LargeFiles } from "../../src/fs/large-files.js";
import { rangeLoader } from "../../src/fs/range-loader.js";
import { openRoot } from "../../src/manifest/root.js";
import { Tree } from "../../src/manifest/tree.js";
import { KiB, MiB } from "../../src/units.js";
import { memoryRemote } from "../support/memory-remote.js";
import { type Item, putVersion } from "./support/version.js";

const REMOTE = "0123456789abcdef0123456789abcdef" as RemoteId;

/** A version of which nothing is here but its root; `arrive` brings what was asked for. */
async function versionOf(items: readonly Item[]) {
  const remote = memoryRemote();
  const root = await putVersion(remote, REMOTE, items);
  const here = new Map<Sha256, Uint8Array>();
  const asked: Block[] = [];
  const blocks: LocalBlocks = { copy: () => false, get: (hash) => here.get(hash) };
  const tree = new Tree(openRoot(remote.objects.get(root.key)!), rangeLoader(blocks));
  const large = new LargeFiles(tree, (ahead) => asked.push(...ahead));
  const arrive = () => asked.forEach(({ hash, key }) => here.set(hash, remote.objects.get(key)!));
  return { large, asked, arrive };
}

function files(count: number, sizeBytes: number): Item[] {
  return Array.from({ length: count }, (_, n) => ({ path: `f${n}`, content: Buffer.alloc(sizeBytes, n) }));
}

test("a version of less than 16 MiB holds no large file, and nothing is fetched to know it", async () => {
  const { large, asked } = await versionOf(files(15, 1 * MiB));
  assert.deepEqual([large.mayExist(1), asked], [false, []]);
});

test("many small files of 16 MiB and more together may be one large file until their range is here, which is asked for once", async () => {
  const { large, asked, arrive } = await versionOf(files(40, 512 * KiB));
  assert.deepEqual([large.mayExist(1), large.mayExist(2), asked.length], [true, true, 1]);
  arrive();
  assert.deepEqual([large.mayExist(1), large.mayExist(2), asked.length], [false, false, 1]);
});

test("one file of 16 MiB is enough, and stays so", async () => {
  const { large, arrive } = await versionOf([
    ...files(3, 1),
    { path: "large", content: Buffer.alloc(16 * MiB) },
  ]);
  const before = large.mayExist(1);
  arrive();
  assert.deepEqual([before, large.mayExist(1), large.mayExist(4)], [true, true, true]);
});
