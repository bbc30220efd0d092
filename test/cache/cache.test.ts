import assert from "node:assert/strict";
import { test } from "node:test";

import { type LocalBlocks, Missing } from "../../src/cache/block.js";
import { Codec } from "../../src/content/chunk.js";
import { isDatasetError } from "../../src/errors.js";
import { recording } from "../../src/remote/recording.js";
import type { Remote } from "../../src/remote/remote.js";
import { KiB, MiB } from "../../src/units.js";
import { withLatency } from "../support/latency.js";
import { memoryRemote } from "../support/memory-remote.js";
import { tempDir } from "../support/temp.js";
import { bytesOf, cacheOf, objectsOf, packOf, textOf } from "./blocks.js";

const greeting = packOf("packs/ab", ["hello", "world"]);
const [hello, world] = greeting.blocks as [(typeof greeting.blocks)[0], (typeof greeting.blocks)[0]];

test("read() of a cold chunk by two readers fetches it once", async (t) => {
  const remote = recording(memoryRemote(objectsOf(greeting)));
  const cache = await cacheOf(t, remote);
  const read = await Promise.all([cache.read(hello), cache.read(hello)]);
  assert.deepEqual(read.map(textOf), ["hello", "hello"]);
  assert.deepEqual(remote.calls, ["read packs/ab [0, 5)"]);
});

test("one fetch serves every reader even where the memory tier has no room for it", async (t) => {
  const remote = recording(memoryRemote(objectsOf(greeting)));
  const cache = await cacheOf(t, remote, { memoryBytes: 1 });
  await Promise.all([cache.read(hello), cache.read(world), cache.read(hello)]);
  await cache.read(hello);
  assert.deepEqual(remote.calls, ["read packs/ab [0, 5)", "read packs/ab [5, 10)"]);
});

test("a block that was read stays readable when its remote is gone, and after the cache was opened again", async (t) => {
  const directory = await tempDir(t);
  const remote = memoryRemote(objectsOf(greeting));
  const first = await cacheOf(t, remote, { directory });
  await first.read(hello);
  remote.objects.clear();
  assert.equal(textOf(await first.read(hello)), "hello");
  await first.close();
  const second = await cacheOf(t, remote, { directory });
  assert.equal(textOf(await second.read(hello)), "hello");
  assert.deepEqual(second.stats().hits, { memory: 0, disk: 1 });
});

test("readMany() gives blocks in the order asked and fetches neighbours with one request", async (t) => {
  const remote = recording(memoryRemote(objectsOf(greeting)));
  const cache = await cacheOf(t, remote);
  const read = await cache.readMany([world, hello, world]);
  assert.deepEqual(read.map(textOf), ["world", "hello", "world"]);
  assert.deepEqual(remote.calls, ["read packs/ab [0, 10)"]);
});

test("readMany() fetches only what is not here", async (t) => {
  const remote = recording(memoryRemote(objectsOf(greeting)));
  const cache = await cacheOf(t, remote);
  await cache.read(world);
  assert.deepEqual((await cache.readMany([hello, world])).map(textOf), ["hello", "world"]);
  assert.deepEqual(remote.calls, ["read packs/ab [5, 10)", "read packs/ab [0, 5)"]);
});

test("a compressed block is decoded before it is kept", async (t) => {
  const content = bytesOf(1, 40 * KiB).map((byte) => byte & 7);
  const pack = packOf("packs/br", [content, "small"], { codec: Codec.brotli });
  const cache = await cacheOf(t, memoryRemote(objectsOf(pack)));
  const read = await cache.readMany(pack.blocks);
  assert.deepEqual(
    read.map((bytes) => Buffer.from(bytes)),
    [Buffer.from(content), Buffer.from("small")],
  );
});

test("a block of a large reply does not keep the whole reply in memory", async (t) => {
  const pack = packOf("packs/large", ["small", bytesOf(1, 1 * MiB)]);
  const cache = await cacheOf(t, memoryRemote(objectsOf(pack)));
  const [small] = await cache.readMany(pack.blocks);
  assert.equal(small!.buffer.byteLength, 5);
});

test("a mismatch is fetched again, once and alone", async (t) => {
  const remote = recording(lyingOnce(memoryRemote(objectsOf(greeting))));
  const cache = await cacheOf(t, remote);
  assert.deepEqual((await cache.readMany([hello, world])).map(textOf), ["hello", "world"]);
  assert.deepEqual(remote.calls, ["read packs/ab [0, 10)", "read packs/ab [0, 5)"]);
});

