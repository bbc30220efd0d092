import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { truncate } from "node:fs/promises";
import { test } from "node:test";
import fc from "fast-check";
import { Codec, EMPTY_SHA256, packKey } from "../../src/content/chunk.js";
import { sha256 } from "../../src/content/hash.js";
import { storeContent } from "../../src/content/store.js";
import { recording } from "../../src/remote/recording.js";
import { KiB, MiB } from "../../src/units.js";
import { memoryRemote } from "../support/memory-remote.js";
import { noise } from "./noise.js";
import { assertHolds, knowing, optionsFor, store, written } from "./storing.js";

test("whatever files are stored, the packs give back their bytes", async (scope) => {
  const sizes = fc.array(
    fc.oneof({ weight: 8, arbitrary: fc.nat(3 * KiB) }, { weight: 1, arbitrary: fc.nat(5 * MiB) }),
    { maxLength: 40, size: "max" },
  );
  const property = fc.asyncProperty(sizes, fc.nat(5), async (sizes, kinds) => {
    const contents = sizes.map((sizeBytes, index) => contentOf(index % (kinds + 1), sizeBytes));
    const remote = memoryRemote();
    const stored = await store(await written(scope, contents), { remote, packBytes: 4 * MiB });
    assert.deepEqual(stored.map(({ id }) => id).sort(byNumber), [...contents.keys()]);
    for (const file of stored) assertHolds(remote, file, contents[file.id]!);
  });
  await fc.assert(property, { numRuns: 8 });
});

test("a file is told as stored when all its packs are in the remote, not earlier", async (scope) => {
  const contents = [...Array(30).keys()].map((index) => noise(`early ${index}`, 300 * KiB));
  const remote = memoryRemote();
  const slow = {
    ...remote,
    put: async (...args: Parameters<typeof remote.put>) => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      await remote.put(...args);
    },
  };
  let count = 0;
  const sources = await written(scope, contents);
  for await (const file of storeContent(sources, optionsFor(slow, { packBytes: 2 * MiB }))) {
    assertHolds(remote, file, contents[file.id]!);
    count += 1;
  }
  assert.equal(count, 30);
});

test("the same input gives the same packs, and what lies in the remote is not sent again", async (scope) => {
  const contents = [...Array(60).keys()].map((index) => noise(`resume ${index}`, index * 10 * KiB));
  const sources = await written(scope, [...contents, noise("resume solo", 17 * MiB)]);
  const remote = memoryRemote();
  const first = await store(sources, { remote, packBytes: 4 * MiB });
  const again = recording(remote);
  let sentBytes = 0;
  const second = await store(sources, {
    remote: again,
    packBytes: 4 * MiB,
    workers: 1,
    onProgress: (progress) => void ({ sentBytes } = progress),
  });
  assert.deepEqual(second.sort(byId), first.sort(byId));
  assert.deepEqual(
    again.calls.filter((call) => !call.startsWith("stat ")),
    [],
  );
  assert.equal(sentBytes, 0);
});

test("chunks lie in their packs in the order of the sources", async (scope) => {
  const contents = [...Array(1200).keys()].map((index) => noise(`order ${index}`, 700));
  const stored = await store(await written(scope, contents), { remote: memoryRemote(), workers: 3 });
  const offsets = stored.sort(byId).map(({ chunks }) => chunks[0]!.offset);
  assert.deepEqual(
    offsets,
    contents.map((_, index) => index * 700),
  );
});

test("content met twice, and content known from before, is sent once", async (scope) => {
  const [one, two] = [noise("one", 40 * KiB), noise("two", 50 * KiB)];
  const remote = memoryRemote();
  const earlier = await store(await written(scope, [one]), { remote });
  const known = new Map(earlier[0]!.chunks.map((chunk) => [chunk.hash, chunk]));
  const again = recording(remote);
  const stored = await store(await written(scope, [two, one, two]), { remote: again, known: knowing(known) });
  assert.equal(again.sentBytes, two.length);
  assert.deepEqual(stored.find(({ id }) => id === 1)!.chunks, earlier[0]!.chunks);
  for (const file of stored) assertHolds(remote, file, [two, one, two][file.id]!);
});

test("an empty file has no chunk, and needs no object", async (scope) => {
  const remote = recording(memoryRemote());
  const [stored] = await store(await written(scope, [Buffer.alloc(0)]), { remote });
  assert.deepEqual(stored!.chunks, []);
  assert.equal(stored!.sha256, EMPTY_SHA256);
  assert.deepEqual(remote.calls, []);
});

