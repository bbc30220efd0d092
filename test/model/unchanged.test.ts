/** Nothing of a mount, in names, times or bytes, is changed by a live commit, by recovering it, or by mounting its child. */
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { atEnd } from "../support/cleanup.js";
import { tempDir } from "../support/temp.js";
import { ModelHome, WritableMount } from "./mount.js";
import { perform } from "./perform.js";
import type { FileOperation } from "./operations.js";
import { differences, keptOf, treeOfFolder } from "./tree.js";

const OPTIONS = { timeout: 300_000, skip: process.platform !== "linux" || process.getuid?.() !== 0 };

/** Some of everything, so that all that a tree keeps differs from the version below. */
const CHANGES: readonly FileOperation[] = [
  { do: "create", path: "new \xff\n", mode: 0o4751, bytes: 9_000 },
  { do: "write", path: "a/a", offset: 5_000, bytes: 7_000 },
  { do: "write", path: "d/c", offset: 1_100_000, bytes: 3 },
  { do: "truncate", path: "b/c", size: 1_200_000 },
  { do: "truncate", path: "c", size: -1 },
  { do: "rename", path: "a/b", to: "moved", flags: 0 },
  { do: "rename", path: "a", to: "d", flags: 2 },
  { do: "symlink", path: "link", target: "d/\xfe" },
  { do: "link", path: "link", to: "b/other", flags: 0 },
  { do: "link", path: "d/c", to: "b/third", flags: 0 },
  { do: "unlink", path: "moved/a" },
  { do: "mkdir", path: "b/set-group", mode: 0o755 },
  { do: "chmod", path: "b/set-group", mode: 0o3777 },
  { do: "chown", path: "link", uid: 7, gid: 8, follow: false },
  { do: "setxattr", path: "b", name: "user.\xfe", value: "kept", flags: 0 },
  { do: "removexattr", path: "", name: "user.one" },
  { do: "utimens", path: "link", mtime: "-1234567890123456789", follow: false },
  { do: "utimens", path: "b/set-group", mtime: "7999999999999999999", follow: true },
  { do: "mknod", path: "fifo", mode: 0o010644 },
  { do: "open", path: "b/a", flags: 2, slot: 0 },
  { do: "allocate", slot: 0, mode: 0, offset: 0, length: 10_000 },
  { do: "truncateOpen", slot: 0, size: 10_000 },
  { do: "mapWrite", slot: 0, offset: 4_000, bytes: 100 },
  { do: "close", slot: 0 },
];

test("names, times and bytes stay as they are through commit, recover and remount", OPTIONS, async (t) => {
  const folder = await tempDir(t);
  const path = join(folder, "mnt");
  mkdirSync(path);
  const home = await ModelHome.begin(folder);
  atEnd(t, () => home.close());
  const mount = new WritableMount(home, path);
  atEnd(t, () => mount.close());
  await mount.begin();
  const side = { root: path, open: new Map<number, number>(), isDisk: false, sinceNs: 0n };
  for (const [seed, change] of CHANGES.entries())
    assert.ok("value" in perform(side, change, seed), JSON.stringify(change));
  const before = treeOfFolder(path);
  const since = (what: string) => differences(["before", before], [what, treeOfFolder(path)]);

  await mount.commit();
  assert.deepEqual(since("after a live commit"), []);
  assert.deepEqual(differences(["mount", keptOf(before)], ["version", await mount.lastVersion()]), []);
  await mount.crash();
  assert.deepEqual(since("after kill -9 and recover"), []);
  await mount.remount();
  assert.deepEqual(differences(["before", keptOf(before)], ["child", treeOfFolder(path)]), []);
  await mount.unmount();
});
