import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { test } from "node:test";
import { sha256 } from "../../src/content/hash.js";
import { type ContentReader, type ContentSource, hashFiles, storeContent } from "../../src/content/store.js";
import { DatasetError } from "../../src/errors.js";
import { bytesOfText } from "../../src/paths.js";
import type { Remote } from "../../src/remote/remote.js";
import { recording } from "../../src/remote/recording.js";
import { withRetry } from "../../src/remote/with-retry.js";
import { KiB, MiB } from "../../src/units.js";
import { memoryRemote } from "../support/memory-remote.js";
import { noise } from "./noise.js";
import { assertHolds, knowing, optionsFor, store, written } from "./storing.js";

test("contents of readers, small and large, are stored like files", async () => {
  const contents = [noise("r0", 100), noise("r1", 3 * MiB), noise("r2", 18 * MiB), Buffer.alloc(0)];
  const remote = memoryRemote();
  const readers = contents.map((content) => new Readers(() => content));
  const stored = await store(
    readers.map((each, id) => each.source(id)),
    { remote },
  );
  assert.equal(stored.length, 4);
  for (const file of stored) assertHolds(remote, file, contents[file.id]!);
  assert.ok(
    readers.every(({ open }) => open === 0),
    "a reader was left open",
  );
});

test("a large reader of which a little has changed is read again only where it has", async () => {
  const before = noise("overlay", 20 * MiB);
  const after = Buffer.from(before);
  noise("patch", 1000).copy(after, 9 * MiB);
  const remote = memoryRemote();
  const [old] = await store([new Readers(() => before).source(0)], { remote });
  const readers = new Readers(() => after);
  const known = knowing(new Map(old!.chunks.map((chunk) => [chunk.hash, chunk])));
  const [stored] = await store([readers.source(0)], { remote, known });
  assertHolds(remote, stored!, after);
  assert.ok(readers.readBytes < 24 * MiB, `${readers.readBytes} bytes read`);
});

for (const [kind, before] of [
  ["as its own pack", []],
  ["with chunks known", [noise("changing 0", 30 * MiB)]],
] as const)
  test(`a large content that changes between hashing and sending ${kind} is begun again`, async () => {
    const remote = memoryRemote();
    const earlier = await store(
      before.map((content, id) => new Readers(() => content).source(id)),
      { remote },
    );
    const known = knowing(
      new Map(earlier.flatMap(({ chunks }) => chunks).map((chunk) => [chunk.hash, chunk])),
    );
    const states = [0, 1, 1].map((state) => changing(state));
    const readers = new Readers((opening) => states[Math.min(opening, states.length - 1)]!);
    const [stored] = await store([readers.source(0)], { remote, known });
    assertHolds(remote, stored!, states[1]!);
    assert.equal(readers.open, 0);
  });

test("a file that shares a chunk with one that changed is stored all the same", async (scope) => {
  const states = [changing(0), noise("another", 20 * MiB)];
  const readers = new Readers((opening) => states[Math.min(opening, 1)]!);
  const [file] = await written(scope, [changing(0)]);
  const remote = memoryRemote();
  const stored = await store([readers.source(7), { ...file!, id: 8 }], { remote });
  assert.equal(stored.length, 2);
  for (const each of stored) assertHolds(remote, each, each.id === 7 ? states[1]! : states[0]!);
});

test("a content that changes every time is refused as changed", async () => {
  const readers = new Readers((opening) => noise(`state ${opening}`, 17 * MiB));
  await assert.rejects(store([readers.source(0)], { remote: memoryRemote() }), { code: "source-changed" });
  assert.equal(readers.open, 0);
});

test("a pack by itself whose put breaks off is sent again from its start, and counted once", async () => {
  const content = noise("solo", 20 * MiB);
  const memory = memoryRemote();
  let broken = false;
  const breaking: Remote = {
    ...memory,
    async put(key, body, options) {
      await memory.put(key, body, options);
      if (broken || body instanceof Uint8Array) return;
      broken = true;
      memory.objects.delete(key);
      throw new DatasetError("remote-failed", { key }, "Cannot put it");
    },
  };
  let sentBytes = 0;
  const [stored] = await store([new Readers(() => content).source(0)], {
    remote: withRetry(breaking, { pause: async () => undefined }),
    onProgress: (progress) => (sentBytes = progress.sentBytes),
  });
  assertHolds(memory, stored!, content);
  assert.deepEqual([broken, sentBytes], [true, content.length]);
});

test("what cannot be read as a regular file is named", async (scope) => {
  const [source] = await written(scope, [noise("target", 10)]);
  const { path } = source!.from as { path: string };
  const folder = dirname(path);
  await symlink(path, join(folder, "link"));
  execFileSync("mkfifo", [join(folder, "fifo")]);
  for (const name of ["link", "fifo", "gone", "."]) {
    const from = { path: bytesOfText(join(folder, name)) };
    const failure = { code: "source-unreadable", data: { path: join(folder, name) } };
    await assert.rejects(
      store([source!, { id: 1, sizeBytes: 10, from }], { remote: memoryRemote() }),
      failure,
    );
    await assert.rejects(hashAll([{ id: 1, sizeBytes: 10, path: from.path }]), failure);
  }
});

