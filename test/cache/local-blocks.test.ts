import assert from "node:assert/strict";
import { test } from "node:test";
import { Worker } from "node:worker_threads";

import { openLocalBlocks } from "../../src/cache/local-blocks.js";
import { sha256 } from "../../src/content/hash.js";
import { KiB } from "../../src/units.js";
import { atEnd } from "../support/cleanup.js";
import { memoryRemote } from "../support/memory-remote.js";
import { tempDir } from "../support/temp.js";
import { bytesOf, cacheOf, objectsOf, packOf, textOf } from "./blocks.js";

const pack = packOf("packs/ab", ["hello", "world"]);
const hello = pack.blocks[0]!.hash;

test("what a cache has written to disk is here for another handle", async (t) => {
  const directory = await tempDir(t);
  const local = openLocalBlocks({ directory });
  atEnd(t, () => local.close());
  assert.equal(local.get(hello), undefined);
  const cache = await cacheOf(t, memoryRemote(objectsOf(pack)), { directory });
  await cache.readMany(pack.blocks);
  await cache.close();
  const target = Buffer.from(".....");
  assert.equal(local.copy(hello, 3, 5, target, 1), true);
  assert.equal(target.toString(), ".lo..");
  assert.equal(textOf(local.get(hello)), "hello");
});

test("a block handed over is here although the disk cannot be used", (t) => {
  const warnings: string[] = [];
  const local = openLocalBlocks({
    directory: "/dev/null/cache",
    onWarning: (message) => warnings.push(message),
  });
  atEnd(t, () => local.close());
  local.add(hello, Buffer.from("hello"));
  assert.equal(textOf(local.get(hello)), "hello");
  assert.deepEqual(warnings, ["disk cache bypassed"]);
});

test("memory is bounded: the block used least recently goes", async (t) => {
  const local = openLocalBlocks({ directory: await tempDir(t), memoryBytes: 10 * KiB });
  atEnd(t, () => local.close());
  const blocks = [1, 2, 3].map((seed) => bytesOf(seed, 4 * KiB));
  for (const block of blocks.slice(0, 2)) local.add(sha256(block), block);
  local.get(sha256(blocks[0]!));
  local.add(sha256(blocks[2]!), blocks[2]!);
  assert.deepEqual(
    blocks.map((block) => local.get(sha256(block)) !== undefined),
    [true, false, true],
  );
});

test("a range beyond a block in memory is refused", async (t) => {
  const local = openLocalBlocks({ directory: await tempDir(t) });
  atEnd(t, () => local.close());
  local.add(hello, Buffer.from("hello"));
  assert.throws(() => local.copy(hello, 0, 6, new Uint8Array(6), 0), RangeError);
});

test("a worker thread reads what the main thread's cache keeps", async (t) => {
  const directory = await tempDir(t);
  const cache = await cacheOf(t, memoryRemote(objectsOf(pack)), { directory });
  await cache.readMany(pack.blocks);
  await cache.close();
  const worker = new Worker(new URL("./local-worker.js", import.meta.url), {
    workerData: { directory, hash: hello },
  });
  const said = await new Promise((resolve, reject) => worker.once("message", resolve).once("error", reject));
  assert.equal(said, "hello");
});

test("close() twice is the same as once", async (t) => {
  const local = openLocalBlocks({ directory: await tempDir(t) });
  local.close();
  local.close();
  assert.equal(local.get(hello), undefined);
});

test("of blocks fetched ahead it is known which were used", async (t) => {
  const local = openLocalBlocks({ directory: await tempDir(t) });
  atEnd(t, () => local.close());
  const blocks = [1, 2, 3].map((seed) => bytesOf(seed, 10));
  for (const block of blocks) local.add(sha256(block), block, true);
  local.add(hello, Buffer.from("hello"));
  local.get(hello);
  local.get(sha256(blocks[0]!));
  local.get(sha256(blocks[0]!));
  local.copy(sha256(blocks[1]!), 0, 1, new Uint8Array(1), 0);
  const { blocks: fetched, usedBlocks } = local.ahead;
  assert.deepEqual([fetched, usedBlocks], [3, 2]);
});
