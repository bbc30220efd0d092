/** Files go into a writable mount by `cp -a`, and come out of a read-only one equal. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, linkSync, mkdirSync, truncateSync, writeFileSync } from "node:fs";
import { appendFile, chmod, mkdir, rename, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";

import { noise } from "../content/noise.js";
import { describeFolder, writeFolder } from "../dataset/support/folders.js";
import { CAN_MOUNT } from "../fs/support/mounted.js";
import { setTime, setXattr } from "../support/native.js";
import { varveUser } from "../support/varve.js";
import { copy, digestsIn } from "./support/shell.js";

const OPTIONS = { skip: !CAN_MOUNT, timeout: 300_000 };

/** A folder with every kind of file a version keeps. */
function writeEverything(root: string): void {
  writeFolder(root, {
    "text/hello": "hello\n",
    "text/empty": "",
    "binary/large": noise("large", 5_000_001),
    "empty/folder/": "",
    "links/relative": { target: "../text/hello" },
    "links/dangling": { target: "/no/such/place" },
    "links/folder": { target: "../text" },
    "odd/new\nline and ünïcode": "odd",
    "modes/suid": "1",
    "modes/none": "2",
    "sparse/file": "start",
    ...Object.fromEntries([...Array(500).keys()].map((index) => [`many/f${index}`, `number ${index}`])),
  });
  writeFileSync(Buffer.concat([Buffer.from(`${root}/odd/`), Buffer.from([0xff, 0x80])]), "not UTF-8");
  mkdirSync(Buffer.concat([Buffer.from(`${root}/odd/folder-`), Buffer.from([0xc3])]));
  chmodSync(join(root, "modes/suid"), 0o4755);
  chmodSync(join(root, "modes/none"), 0o000);
  chmodSync(join(root, "empty"), 0o1777);
  truncateSync(join(root, "sparse/file"), 40_000_000);
  linkSync(join(root, "text/hello"), join(root, "links/hard"));
  linkSync(join(root, "text/hello"), join(root, "hard too"));
  setXattr(join(root, "text/hello"), "user.note", Buffer.from([0, 1, 255]));
  setTime(join(root, "text/hello"), 1_234_567_890_123_456_789n);
  setTime(join(root, "text/empty"), -123_456_789n);
  setTime(join(root, "links/dangling"), 987_654_321_000_000_001n);
  setTime(join(root, "empty/folder"), 1n);
}

test("what cp -a puts into a writable mount, cp -a takes out of a read-only one", OPTIONS, async (t) => {
  const varve = await varveUser(t);
  const [source, at, out] = ["files", "mnt", "out"].map((name) => join(varve.home, "..", name)) as [
    string,
    string,
    string,
  ];
  writeEverything(source);
  for (const folder of [at, out]) mkdirSync(folder);
  const whole = describeFolder(source);

  await varve.ok(["create", "p/d"]);
  await varve.ok(["finalize"]);
  await varve.ok(["mount", "-w", "p/d", at]);
  await copy(source, at);
  assert.deepEqual(describeMounted(at), whole, "in the writable mount");
  await varve.ok(["unmount", at]);
  await varve.ok(["mount", "p/d", at]);
  assert.deepEqual(describeMounted(at), whole, "in the read-only mount");
  await copy(at, out);
  await assertReadOnly(at);
  await varve.ok(["unmount", at]);
  assert.deepEqual(describeFolder(out), whole, "copied out");

  const [mounted, synced] = [
    await digestsIn(varve, "p/d"),
    await varve.ok(["sync", source, "p/synced", "--json"]),
  ];
  const { contentDigest } = synced.json() as { contentDigest: string };
  assert.equal(mounted.contentDigest, contentDigest, "a sync of the folder is the same tree");
});

test("a tree that was edited in a mount has the digests of the same tree synced", OPTIONS, async (t) => {
  const varve = await varveUser(t);
  const [source, at] = ["files", "mnt"].map((name) => join(varve.home, "..", name)) as [string, string];
  writeFolder(source, { "a/b/c": "1", "a/d": "2", "x/y": noise("y", 2_000_000), gone: "g" });
  mkdirSync(at);
  await varve.ok(["sync", source, "p/d"]);
  await varve.ok(["mount", "-w", "p/d", at]);
  for (const root of [source, at]) {
    await rename(join(root, "a"), join(root, "moved"));
    await rm(join(root, "gone"));
    await mkdir(join(root, "gone"));
    await appendFile(join(root, "x/y"), "more");
    await truncate(join(root, "moved/d"), 0);
    await symlink("x/y", join(root, "link"));
    await chmod(join(root, "moved/b/c"), 0o755);
    await writeFile(join(root, "new"), "new");
  }
  // Times are set last, to the same in both.
  for (const root of [source, at])
    execFileSync("find", [root, "-exec", "touch", "-h", "-d", "2020-01-02T03:04:05.123456789Z", "{}", "+"]);
  const committed = (await varve.ok(["unmount", at, "--json"])).json() as {
    committed: { digest: string; contentDigest: string };
  };
  const synced = (await varve.ok(["sync", source, "p/synced", "--json"])).json() as {
    digest: string;
    contentDigest: string;
  };
  assert.equal(committed.committed.contentDigest, synced.contentDigest);
  assert.equal(committed.committed.digest, synced.digest);
});

/** A mount's own folder of facts is no part of its version. */
function describeMounted(at: string): Record<string, string> {
  const entries = Object.entries(describeFolder(at)).filter(
    ([path]) => path !== ".varve" && !path.startsWith(".varve/"),
  );
  return Object.fromEntries(entries);
}

async function assertReadOnly(at: string): Promise<void> {
  const readOnly = { code: "EROFS" };
  await assert.rejects(writeFile(join(at, "new"), "x"), readOnly);
  await assert.rejects(appendFile(join(at, "text/hello"), "x"), readOnly);
  await assert.rejects(truncate(join(at, "text/hello"), 0), readOnly);
  await assert.rejects(rm(join(at, "text/hello")), readOnly);
  await assert.rejects(mkdir(join(at, "folder")), readOnly);
  await assert.rejects(rename(join(at, "text"), join(at, "moved")), readOnly);
  await assert.rejects(symlink("x", join(at, "link")), readOnly);
  await assert.rejects(chmod(join(at, "text"), 0o700), readOnly);
}