test("after a failing put nothing is under way, and the failure is the remote's", async (scope) => {
  const full = new DatasetError("remote-refused", { key: "packs" }, "Cannot put: the bucket is read-only");
  const remote = watched({ ...memoryRemote(), put: () => setTimeout(5).then(() => Promise.reject(full)) });
  const sources = await written(
    scope,
    [...Array(40).keys()].map((index) => noise(`put ${index}`, 400 * KiB)),
  );
  await assert.rejects(store(sources, { remote, packBytes: 2 * MiB }), full);
  assert.equal(remote.underway, 0);
  await assertNoThreads();
});

test("an abort ends storing with cancelled, and ends the requests under way", async (scope) => {
  const remote = watched(silentPuts());
  const sources = await written(scope, [noise("abort", 3 * MiB)]);
  const caller = new AbortController();
  const storing = store(sources, { remote, signal: caller.signal });
  while (remote.underway === 0) await setTimeout(5);
  caller.abort();
  await assert.rejects(storing, { code: "cancelled" });
  assert.equal(remote.underway, 0);
  await assertNoThreads();
});

test("a signal aborted beforehand stores nothing", async (scope) => {
  const remote = recording(memoryRemote());
  const sources = await written(scope, [noise("late", 3 * MiB)]);
  await assert.rejects(store(sources, { remote, signal: AbortSignal.abort() }), { code: "cancelled" });
  assert.deepEqual(remote.calls, []);
});

test("a caller who leaves early leaves nothing under way", async (scope) => {
  const sources = await written(scope, [
    Buffer.alloc(0),
    ...[...Array(9).keys()].map((n) => noise(`leave ${n}`, MiB)),
  ]);
  const remote = watched(silentPuts());
  for await (const first of storeContent(sources, optionsFor(remote, { packBytes: 2 * MiB }))) {
    assert.equal(first.sizeBytes, 0);
    break;
  }
  assert.equal(remote.underway, 0);
  await assertNoThreads();
});

test("a failure of the caller's sources or look-up is passed on as it is", async (scope) => {
  const own = new Error("the caller's own");
  const [source] = await written(scope, [noise("own", 100)]);
  async function* failing() {
    yield source!;
    throw own;
  }
  const options = optionsFor(memoryRemote(), {});
  await assert.rejects(drain(storeContent(failing(), options)), own);
  await assert.rejects(drain(storeContent([source!], { ...options, known: () => Promise.reject(own) })), own);
  await assertNoThreads();
});

test("hashFiles() gives hashes, sizes and times in order, and reads large files too", async (scope) => {
  const contents = [noise("h0", 0), noise("h1", 700), noise("h2", 20 * MiB)];
  const sources = await written(scope, contents);
  const files = sources.map(({ id, from }) => ({ id, sizeBytes: 5, path: (from as { path: string }).path }));
  execFileSync("touch", ["-d", "2020-01-01T00:00:00.5Z", files[1]!.path]);
  const hashed = await hashAll(files);
  assert.deepEqual(
    hashed.map(({ id, sizeBytes, sha256: hash }) => ({ id, sizeBytes, hash })),
    contents.map((content, id) => ({ id, sizeBytes: content.length, hash: sha256(content) })),
  );
  assert.deepEqual([hashed[1]!.mtimeSec, hashed[1]!.mtimeNsec], [1_577_836_800, 500_000_000]);
  await rm(files[0]!.path);
  await writeFile(files[0]!.path, "again");
  assert.equal((await hashAll(files))[0]!.sha256, sha256(Buffer.from("again")));
});

/** 40 MiB, of which the first 30 MiB stay and the last 10 MiB are told by `state`. */
function changing(state: number): Buffer {
  return Buffer.concat([noise("changing 0", 30 * MiB), noise(`tail ${state}`, 10 * MiB)]);
}

/** A content by readers, each of which sees the state of when it was opened. */
class Readers {
  open = 0;
  readBytes = 0;
  #openings = 0;

  constructor(readonly contentAt: (opening: number) => Buffer) {}

  source(id: number): ContentSource<number> {
    return { id, sizeBytes: this.contentAt(0).length, from: { open: async () => this.#reader() } };
  }

  #reader(): ContentReader {
    const content = this.contentAt(this.#openings++);
    this.open += 1;
    return {
      sizeBytes: content.length,
      read: async (start, end) => {
        await setTimeout(0);
        this.readBytes += end - start;
        return content.subarray(start, end);
      },
      close: async () => void (this.open -= 1),
    };
  }
}

/** A remote that counts the puts it has not answered. */
function watched(remote: Remote): Remote & { underway: number } {
  const counting = {
    ...remote,
    underway: 0,
    async put(...request: Parameters<Remote["put"]>) {
      counting.underway += 1;
      await remote.put(...request).finally(() => (counting.underway -= 1));
    },
  };
  return counting;
}

/** A remote that answers a put only when it is aborted. */
function silentPuts(): Remote {
  const put: Remote["put"] = (key, _body, options) =>
    new Promise((_, reject) => {
      const end = () =>
        reject(new DatasetError("cancelled", { what: key }, `Cannot put "${key}": cancelled`));
      if (options?.signal?.aborted) end();
      options?.signal?.addEventListener("abort", end);
    });
  return { ...memoryRemote(), put };
}

async function hashAll(files: Parameters<typeof hashFiles<number>>[0]) {
  return drain(hashFiles(files));
}

async function drain<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** Fails while a worker thread lives. */
async function assertNoThreads(): Promise<void> {
  await setTimeout(0);
  assert.deepEqual(
    process.getActiveResourcesInfo().filter((resource) => resource === "MessagePort"),
    [],
  );
}
