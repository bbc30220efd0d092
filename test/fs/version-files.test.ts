/** A version's tree and its bytes, with no mount: what is missing is named, what comes next is guessed. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { type Block, type LocalBlocks, Missing } from "../../src/cache/block.js";
import type { RemoteId, Sha256 } from "../../src/content/chunk.js";
import { rangeLoader } from "../../src/fs/range-loader.js";
import { VersionFiles } from "../../src/fs/version-files.js";
import { openRoot } from "../../src/manifest/root.js";
import { Tree } from "../../src/manifest/tree.js";
import type { TreePath } from "../../src/paths.js";
import { KiB, MiB } from "../../src/units.js";
import { shuffled } from "../support/shuffled.js";
import { type MemoryRemote, memoryRemote } from "../support/memory-remote.js";
import { bytesOf, sample } from "./support/samples.js";
import { type Item, putVersion } from "./support/version.js";

const REMOTE = "0123456789abcdef0123456789abcdef" as RemoteId;
const OWNER = { uid: 1000, gid: 100, preserveOwner: false };

/** A version whose blocks come when `fetch` is told to bring them. */
class Fixture {
  readonly prefetched: Block[] = [];
  readonly #here = new Map<Sha256, Uint8Array>();

  private constructor(
    private readonly remote: MemoryRemote,
    private readonly root: Block,
  ) {}

  static async of(items: readonly Item[]): Promise<Fixture> {
    const remote = memoryRemote();
    return new Fixture(remote, await putVersion(remote, REMOTE, items));
  }

  open(options = OWNER): VersionFiles {
    const blocks: LocalBlocks = {
      copy: (hash, start, end, target, at) => {
        const block = this.#here.get(hash);
        if (block) target.set(block.subarray(start, end), at);
        return block !== undefined;
      },
      get: (hash) => this.#here.get(hash),
    };
    const tree = new Tree(openRoot(this.remote.objects.get(this.root.key)!), rangeLoader(blocks));
    return new VersionFiles(tree, blocks, {
      ...options,
      prefetch: (ahead) => this.prefetched.push(...ahead),
    });
  }

  fetch(blocks: readonly Block[]): void {
    for (const { hash, key, offset, storedBytes } of blocks)
      this.#here.set(hash, this.remote.objects.get(key)!.subarray(offset, offset + storedBytes));
  }

  /** Runs an operation as a mount does; gives its result and what had to be fetched for it, in bytes. */
  complete<T>(operation: () => T): { result: T; fetchedBytes: number; ahead: number } {
    let [fetchedBytes, ahead] = [0, 0];
    for (;;) {
      try {
        return { result: operation(), fetchedBytes, ahead };
      } catch (missing) {
        if (!(missing instanceof Missing)) throw missing;
        this.fetch([...missing.blocks, ...missing.ahead]);
        fetchedBytes += sum(missing.blocks);
        ahead += sum(missing.ahead);
      }
    }
  }
}

function sum(blocks: readonly Block[]): number {
  return blocks.reduce((total, { sizeBytes }) => total + sizeBytes, 0);
}

test("attributes() shows entries as stored, owned by the mounting user unless owners are preserved", async () => {
  const fixture = await Fixture.of([
    { path: "f", content: Buffer.from("abc"), mode: 0o4755, mtimeSec: -7, mtimeNsec: 5, uid: 3, gid: 4 },
  ]);
  const times = { atimeSec: -7, atimeNsec: 5, mtimeSec: -7, mtimeNsec: 5, ctimeSec: -7, ctimeNsec: 5 };
  const wanted = {
    ino: 2,
    mode: 0o104755,
    nlink: 1,
    uid: 1000,
    gid: 100,
    rdev: 0,
    sizeBytes: 3,
    allocatedBytes: 3,
    ...times,
  };
  const files = fixture.open();
  assert.deepEqual(fixture.complete(() => files.attributes(1)).result, wanted);
  const preserving = fixture.open({ ...OWNER, preserveOwner: true });
  assert.deepEqual(fixture.complete(() => preserving.attributes(1)).result, { ...wanted, uid: 3, gid: 4 });
});

test("hard links share the inode of the member that sorts first, and count its names", async () => {
  const fixture = await Fixture.of(sample("everything"));
  const files = fixture.open();
  const ordinals = ["a", "b", "c"].map(
    (name) => fixture.complete(() => files.tree.find(`links/${name}` as TreePath)).result!,
  );
  assert.deepEqual(
    ordinals.map((ordinal) => files.shared(ordinal)),
    [ordinals[0], ordinals[0], ordinals[0]],
  );
  const shown = ordinals.map((ordinal) => files.attributes(ordinal));
  assert.deepEqual(shown, [shown[0], shown[0], shown[0]]);
  assert.deepEqual({ ino: shown[0]!.ino, nlink: shown[0]!.nlink }, { ino: ordinals[0]! + 1, nlink: 3 });
});

