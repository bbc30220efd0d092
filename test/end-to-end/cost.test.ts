/** A commit costs what changed, not what exists. */
import assert from "node:assert/strict";
import { mkdirSync, openSync, closeSync, readdirSync, renameSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";

import { MiB } from "../../src/units.js";
import { noise } from "../content/noise.js";
import { writeFolder } from "../dataset/support/folders.js";
import { CAN_MOUNT } from "../fs/support/mounted.js";
import { type Varve, varveUser } from "../support/varve.js";
import { timed } from "./support/shell.js";

const OPTIONS = { skip: !CAN_MOUNT, timeout: 300_000 };

interface Committed {
  bytesSent: number;
  contentBytesSent: number;
  added: number;
  modified: number;
  removed: number;
  renamed: number;
}

/** A user, an empty folder for files, and one to mount at. */
async function user(t: TestContext): Promise<{ varve: Varve; folder: string; at: string }> {
  const varve = await varveUser(t);
  const [folder, at] = [join(varve.home, "../files"), join(varve.home, "../mnt")];
  mkdirSync(folder);
  mkdirSync(at);
  return { varve, folder, at };
}

async function unmounted(varve: Varve, at: string): Promise<Committed> {
  return ((await varve.ok(["unmount", at, "--json"])).json() as { committed: Committed }).committed;
}

test("renaming a large file sends none of its content, by sync and in a mount", OPTIONS, async (t) => {
  const { varve, folder, at } = await user(t);
  writeFolder(folder, { large: noise("large", 64 * MiB), small: "1" });
  await varve.ok(["sync", folder, "p/d"]);
  renameSync(join(folder, "large"), join(folder, "renamed"));
  const synced = (await varve.ok(["sync", folder, "p/d", "--json"])).json() as Committed;
  assert.deepEqual([synced.renamed, synced.contentBytesSent], [1, 0]);
  assert.ok(synced.bytesSent < 1 * MiB, `${synced.bytesSent} bytes sent`);

  await varve.ok(["mount", "-w", "p/d", at]);
  renameSync(join(at, "renamed"), join(at, "again"));
  const committed = await unmounted(varve, at);
  assert.deepEqual([committed.renamed, committed.contentBytesSent], [1, 0]);
  assert.ok(committed.bytesSent < 1 * MiB, `${committed.bytesSent} bytes sent`);
});

test(
  "renaming a folder of 10,000 files in a mount is quick, and sends their names only",
  OPTIONS,
  async (t) => {
    const { varve, folder, at } = await user(t);
    const files = [...Array(10_000).keys()].map((index) => [`folder/file-${index}`, `${index}`]);
    writeFolder(folder, { ...(Object.fromEntries(files) as Record<string, string>), other: "1" });
    await varve.ok(["sync", folder, "p/d"]);
    await varve.ok(["mount", "-w", "p/d", at]);
    const ms = await timed("mv", join(at, "folder"), join(at, "moved"));
    const committed = await unmounted(varve, at);
    t.diagnostic(
      `mv, its process included: ${ms.toFixed(0)} ms (to reach: 20 ms); ${committed.bytesSent} bytes sent`,
    );
    assert.ok(ms < 1_000, `mv took ${ms} ms`);
    const { added, modified, removed, renamed, contentBytesSent } = committed;
    assert.deepEqual(
      { added, modified, removed, renamed, contentBytesSent },
      { added: 0, modified: 0, removed: 0, renamed: 10_000, contentBytesSent: 0 },
    );
    assert.ok(committed.bytesSent < 2 * MiB, `${committed.bytesSent} bytes sent`);
  },
);

test("changing 1 MiB inside a large file keeps and sends little more than that", OPTIONS, async (t) => {
  const { varve, folder, at } = await user(t);
  writeFolder(folder, { large: noise("large", 256 * MiB) });
  await varve.ok(["sync", folder, "p/d"]);
  await varve.ok(["mount", "-w", "p/d", at]);
  const fd = openSync(join(at, "large"), "r+");
  writeSync(fd, noise("change", 1 * MiB), 0, 1 * MiB, 128 * MiB + 12_345);
  closeSync(fd);
  await timed("sync", "-f", at);
  const overlaid = diskBytesBelow(join(varve.home, "overlays"));
  const committed = await unmounted(varve, at);
  t.diagnostic(
    `${(overlaid / MiB).toFixed(1)} MiB of overlay, ${(committed.bytesSent / MiB).toFixed(1)} MiB sent`,
  );
  assert.ok(overlaid >= 1 * MiB && overlaid <= 16 * MiB, `the overlay takes ${overlaid} bytes`);
  assert.equal(committed.modified, 1);
  assert.ok(committed.bytesSent <= 8 * MiB, `${committed.bytesSent} bytes sent`);
});

/** What the files below a folder take on the disk. */
function diskBytesBelow(folder: string): number {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return files.reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).blocks * 512, 0);
}
