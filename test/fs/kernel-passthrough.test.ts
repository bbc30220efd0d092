/**
 * Large files that the kernel reads from the cache by itself. Whether it does is told by what the server writes: a READ
 * that came to it would be answered with the bytes asked for, so `/proc/PID/io` counts them.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  readFileSync,
  rmSync,
  statSync,
  statfsSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { type FileHandle, open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import Database from "better-sqlite3";

import { KiB, MiB } from "../../src/units.js";
import type { Scope } from "../support/cleanup.js";
import { tempDir } from "../support/temp.js";
import { CAN_MOUNT, type Mounted, TIMEOUT, mountSample, python } from "./support/mounted.js";
import { sample } from "./support/samples.js";
import type { ServeVersionOptions } from "./support/serve-version.js";

const [major = 0, minor = 0] = readFileSync("/proc/sys/kernel/osrelease", "latin1").split(".").map(Number);
const OPTIONS = { ...TIMEOUT, skip: !CAN_MOUNT || major < 6 || (major === 6 && minor < 9) };
/** Less than the smallest reply to the READs of a stream, more than the replies to all else that a reader asks. */
const NO_CONTENT_BYTES = 64 * KiB;

const items = new Map(sample("large").map(({ path, content }) => [path, content!]));
const hashOf = (name: string) => createHash("sha256").update(items.get(name)!).digest("hex");
const sizeOf = (name: string) => items.get(name)!.length;

/** Mounts the sample over a cache folder; a later mount over the same one finds what an earlier one left. */
async function mountOver(t: Scope, cacheDirectory: string, options: Partial<ServeVersionOptions> = {}) {
  return mountSample(t, "large", { cacheDirectory, ...options });
}

async function unmounted({ server, tell }: Mounted): Promise<void> {
  tell("unmount");
  assert.equal((await server.ended).code, 0);
}

/** A cache that holds the large files as one file each. */
async function filledCache(t: Scope): Promise<string> {
  const directory = await tempDir(t);
  const mount = await mountOver(t, directory);
  for (const name of ["large", "recurring"]) await readFile(join(mount.path, name));
  await until(() => completeWholes(directory).length === 2);
  await unmounted(mount);
  return directory;
}

/** One filled cache for the tests that change nothing in it. */
let shared: Promise<string> | undefined;
const sharedCache = (): Promise<string> => (shared ??= filledCache({ after }));

/** Paths of the cache's files that hold a whole. */
function completeWholes(directory: string): string[] {
  const index = new Database(join(directory, "index.db"), { readonly: true });
  try {
    const sql = "select name from whole join file on file.id = file where is_complete = 1";
    const names = index.prepare<[], string>(sql).pluck().all();
    return names.map((name) => join(directory, "blocks", name));
  } finally {
    index.close();
  }
}

/** What a process has written so far, in bytes. */
function writtenBy({ server }: Mounted): number {
  return Number(/wchar: (\d+)/.exec(readFileSync(`/proc/${server.pid}/io`, "latin1"))?.[1]);
}

/** How often a process has written. */
function writesOf({ server }: Mounted): number {
  return Number(/syscw: (\d+)/.exec(readFileSync(`/proc/${server.pid}/io`, "latin1"))?.[1]);
}

/** Runs a reader; what the server wrote meanwhile. */
async function served(mount: Mounted, reader: () => Promise<unknown>): Promise<number> {
  const before = writtenBy(mount);
  await reader();
  return writtenBy(mount) - before;
}

async function until(isTrue: () => boolean): Promise<void> {
  for (let tries = 0; !isTrue(); tries++) {
    assert.ok(tries < 500, "never");
    await sleep(20);
  }
}

async function hashThrough(file: FileHandle): Promise<string> {
  const hash = createHash("sha256");
  const buffer = Buffer.alloc(1 * MiB);
  for (let at = 0, got = 1; got > 0; at += got) {
    got = (await file.read(buffer, 0, buffer.length, at)).bytesRead;
    hash.update(buffer.subarray(0, got));
  }
  return hash.digest("hex");
}