test("a read names all its missing chunks at once, and a lone random read nothing more", async () => {
  const fixture = await Fixture.of([{ path: "big", content: bytesOf("big", 40 * MiB) }]);
  const files = fixture.open();
  const target = new Uint8Array(2 * MiB);
  fixture.complete(() => files.attributes(1));
  const at = 20 * MiB + 500;
  const { result, fetchedBytes, ahead } = fixture.complete(() => files.read(1, at, 1 * MiB, target, 7));
  assert.deepEqual({ result, fetchedBytes, ahead }, { result: 1 * MiB, fetchedBytes: 2 * MiB, ahead: 0 });
  assert.ok(
    bytesOf("big", 40 * MiB)
      .subarray(at, at + 1 * MiB)
      .equals(target.subarray(7, 7 + 1 * MiB)),
  );
});

test("reading a large file in order waits for few chunks, and asks for no more than 32 MiB ahead", async () => {
  const fixture = await Fixture.of([{ path: "big", content: bytesOf("big", 64 * MiB) }]);
  const files = fixture.open();
  const target = new Uint8Array(1 * MiB);
  let waitedForBytes = 0;
  fixture.complete(() => files.attributes(1));
  for (let at = 0; at < 64 * MiB; at += 1 * MiB) {
    const { fetchedBytes, ahead } = fixture.complete(() => files.read(1, at, 1 * MiB, target, 0));
    waitedForBytes += fetchedBytes;
    assert.ok(ahead + sum(fixture.prefetched) <= 32 * MiB);
    fixture.fetch(fixture.prefetched.splice(0));
  }
  assert.equal(waitedForBytes, 2 * MiB);
});

test("reading a folder's small files in order waits for few of them", async () => {
  const fixture = await Fixture.of(sample("folder5000"));
  const files = fixture.open();
  const target = new Uint8Array(4 * KiB);
  let waits = 0;
  const { start, end } = fixture.complete(() => files.children(1)).result;
  for (let ordinal = start; ordinal < end; ordinal++) {
    if (fixture.complete(() => files.read(ordinal, 0, 4 * KiB, target, 0)).fetchedBytes > 0) waits++;
    fixture.fetch(fixture.prefetched.splice(0));
  }
  assert.ok(waits <= 5, `${waits} of 5,000 files were waited for`);
});

test("reading far apart files fetches nothing along", async () => {
  const fixture = await Fixture.of(sample("folder5000"));
  const files = fixture.open();
  const target = new Uint8Array(4 * KiB);
  const { start } = fixture.complete(() => files.children(1)).result;
  for (let n = 0; n < 4_000; n += 500) {
    const { ahead } = fixture.complete(() => files.read(start + ((n * 7) % 5_000), 0, 4 * KiB, target, 0));
    assert.equal(ahead + fixture.prefetched.length, 0);
  }
});

/** Reads files of a folder in an order nobody could guess; gives what was waited for and what came along. */
function readInNoOrder(fixture: Fixture, files: VersionFiles, count: number) {
  const target = new Uint8Array(8 * KiB);
  const { start, end } = fixture.complete(() => files.children(1)).result;
  for (let ordinal = start; ordinal < end; ordinal++) fixture.complete(() => files.attributes(ordinal));
  let [waits, bytes] = [0, 0];
  for (const index of shuffled(5_000).slice(0, count)) {
    const read = fixture.complete(() => files.read(start + index, 0, 8 * KiB, target, 0));
    if (read.fetchedBytes > 0) waits++;
    const along = fixture.prefetched.splice(0);
    fixture.fetch(along);
    bytes += read.fetchedBytes + read.ahead + sum(along);
  }
  return { waits, bytes };
}

test("reading 256 of 5,000 files in no order fetches less than three times their bytes", async () => {
  const fixture = await Fixture.of(sample("pages5000"));
  const { waits, bytes } = readInNoOrder(fixture, fixture.open(), 256);
  assert.ok(waits <= 256 && bytes < 3 * 256 * 8 * KiB, `${bytes} bytes were fetched`);
});

test("reading all of 5,000 files in no order comes to fetch the rest: few are waited for, none comes twice", async () => {
  const fixture = await Fixture.of(sample("small5000"));
  const { waits, bytes } = readInNoOrder(fixture, fixture.open(), 5_000);
  assert.ok(waits <= 5_000 / 7, `${waits} of 5,000 files were waited for`);
  assert.equal(bytes, 5_000 * KiB);
});
