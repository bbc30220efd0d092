/** `dataset.verify()` against real damage in a remote: bytes flipped, packs cut and removed, listings lost. */
import assert from "node:assert/strict";
import { readFileSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { packKey } from "../../../src/content/chunk.js";
import { Dataset } from "../../../src/dataset/dataset.js";
import { syncVersion } from "../../../src/dataset/sync.js";
import type { VerifiedContent } from "../../../src/dataset/verify/verify-content.js";
import { isDatasetError } from "../../../src/errors.js";
import { EntryType, type FileEntry } from "../../../src/manifest/entry.js";
import { KiB, MiB } from "../../../src/units.js";
import { noise } from "../../content/noise.js";
import { writeFolder } from "../support/folders.js";
import { testUser } from "../support/workspaces.js";

/** A version with two files of the same content, a large file of several chunks, and text that is stored compressed. */
async function stored(t: Parameters<typeof testUser>[0]) {
  const { open, scratch } = await testUser(t);
  const workspace = open();
  const text = "the same line again and again\n".repeat(2_000);
  writeFolder(scratch, { "a/one": noise("small", 50 * KiB), "b/same": noise("small", 50 * KiB) });
  writeFolder(scratch, { large: noise("large", 9 * MiB), text, empty: "", link: { target: "text" } });
  await syncVersion(scratch, "p/d", { workspace });
  const version = await Dataset.get("p/d", { workspace });
  const [remote] = await (await workspace.catalog()).listRemotes();
  const root = fileURLToPath(remote!.url);
  return { version, root, pathOf: (key: string) => join(root, key), open };
}

async function fileOf(version: Dataset, path: string): Promise<FileEntry> {
  const entry = await version.entry(path);
  assert.ok(entry.type === EntryType.file);
  return entry;
}

function flipByte(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at]! ^= 1;
  writeFileSync(path, bytes);
}

function told({ damaged }: VerifiedContent) {
  return damaged.map(({ state, what, paths }) => ({ state, what, paths }));
}

test("a whole version has nothing wrong, and all its bytes are counted", async (t) => {
  const { version } = await stored(t);
  const seen: number[] = [];
  const onProgress = ({ bytes, totalBytes }: { bytes: number; totalBytes: number }) => {
    seen.push(bytes / totalBytes);
  };
  const { of, by, packs, chunks, bytes, damaged } = await version.verify({ onProgress });
  assert.deepEqual({ of, by, damaged }, { of: "content", by: "hash", damaged: [] });
  assert.ok(packs >= 1 && chunks >= 4 && bytes > 9 * MiB && bytes < 9.2 * MiB);
  assert.equal(seen.at(-1), 1);
  assert.deepEqual((await version.verify({ by: "size" })).damaged, []);
});

test("a flipped byte is found in the remote though the cache has the chunk, and every file that holds it is named", async (t) => {
  const { version, pathOf } = await stored(t);
  const [chunk] = (await fileOf(version, "a/one")).chunks;
  for await (const bytes of version.readFile("a/one")) assert.ok(bytes.length > 0);
  const key = packKey(chunk!.pack);
  flipByte(pathOf(key), chunk!.offset + 7);

  const { damaged } = await version.verify();
  const { offset, storedBytes } = chunk!;
  assert.deepEqual(
    damaged.map(({ state, what, key, start, end, paths }) => ({ state, what, key, start, end, paths })),
    [
      {
        ...{ state: "damaged", what: "chunk", key, start: offset, end: offset + storedBytes },
        paths: ["a/one", "b/same"],
      },
    ],
  );
  assert.match(damaged[0]!.problem, /SHA-256/);
  assert.deepEqual((await version.verify({ by: "size" })).damaged, [], "a size does not tell");
});

test("a flipped byte in what is compressed, and one in the middle of a large file, are two faults", async (t) => {
  const { version, pathOf } = await stored(t);
  const [text] = (await fileOf(version, "text")).chunks;
  const chunks = (await fileOf(version, "large")).chunks;
  const middle = chunks[Math.floor(chunks.length / 2)]!;
  for (const { pack, offset } of [text!, middle]) flipByte(pathOf(packKey(pack)), offset + 3);
  const faults = told(await version.verify()).sort((a, b) => (a.paths[0]! < b.paths[0]! ? -1 : 1));
  assert.deepEqual(faults, [
    { state: "damaged", what: "chunk", paths: ["large"] },
    { state: "damaged", what: "chunk", paths: ["text"] },
  ]);
});

for (const by of ["hash", "size"] as const)
  test(`by ${by}, a pack that is gone is one fault that names its files, and one cut short names those beyond its end`, async (t) => {
    const { version, pathOf } = await stored(t);
    const [chunk] = (await fileOf(version, "a/one")).chunks;
    const last = (await fileOf(version, "large")).chunks.at(-1)!;
    const pack = pathOf(packKey(last.pack));
    const wholeBytes = statSync(pack).size;
    truncateSync(pack, last.offset + 10);
    const cut = await version.verify({ by });
    const beyond = cut.damaged[0]!;
    assert.deepEqual([beyond.state, beyond.what, beyond.start], ["damaged", "pack", last.offset + 10]);
    assert.equal(cut.damaged.length, 1);
    assert.ok(beyond.end <= wholeBytes && beyond.paths.includes("large" as never));

    rmSync(pathOf(packKey(chunk!.pack)), { force: true });
    const gone = (await version.verify({ by })).damaged.find(({ state }) => state === "missing")!;
    assert.deepEqual([gone.what, gone.start, gone.key], ["pack", 0, packKey(chunk!.pack)]);
    assert.ok(["a/one", "b/same"].every((path) => gone.paths.includes(path as never)));
  });

test("a listing that is lost in the remote is a fault; the content is verified by what the cache has of it", async (t) => {
  const { version, root, pathOf } = await stored(t);
  const [chunk] = (await fileOf(version, "a/one")).chunks;
  const [folder] = readdirSync(join(root, "ranges"));
  const [range] = readdirSync(join(root, "ranges", folder!));
  rmSync(join(root, "ranges", folder!, range!));
  flipByte(pathOf(packKey(chunk!.pack)), chunk!.offset);
  assert.deepEqual(told(await version.verify()), [
    { state: "missing", what: "range", paths: [] },
    { state: "damaged", what: "chunk", paths: ["a/one", "b/same"] },
  ]);
});

test("a verification that is cancelled ends with that, and options there are not are refused", async (t) => {
  const { version } = await stored(t);
  const signal = AbortSignal.abort();
  await assert.rejects(version.verify({ signal }), (error) => isDatasetError(error, "cancelled"));
  await assert.rejects(version.verify({ by: "name" as "size" }), (error) =>
    isDatasetError(error, "bad-input"),
  );
  await assert.rejects(version.verify({ bye: 1 } as object), (error) => isDatasetError(error, "bad-input"));
});
