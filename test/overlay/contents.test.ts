/** Bytes: what is copied, what is a hole, and what is given back. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import type { Attributes } from "../../src/fs/filesystem.js";
import { without } from "../../src/fs/overlay/spans.js";
import { GiB, MiB } from "../../src/units.js";
import { errno, overlayOver } from "./support/fixture.js";
import { MemoryBase, pattern } from "./support/memory-base.js";

/** A base whose one file is larger than anybody would want in memory. */
class HugeBase extends MemoryBase {
  override attributes(ordinal: number): Attributes {
    const attributes = super.attributes(ordinal);
    return attributes.ino === 1 ? attributes : { ...attributes, sizeBytes: 1 * GiB };
  }

  override read(_ordinal: number, _offset: number, length: number, target: Uint8Array, at: number): number {
    target.fill(7, at, at + length);
    return length;
  }
}

const diskKiB = (path: string): number => Number(execFileSync("du", ["-sk", path]).toString().split("\t")[0]);

test("1 MiB changed inside a file of 1 GiB takes little over 1 MiB of disk", async (t) => {
  const planned = { huge: { content: pattern(1, 1) } };
  const { client, directory } = await overlayOver(t, planned, {}, new HugeBase(planned));
  const before = diskKiB(directory);
  client.patch("huge", 512 * MiB + 13, new Uint8Array(MiB).fill(9));
  assert.ok(diskKiB(directory) - before < 3 * 1024);
  const around = client.read(client.resolve("huge"), 512 * MiB + 12, MiB + 2);
  assert.deepEqual([around[0], around[1], around[MiB], around[MiB + 1]], [7, 9, 9, 7]);
});

test("bytes of the base that were cut off read as zeros when the file grows again", async (t) => {
  const { client } = await overlayOver(t, { f: { content: pattern(100, 1) } });
  const { ino } = client.resolve("f");
  client.overlay.setattr(ino, { sizeBytes: 40 });
  client.overlay.setattr(ino, { sizeBytes: 100 });
  assert.deepEqual(client.whole("f"), Buffer.concat([pattern(100, 1).subarray(0, 40), new Uint8Array(60)]));
});

test("a file removed while it is open keeps its bytes until it is let go of, and then gives its room back", async (t) => {
  const { client, directory } = await overlayOver(t, {});
  const file = client.create("f", 0o644);
  client.write(file, 0, new Uint8Array(4 * MiB).fill(1));
  client.unlink("f");
  client.overlay.forget(file.ino);
  assert.equal(client.read(file, 4 * MiB - 1, 10).length, 1);
  const before = diskKiB(join(directory, "data"));
  client.close(file);
  client.overlay.forget(file.ino);
  assert.ok(before - diskKiB(join(directory, "data")) >= 4 * 1024);
  assert.throws(() => client.overlay.getattr(file.ino), errno("ESTALE"));
});

test("what lseek calls a hole reads as zeros, and what it calls data covers all else", async () => {
  const write = fc.record({
    at: fc.nat(300_000),
    length: fc.integer({ min: 1, max: 40_000 }),
    punch: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(write, { maxLength: 8 }), fc.boolean(), async (writes, fromBase) => {
      const ended: (() => void | Promise<void>)[] = [];
      const content = pattern(200_000, 3).fill(0, 50_000, 90_000);
      const holes: [number, number][] = [[50_000, 90_000]];
      const scope = { after: (work: () => Promise<void>) => void ended.push(work) };
      const { client } = await overlayOver(scope, { f: { content, holes } });
      if (!fromBase) client.put("g", pattern(10, 1));
      const path = fromBase ? "f" : "g";
      for (const { at, length, punch } of writes) {
        if (punch) client.overlay.fallocate(client.resolve(path).ino, 3, at, length);
        else client.patch(path, at, pattern(length, at));
      }
      const bytes = client.whole(path);
      const data = dataRuns(client, path);
      for (const { start, end } of without(data, { start: 0, end: bytes.length }))
        assert.ok(bytes.subarray(start, end).every((byte) => byte === 0));
      for (const work of ended) await work();
    }),
    { numRuns: 15, includeErrorInReport: true },
  );
});

function dataRuns(
  client: {
    overlay: { lseek(ino: number, offset: number, whence: number): number };
    resolve(path: string): Attributes;
  },
  path: string,
): { start: number; end: number }[] {
  const { ino, sizeBytes } = client.resolve(path);
  const runs: { start: number; end: number }[] = [];
  for (let at = 0; at < sizeBytes;) {
    try {
      const start = client.overlay.lseek(ino, at, 3);
      at = client.overlay.lseek(ino, start, 4);
      assert.ok(at > start && start >= (runs.at(-1)?.end ?? 0));
      runs.push({ start, end: at });
    } catch (error) {
      assert.ok(errno("ENXIO")(error));
      break;
    }
  }
  return runs;
}

test("the holes of a base file stay holes after a write beside them", async (t) => {
  const content = pattern(300_000, 1).fill(0, 100_000, 200_000);
  const { client } = await overlayOver(t, { f: { content, holes: [[100_000, 200_000]] } });
  client.patch("f", 250_000, pattern(10, 5));
  assert.deepEqual(dataRuns(client, "f"), [
    { start: 0, end: 100_000 },
    { start: 200_000, end: 300_000 },
  ]);
});

test("fsync syncs the data, its folder and the journal, in that order, and does not wait for it", async (t) => {
  const synced: string[] = [];
  const syncFiles = async (paths: readonly string[]): Promise<void> => void synced.push(...paths);
  const { client, directory } = await overlayOver(t, {}, { syncFiles });
  const file = client.create("f", 0o644);
  client.write(file, 0, pattern(10, 1));
  await client.overlay.fsync(file.ino);
  const parts = [`data/${file.ino}`, "data", "journal.db-wal"].map((part) => `${directory}/${part}`);
  assert.deepEqual(synced, [...parts, directory]);
});

test("fsync by the thread's own pool succeeds for files with and without local bytes", async (t) => {
  const { client } = await overlayOver(t, { f: { content: pattern(5, 1) } });
  await client.overlay.fsync(client.resolve("f").ino);
  await client.overlay.fsync(client.put("g", pattern(5, 1)));
});
