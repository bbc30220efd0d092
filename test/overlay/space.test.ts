/** A disk that runs full: refused early, and what failed is remembered until it is mended. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { openOverlay } from "../../src/fs/overlay/overlay.js";
import { openSnapshot } from "../../src/fs/overlay/snapshot.js";
import { MiB } from "../../src/units.js";
import { detachBelow } from "../support/mounts.js";
import { tempDir } from "../support/temp.js";
import { Client } from "./support/client.js";
import { errno, overlayOver } from "./support/fixture.js";
import { MemoryBase, pattern } from "./support/memory-base.js";

test("with only the reserve left, what needs room is refused, what gives some back works, and statfs shows none", async (t) => {
  const disk = { totalBytes: 1000 * MiB, freeBytes: 500 * MiB, totalFiles: 10, freeFiles: 5 };
  const options = { reserveBytes: 100 * MiB, diskStats: () => disk };
  const { client, reopen } = await overlayOver(
    t,
    { f: { content: pattern(10, 1) }, g: { content: pattern(10, 1) } },
    options,
  );
  assert.equal(client.overlay.statfs().freeBytes, 400 * MiB);
  disk.freeBytes = 99 * MiB;
  const full = reopen(); // what is known of the disk is believed for 100 ms
  const { ino } = full.resolve("f");
  for (const attempt of [
    () => full.create("new", 0o644),
    () => full.mkdir("new"),
    () => full.symlink("new", "x"),
    () => full.link("f", "new"),
    () => full.overlay.setattr(ino, { sizeBytes: 11 }),
    () => full.overlay.fallocate(ino, 0, 0, 100),
  ])
    assert.throws(attempt, errno("ENOSPC"));
  assert.equal(full.overlay.statfs().freeBytes, 0);
  full.overlay.setattr(ino, { sizeBytes: 5 });
  full.patch("f", 0, pattern(5, 2));
  full.unlink("g");
});

const canMount = process.platform === "linux" && process.getuid!() === 0 && tmpfsWorks();

test(
  "a write that fails on a full disk is remembered, also by the next process, until the file is rewritten",
  { skip: !canMount && "needs to mount a tmpfs" },
  async (t) => {
    const directory = await smallDisk(t);
    const base = new MemoryBase({});
    const client = new Client(openOverlay(directory, base, { reserveBytes: 0 }), base);
    t.after(() => client.overlay.close());
    client.put("kept", pattern(1_000, 1));
    const file = client.create("short", 0o644);
    assert.throws(
      () => fill(client, file),
      (error) => (error as { code?: string }).code === "ENOSPC",
    );
    assert.deepEqual(client.overlay.failedWrites(), [{ ino: file.ino, paths: ["short"] }]);
    const snapshot = await openSnapshot(directory, base.forSnapshot);
    assert.deepEqual(snapshot.failedWrites(), ["short"]);
    snapshot.close();
    client.overlay.setattr(file.ino, { sizeBytes: 0 });
    client.write(file, 0, pattern(100, 2));
    client.close(file);
    assert.deepEqual(client.overlay.failedWrites(), []);
    assert.deepEqual(client.whole("kept"), Buffer.from(pattern(1_000, 1)));
  },
);

test(
  "files can be removed although the disk is full to the last byte",
  { skip: !canMount && "needs to mount a tmpfs" },
  async (t) => {
    const directory = await smallDisk(t);
    const base = new MemoryBase({});
    const client = new Client(openOverlay(directory, base, { reserveBytes: 0 }), base);
    t.after(() => client.overlay.close());
    const file = client.create("big", 0o644);
    assert.throws(() => fill(client, file));
    const left = fs.openSync(join(directory, "other"), "w");
    assert.throws(() => {
      for (;;) fs.writeSync(left, new Uint8Array(4096));
    });
    fs.closeSync(left);
    client.close(file);
    client.unlink("big");
    client.overlay.forget(file.ino);
    assert.deepEqual(client.list(""), []);
    assert.deepEqual(client.overlay.failedWrites(), []);
    client.put("small", pattern(1_000, 1));
  },
);

function fill(client: Client, file: { ino: number; handle: number }): void {
  for (let at = 0; ; at += MiB) client.write(file, at, new Uint8Array(MiB).fill(1));
}

async function smallDisk(t: Parameters<typeof tempDir>[0]): Promise<string> {
  const path = await tempDir(t);
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=24m", "varve-test", path]);
  return path;
}

function tmpfsWorks(): boolean {
  const path = fs.mkdtempSync("/tmp/varve-probe-");
  try {
    execFileSync("mount", ["-t", "tmpfs", "varve-probe", path], { stdio: "ignore" });
    detachBelow(path);
    return true;
  } catch {
    return false;
  } finally {
    fs.rmdirSync(path);
  }
}
