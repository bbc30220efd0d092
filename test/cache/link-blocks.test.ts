/** Blocks of external files: named by URL, pin and position, kept and checked like all others. */
import assert from "node:assert/strict";
import { readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import Database from "better-sqlite3";

import { type LinkedFile, linkBlockAt, linkBlocks } from "../../src/cache/link-blocks.js";
import { sha256 } from "../../src/content/hash.js";
import { isDatasetError } from "../../src/errors.js";
import type { LinkSource } from "../../src/remote/links/source.js";
import { MiB } from "../../src/units.js";
import type { Scope } from "../support/cleanup.js";
import { memoryRemote } from "../support/memory-remote.js";
import { tempDir } from "../support/temp.js";
import { bytesOf, cacheOf } from "./blocks.js";

const CONTENT = bytesOf(1, 2 * MiB + 100);
const FILE: LinkedFile = {
  url: "https://host/file",
  pin: 'etag:"one"',
  sizeBytes: CONTENT.length,
  mtimeSec: 1,
  mtimeNsec: 0,
};

/** A cache over a source of these bytes, and what was read of it. */
async function linkCache(scope: Scope, directory: string, content: Uint8Array = CONTENT) {
  const asked: string[] = [];
  const links = {
    async read({ url, pin }: LinkSource, start: number, end: number) {
      asked.push(`${url} ${pin} [${start}, ${end})`);
      return content.slice(start, end);
    },
  };
  return { cache: await cacheOf(scope, memoryRemote({}), { directory, links }), asked };
}

test("blocks of 1 MiB are read with the pin, side by side in one request, and once for all processes", async (t) => {
  const directory = await tempDir(t);
  const first = await linkCache(t, directory);
  const blocks = [...linkBlocks(FILE)];
  assert.deepEqual(Buffer.concat(await first.cache.readMany(blocks)), Buffer.from(CONTENT));
  assert.deepEqual(first.asked, [`https://host/file etag:"one" [0, ${CONTENT.length})`]);
  await first.cache.close();

  const second = await linkCache(t, directory);
  assert.deepEqual(Buffer.concat(await second.cache.readMany(blocks)), Buffer.from(CONTENT));
  assert.deepEqual(second.asked, []);
});

test("another URL, pin or position is another block, and without a pin another time too", () => {
  const unpinned = { ...FILE, pin: "" };
  const files = [
    FILE,
    { ...FILE, url: "https://host/other" },
    { ...FILE, pin: 'etag:"two"' },
    unpinned,
    { ...unpinned, mtimeSec: 2 },
    { ...unpinned, sizeBytes: FILE.sizeBytes - 1 },
  ];
  const names = files.flatMap((file) => [...linkBlocks(file)].map(({ hash }) => hash));
  assert.equal(new Set(names).size, 3 * files.length);
  assert.equal(linkBlockAt({ ...FILE, mtimeSec: 2 }, 0).hash, names[0], "a pin says all");
});

test("a link of one block whose hash is known is checked against it, and is one with packed content", async (t) => {
  const small = CONTENT.subarray(0, 1_000);
  const file = { ...FILE, sizeBytes: small.length, sha256: sha256(small) };
  const block = linkBlockAt(file, 0);
  assert.equal(block.hash, sha256(small));
  const wrong = await linkCache(t, await tempDir(t), bytesOf(2, 1_000));
  await assert.rejects(wrong.cache.read(block), (error) => isDatasetError(error, "source-changed"));
  assert.equal(wrong.asked.length, 2, "it was asked for once more");
});

for (const damaged of [false, true])
  test(`a block from before a reboot is ${damaged ? "fetched again when it is damaged" : "hashed and used"}`, async (t) => {
    const directory = await tempDir(t);
    const block = linkBlockAt(FILE, 0);
    const before = await linkCache(t, directory);
    await before.cache.read(block);
    await before.cache.close();
    const path = join(directory, "blocks", readdirSync(join(directory, "blocks"))[0]!);
    if (damaged) writeFileSync(path, Buffer.alloc(MiB));
    const index = new Database(join(directory, "index.db"));
    index.exec(`update file set boot = 'an earlier one', ctime_ms = ${statSync(path).ctimeMs}`);
    index.close();

    const after = await linkCache(t, directory);
    assert.deepEqual(await after.cache.read(block), CONTENT.slice(0, MiB));
    assert.equal(after.asked.length, damaged ? 1 : 0);
  });