test("text is stored compressed", async (scope) => {
  const remote = recording(memoryRemote());
  const text = Buffer.alloc(600 * KiB, "a line of some log, and another one\n");
  const [stored] = await store(await written(scope, [text]), { remote });
  assert.equal(stored!.chunks[0]!.codec, Codec.brotli);
  assert.ok(remote.sentBytes < 60 * KiB, `${remote.sentBytes} bytes sent`);
});

test("a new file of 16 MiB or more is a pack by itself, as it is", async (scope) => {
  const content = Buffer.from(noise("large text", 10 * MiB).toString("hex")); // it would compress
  const remote = memoryRemote();
  const [small, large] = (await store(await written(scope, [noise("beside", 9), content]), { remote })).sort(
    byId,
  );
  assert.equal(large!.sha256, sha256(content));
  assert.ok(content.equals(remote.objects.get(packKey(large!.sha256))!));
  assert.equal(remote.objects.size, 2);
  assertHolds(remote, large!, content);
  assertHolds(remote, small!, noise("beside", 9));
});

test("a large file of which a little has changed sends that little", async (scope) => {
  const before = noise("large", 24 * MiB);
  const after = Buffer.concat([
    before.subarray(0, 11 * MiB),
    noise("inserted", 1000),
    before.subarray(11 * MiB),
  ]);
  const remote = memoryRemote();
  const [old] = await store(await written(scope, [before]), { remote });
  const again = recording(remote);
  const known = knowing(new Map(old!.chunks.map((chunk) => [chunk.hash, chunk])));
  const [stored] = await store(await written(scope, [after]), { remote: again, known });
  assertHolds(remote, stored!, after);
  assert.ok(again.sentBytes < 6 * MiB, `${again.sentBytes} bytes sent`);
});

test("the holes of a sparse file are told, and not sent", async (scope) => {
  const [source] = await written(scope, [noise("head", 64 * KiB)]);
  await truncate((source!.from as { path: string }).path, 40 * MiB);
  const remote = recording(memoryRemote());
  const [stored] = await store([{ ...source!, sizeBytes: 40 * MiB }], { remote });
  assert.deepEqual(stored!.holes, [[64 * KiB, 40 * MiB]]);
  assert.ok(remote.sentBytes < 3 * MiB, `${remote.sentBytes} bytes sent`);
});

test("modification times are told to the nanosecond, before 1970 too", async (scope) => {
  const sources = await written(scope, [noise("new", 5), noise("old", 6)]);
  const [first, second] = sources.map(({ from }) => (from as { path: string }).path);
  execFileSync("touch", ["-d", "2023-11-14T22:13:20.123456789Z", first!]);
  execFileSync("touch", ["-d", "1969-12-31T23:59:58.25Z", second!]);
  const times = (await store(sources, { remote: memoryRemote() })).sort(byId);
  assert.deepEqual(
    times.map(({ mtimeSec, mtimeNsec }) => [mtimeSec, mtimeNsec]),
    [
      [1_700_000_000, 123_456_789],
      [-2, 250_000_000],
    ],
  );
});

test("files that grew or shrank since they were scanned are stored as they are", async (scope) => {
  const contents = [
    noise("grown", 3 * MiB),
    noise("grown large", 17 * MiB),
    noise("shrunk", 10),
    noise("same", 800),
  ];
  const sources = await written(scope, contents);
  const scanned = [10, 20, 1 * MiB, 800];
  const remote = memoryRemote();
  const stored = await store(
    sources.map((source, index) => ({ ...source, sizeBytes: scanned[index]! })),
    { remote },
  );
  for (const file of stored) assertHolds(remote, file, contents[file.id]!);
  assert.equal(stored.length, 4);
});

test("progress ends with all files and bytes, and the bytes sent", async (scope) => {
  const contents = [noise("p1", 1000), noise("p2", 2000), noise("p1", 1000), noise("p3", 18 * MiB)];
  const reports: unknown[] = [];
  const remote = memoryRemote();
  await store(await written(scope, contents), { remote, onProgress: (progress) => reports.push(progress) });
  assert.deepEqual(reports.at(-1), { files: 4, bytes: 4000 + 18 * MiB, sentBytes: 3000 + 18 * MiB });
});

function contentOf(kind: number, sizeBytes: number): Buffer {
  return kind % 2 === 0 ? noise(`kind ${kind}`, sizeBytes) : Buffer.alloc(sizeBytes, `kind ${kind} `);
}

function byId(a: { id: number }, b: { id: number }): number {
  return a.id - b.id;
}

function byNumber(a: number, b: number): number {
  return a - b;
}