const BY_MMAP = `import hashlib,mmap,sys; f=open(sys.argv[1],"rb"); print(hashlib.sha256(mmap.mmap(f.fileno(),0,prot=mmap.PROT_READ)).hexdigest())`;
const BY_DIRECT_IO = `
import hashlib, mmap, os, sys
f = os.open(sys.argv[1], os.O_RDONLY | os.O_DIRECT)
buffer, h, at = mmap.mmap(-1, 1 << 20), hashlib.sha256(), 0
while got := os.preadv(f, [buffer], at):
    h.update(buffer[:got]); at += got
print(h.hexdigest())`;

test(
  "once a large file was read, its bytes come from the local disk however it is read, and no read reaches us",
  OPTIONS,
  async (t) => {
    const mount = await mountOver(t, await sharedCache());
    for (const name of ["large", "recurring"]) {
      const path = join(mount.path, name);
      const written = await served(mount, async () => {
        assert.ok((await readFile(path)).equals(items.get(name)!));
        assert.equal(await python(BY_MMAP, path), `${hashOf(name)}\n`);
        assert.equal(await python(BY_DIRECT_IO, path), `${hashOf(name)}\n`);
      });
      assert.ok(written < NO_CONTENT_BYTES, `${written} bytes were served for ${name}`);
    }
  },
);

test(
  "a mount gets there by itself: the first reading is served, one that opens after it is not",
  OPTIONS,
  async (t) => {
    const directory = await tempDir(t);
    const mount = await mountOver(t, directory);
    const path = join(mount.path, "large");
    assert.ok((await served(mount, () => readFile(path))) > sizeOf("large"));
    await until(() => completeWholes(directory).length === 1);
    const [whole] = completeWholes(directory);
    assert.ok(readFileSync(whole!).equals(items.get("large")!), "the cache's file is the file");
    const written = await served(mount, async () =>
      assert.equal(await python(BY_DIRECT_IO, path), `${hashOf("large")}\n`),
    );
    assert.ok(written < NO_CONTENT_BYTES, `${written} bytes were served`);
  },
);

test(
  "who opened a file before it was whole goes on, and so does who joins; after both the kernel reads by itself",
  OPTIONS,
  async (t) => {
    const directory = await tempDir(t);
    const mount = await mountOver(t, directory);
    const path = join(mount.path, "large");
    const first = await open(path);
    await hashThrough(first);
    await until(() => completeWholes(directory).length === 1);
    const second = await open(path);
    for (const file of [first, second]) assert.equal(await hashThrough(file), hashOf("large"));
    await first.close();
    await second.close();
    const third = await open(path);
    const fourth = await open(path);
    await third.close();
    const written = await served(mount, async () =>
      assert.equal(await python(BY_DIRECT_IO, path), `${hashOf("large")}\n`),
    );
    assert.equal(await hashThrough(fourth), hashOf("large"));
    await fourth.close();
    assert.ok(written < NO_CONTENT_BYTES, `${written} bytes were served`);
  },
);

test(
  "a file evicted while it is open stays readable, and is fetched again for who opens it next",
  OPTIONS,
  async (t) => {
    const directory = await filledCache(t);
    const mount = await mountOver(t, directory);
    const file = await open(join(mount.path, "large"));
    for (const path of completeWholes(directory)) rmSync(path);
    const written = await served(mount, async () => assert.equal(await hashThrough(file), hashOf("large")));
    assert.ok(written < NO_CONTENT_BYTES, `${written} bytes were served`);
    await file.close();
    assert.ok((await readFile(join(mount.path, "large"))).equals(items.get("large")!));
    await until(() => completeWholes(directory).some((whole) => existsSync(whole)));
  },
);

test("without passthrough, large files are read through us as before", OPTIONS, async (t) => {
  const mount = await mountOver(t, await sharedCache(), { passthrough: false });
  const written = await served(mount, async () =>
    assert.ok((await readFile(join(mount.path, "large"))).equals(items.get("large")!)),
  );
  assert.ok(written > sizeOf("large"), `${written} bytes were served`);
});