test("a remote that gives wrong bytes twice fails the read with content-damaged, and its neighbours are good", async (t) => {
  const remote = memoryRemote({ "packs/ab": "hellOworld" });
  const cache = await cacheOf(t, remote);
  const reads = [cache.readMany([hello, world]), cache.read(world)] as const;
  await assert.rejects(
    reads[0],
    (error) => isDatasetError(error, "content-damaged") && error.data.wanted === hello.hash,
  );
  assert.equal(textOf(await reads[1]), "world");
  assert.equal(cache.local.get(hello.hash), undefined);
});

test("brotli that does not decode fails with content-damaged", async (t) => {
  const pack = packOf("packs/br", ["compressed"], { codec: Codec.brotli });
  const cache = await cacheOf(t, memoryRemote({ "packs/br": bytesOf(3, pack.bytes.byteLength) }));
  await assert.rejects(cache.read(pack.blocks[0]!), {
    code: "content-damaged",
    message: /"packs\/br" \[0, \d+\)/,
  });
});

test("a failure is not remembered: what was missing is read once it is there", async (t) => {
  const remote = memoryRemote();
  const cache = await cacheOf(t, remote);
  await assert.rejects(cache.read(hello), { code: "object-missing" });
  remote.objects.set(greeting.key, greeting.bytes);
  assert.equal(textOf(await cache.read(hello)), "hello");
});

test("a reader that cancels ends at once, and the fetch goes on for the others", async (t) => {
  const remote = recording(withLatency(memoryRemote(objectsOf(greeting)), 20));
  const cache = await cacheOf(t, remote);
  const leaving = new AbortController();
  const left = cache.read(hello, { signal: leaving.signal });
  const stayed = cache.read(hello);
  leaving.abort();
  await assert.rejects(left, { code: "cancelled" });
  assert.equal(textOf(await stayed), "hello");
  assert.deepEqual(remote.calls, ["read packs/ab [0, 5)"]);
});

test("a remote that never answers fails the read with deadline, and is asked again by the next reader", async (t) => {
  let isSilent = true;
  const remote = memoryRemote(objectsOf(greeting));
  const deaf: Remote = {
    ...remote,
    read: (...asked) => (isSilent ? new Promise(() => {}) : remote.read(...asked)),
  };
  const cache = await cacheOf(t, deaf, { deadlineMs: 20 });
  await assert.rejects(
    cache.read(hello),
    (error) => isDatasetError(error, "deadline") && error.data.waitedForMs === 20,
  );
  isSilent = false;
  assert.equal(textOf(await cache.read(hello)), "hello");
});

test("prefetch() brings blocks that are then here, asks for none twice, and fails nobody", async (t) => {
  const remote = recording(memoryRemote(objectsOf(greeting)));
  const cache = await cacheOf(t, remote);
  cache.prefetch([...packOf("packs/none", ["nowhere"]).blocks, hello, world]);
  assert.deepEqual((await cache.readMany([hello, world])).map(textOf), ["hello", "world"]);
  cache.prefetch([hello, world]);
  assert.deepEqual(remote.calls, ["read packs/ab [0, 10)", "read packs/none [0, 7)"]);
});

test("a crowd of readers makes no more than 24 requests at a time", async (t) => {
  const packs = Array.from({ length: 100 }, (_, at) => packOf(`packs/${at}`, [`block ${at}`]));
  const remote = memoryRemote(objectsOf(...packs));
  const flying = { now: 0, most: 0 };
  const counting: Remote = {
    ...remote,
    async read(...asked) {
      flying.most = Math.max(flying.most, ++flying.now);
      return remote.read(...asked).finally(() => flying.now--);
    },
  };
  const warned = t.mock.method(process, "emitWarning", () => {});
  const cache = await cacheOf(t, counting);
  const read = await Promise.all(packs.map(({ blocks }) => cache.read(blocks[0]!)));
  assert.deepEqual(
    read.map(textOf),
    packs.map((_, at) => `block ${at}`),
  );
  assert.equal(flying.most, 24);
  assert.equal(warned.mock.callCount(), 0);
});

test("a reader does not wait behind what is prefetched", async (t) => {
  const packs = Array.from({ length: 100 }, (_, at) => packOf(`packs/${at}`, [`block ${at}`]));
  const remote = recording(memoryRemote(objectsOf(greeting, ...packs)));
  const cache = await cacheOf(t, remote);
  cache.prefetch(packs.flatMap(({ blocks }) => blocks));
  assert.equal(textOf(await cache.read(hello)), "hello");
  assert.ok(remote.calls.indexOf("read packs/ab [0, 5)") <= 16, "only the prefetches in flight came before");
});

test("keep() makes a block readable without a request, whatever becomes of the buffer it was given", async (t) => {
  const remote = recording(memoryRemote());
  const cache = await cacheOf(t, remote);
  const buffer = Buffer.from("hello");
  cache.keep(hello, buffer);
  buffer.fill(0);
  assert.equal(textOf(await cache.read(hello)), "hello");
  assert.deepEqual(remote.calls, []);
});

test("complete() runs an operation again until nothing is missing", async (t) => {
  const remote = recording(memoryRemote(objectsOf(greeting)));
  const cache = await cacheOf(t, remote);
  const said = await cache.complete((local) => `${textNeeded(local, hello)} ${textNeeded(local, world)}`);
  assert.equal(said, "hello world");
  assert.deepEqual(remote.calls, ["read packs/ab [0, 5)", "read packs/ab [5, 10)"]);
});

test("complete() fetches what an operation names as ahead, and does not wait for it", async (t) => {
  const remote = recording(memoryRemote(objectsOf(greeting)));
  const cache = await cacheOf(t, remote);
  const nowhere = packOf("packs/none", ["nowhere"]).blocks;
  const operation = (local: LocalBlocks) =>
    textOf(local.get(hello.hash)) ?? raise(new Missing([hello], nowhere));
  assert.equal(await cache.complete(operation), "hello");
  assert.deepEqual(remote.calls, ["read packs/ab [0, 5)", "read packs/none [0, 7)"]);
});

test(
  "complete() comes to an end where neither memory nor disk keeps anything",
  { timeout: 10_000 },
  async (t) => {
    const pack = packOf("packs/ab", ["one", "two", "three", "four"]);
    const remote = recording(memoryRemote(objectsOf(pack)));
    const cache = await cacheOf(t, remote, { directory: "/dev/null/cache", memoryBytes: 1, maxBytes: 8 });
    const said = await cache.complete((local) =>
      pack.blocks.map((block) => textNeeded(local, block)).join(" "),
    );
    assert.equal(said, "one two three four");
  },
);

test("complete() refuses an operation that misses what it was given", async (t) => {
  const cache = await cacheOf(t, memoryRemote(objectsOf(greeting)));
  await assert.rejects(
    cache.complete(() => raise(new Missing([hello]))),
    /misses blocks that it was given/,
  );
});

test("complete() passes on what an operation throws", async (t) => {
  const cache = await cacheOf(t, memoryRemote());
  await assert.rejects(
    cache.complete(() => raise(new TypeError("its own"))),
    { name: "TypeError", message: "its own" },
  );
});

test("close() ends fetches with cancelled, and twice is the same as once", async (t) => {
  const remote = memoryRemote(objectsOf(greeting));
  const cache = await cacheOf(t, { ...remote, read: () => new Promise(() => {}) });
  const refused = assert.rejects(cache.read(hello), { code: "cancelled" });
  await Promise.all([cache.close(), cache.close()]);
  await refused;
});

test("stats() tells what is held and what it cost", async (t) => {
  const directory = await tempDir(t);
  const first = await cacheOf(t, memoryRemote(objectsOf(greeting)), { directory });
  await first.readMany([hello, world]);
  await first.read(hello);
  const { hits, misses, fetched } = first.stats();
  assert.deepEqual(
    { hits, misses, fetched },
    { hits: { memory: 1, disk: 0 }, misses: 2, fetched: { bytes: 10, requests: 1 } },
  );
  await first.close();
  const { files, blocks } = (await cacheOf(t, memoryRemote(), { directory })).stats().disk;
  assert.deepEqual({ files, blocks }, { files: 1, blocks: 2 });
});

function textNeeded(local: LocalBlocks, block: (typeof greeting.blocks)[0]): string {
  return textOf(local.get(block.hash)) ?? raise(new Missing([block]));
}

function raise(thrown: unknown): never {
  throw thrown;
}

/** A remote whose first answer has its first byte wrong. */
function lyingOnce(remote: Remote): Remote {
  let isFirst = true;
  return {
    ...remote,
    async read(...asked) {
      const bytes = await remote.read(...asked);
      if (isFirst) bytes[0]! ^= 1;
      isFirst = false;
      return bytes;
    },
  };
}