test("in a cache that others may write to, large files are read through us", OPTIONS, async (t) => {
  const directory = await tempDir(t);
  chmodSync(directory, 0o2770);
  const mount = await mountOver(t, directory);
  for (let round = 0; round < 2; round++)
    assert.ok((await readFile(join(mount.path, "large"))).equals(items.get("large")!));
  assert.deepEqual(completeWholes(directory), []);
});

test(
  "a cached file that was changed is never passed on: it is hashed, dropped and fetched again",
  OPTIONS,
  async (t) => {
    const directory = await filledCache(t);
    const path = completeWholes(directory).find((each) => statSync(each).size === sizeOf("large"))!;
    writeFileSync(path, "damaged", { flag: "r+" });
    const mount = await mountOver(t, directory);
    assert.ok((await readFile(join(mount.path, "large"))).equals(items.get("large")!));
    assert.ok((await readFile(join(mount.path, "large"))).equals(items.get("large")!));
    await until(() => completeWholes(directory).length === 2);
    for (const whole of completeWholes(directory)) assert.notEqual(whole, path);
  },
);

test("a cached file that was only touched is hashed, and passed on again", OPTIONS, async (t) => {
  const directory = await filledCache(t);
  const [touched] = completeWholes(directory);
  for (const path of completeWholes(directory)) utimesSync(path, 1, 1);
  const mount = await mountOver(t, directory);
  const path = join(mount.path, "large");
  assert.ok((await served(mount, () => readFile(path))) > sizeOf("large"));
  let written = Infinity;
  for (let tries = 0; written > NO_CONTENT_BYTES && tries < 50; tries++) {
    await sleep(20);
    written = await served(mount, () => python(BY_DIRECT_IO, path));
  }
  assert.ok(written < NO_CONTENT_BYTES, `${written} bytes were served`);
  assert.ok(completeWholes(directory).includes(touched!));
});

test(
  "after a thousand opens nothing holds the cache's file: removed, it gives its room back",
  OPTIONS,
  async (t) => {
    const directory = await tempDir(t);
    spawnSync("mount", ["-t", "tmpfs", "-o", "size=256m,mode=700", "tmpfs", directory]);
    await unmounted(await readOnce(t, directory));
    const mount = await mountOver(t, directory);
    const path = join(mount.path, "large");
    for (let n = 0; n < 1_000; n++) await (await open(path)).close();
    const written = await served(mount, async () =>
      assert.equal(await python(BY_DIRECT_IO, path), `${hashOf("large")}\n`),
    );
    assert.ok(written < NO_CONTENT_BYTES, `${written} bytes were served`);
    for (const whole of completeWholes(directory)) rmSync(whole);
    await until(() => usedBytes(directory) < 8 * MiB);
  },
);

test("pages of a smaller file are kept from one open to the next", OPTIONS, async (t) => {
  const mount = await mountOver(t, await tempDir(t));
  const read = () => readFile(join(mount.path, "small"));
  await read();
  assert.ok((await served(mount, read)) < NO_CONTENT_BYTES);
});

test("a version without large files is told of no opens", OPTIONS, async (t) => {
  const mount = await mountSample(t, "everything");
  const opened = async (times: number) => {
    for (let n = 0; n < times; n++) await (await open(join(mount.path, "docs/hello.txt"))).close();
  };
  await opened(1);
  const before = writesOf(mount);
  await opened(1_000);
  assert.ok(writesOf(mount) - before < 100, "each open would have been answered by a write");
});

async function readOnce(t: Scope, directory: string): Promise<Mounted> {
  const mount = await mountOver(t, directory);
  await readFile(join(mount.path, "large"));
  await until(() => completeWholes(directory).length === 1);
  return mount;
}

function usedBytes(directory: string): number {
  const { blocks, bfree, bsize } = statfsSync(directory);
  return (blocks - bfree) * bsize;
}
