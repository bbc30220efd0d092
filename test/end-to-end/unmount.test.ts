/** Unmounting commits, whoever does it; and what happens when it cannot, yet, or should not. */
import assert from "node:assert/strict";
import { fsyncSync, openSync, readFileSync, rmSync, writeFileSync, writeSync, closeSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { mountsBelow } from "../support/mounts.js";
import { startProcess } from "../support/processes.js";
import { tempDir } from "../support/temp.js";
import { type Varve, varveUser } from "../support/varve.js";
import {
  DATASET,
  MOUNTED,
  filesOf,
  labelsOf,
  leftOvers,
  mountWritable,
  sh,
  until,
  userWith,
} from "./support/mounted.js";

const FILES = { "a.txt": "a", "sub/b.txt": "b" };

/** What `unmount` and `commit` print with `--json`. */
interface Committed {
  committed: { version: string; parent: string; open: string[] } | null;
}

const WAYS = {
  "umount DIR": ({ path }) => sh('umount "$1"', path),
  "fusermount3 -u DIR": ({ path }) => sh('fusermount3 -u "$1"', path),
  "SIGTERM to its process": ({ pid }) => process.kill(pid, "SIGTERM"),
  "varve unmount DIR": ({ path, varve }) => varve.ok(["unmount", path]),
} satisfies Record<string, (mount: { path: string; pid: number; varve: Varve }) => unknown>;

for (const [way, unmount] of Object.entries(WAYS))
  test(`${way} commits what changed as a child version`, MOUNTED, async (t) => {
    const varve = await userWith(t, FILES);
    const mount = await mountWritable(t, varve);
    writeFileSync(join(mount.path, "new.txt"), "new");
    rmSync(join(mount.path, "a.txt"));
    await unmount({ ...mount, varve });
    await mount.ended();
    assert.deepEqual(await labelsOf(varve), ["1.0.0", "1.0.1"]);
    assert.deepEqual(await filesOf(varve, "1.0.1"), { "sub/b.txt": "b", "new.txt": "new" });
    assert.deepEqual([mountsBelow(mount.path), await leftOvers(varve)], [[], []]);
  });

test("a writable mount in which nothing changed makes no version", MOUNTED, async (t) => {
  const varve = await userWith(t, FILES);
  const [read, restored] = [await mountWritable(t, varve), await mountWritable(t, varve)];
  readFileSync(join(read.path, "a.txt"));
  await sh('umount "$1"', read.path);
  await read.ended();
  await sh('chmod 600 "$1" && chmod 644 "$1"', join(restored.path, "a.txt"));
  assert.deepEqual((await varve.ok(["unmount", restored.path, "--json"])).json(), { committed: null });
  assert.deepEqual([await labelsOf(varve), await leftOvers(varve)], [["1.0.0"], []]);
});

test("two writable mounts of one version become two children of it, and nothing is lost", MOUNTED, async (t) => {
  const varve = await userWith(t, FILES);
  const [one, two] = [await mountWritable(t, varve), await mountWritable(t, varve)];
  writeFileSync(join(one.path, "one.txt"), "1");
  writeFileSync(join(two.path, "two.txt"), "2");
  for (const [{ path }, version] of [
    [one, "1.0.1"],
    [two, "1.0.2"],
  ] as const) {
    const { committed } = (await varve.ok(["unmount", path, "--json"])).json() as Committed;
    assert.deepEqual([committed?.version, committed?.parent], [version, `${DATASET}@1.0.0`]);
  }
  assert.deepEqual(await filesOf(varve, "1.0.1"), { ...FILES, "one.txt": "1" });
  assert.deepEqual(await filesOf(varve, "1.0.2"), { ...FILES, "two.txt": "2" });
});

test("two users who commit to one remote at once get two labels, and each finds both", MOUNTED, async (t) => {
  const remote = { VARVE_REMOTE: join(await tempDir(t), "remote") };
  const one = await userWith(t, FILES, remote);
  const two = await varveUser(t, remote);
  const mounts = [await mountWritable(t, one), await mountWritable(t, two)] as const;
  writeFileSync(join(mounts[0].path, "who"), "one");
  writeFileSync(join(mounts[1].path, "who"), "two");
  const answers = await Promise.all([
    one.ok(["unmount", mounts[0].path, "--json"]),
    two.ok(["unmount", mounts[1].path, "--json"]),
  ]);
  const taken = answers.map((answer) => (answer.json() as Committed).committed!.version);
  assert.deepEqual([...taken].sort(), ["1.0.1", "1.0.2"]);
  for (const varve of [one, two]) {
    assert.deepEqual(await labelsOf(varve), ["1.0.0", "1.0.1", "1.0.2"]);
    assert.equal((await filesOf(varve, taken[0]!))["who"], "one");
    assert.equal((await filesOf(varve, taken[1]!))["who"], "two");
  }
});

test("after umount -l nothing is committed while a file is open for writing, and all of it once it is closed", MOUNTED, async (t) => {
  const varve = await userWith(t, FILES);
  const mount = await mountWritable(t, varve);
  const file = openSync(join(mount.path, "long.txt"), "w");
  writeSync(file, "half");
  await sh('umount -l "$1"', mount.path);
  assert.deepEqual(await labelsOf(varve), ["1.0.0"]);
  assert.deepEqual(
    (await leftOvers(varve)).map(({ pid }) => pid),
    [mount.pid],
  );
  writeSync(file, " and half");
  closeSync(file);
  await mount.ended();
  assert.deepEqual(await filesOf(varve, "1.0.1"), { ...FILES, "long.txt": "half and half" });
  assert.deepEqual(await leftOvers(varve), []);
});

test("after umount -f with a file open for writing nothing is committed before recover is told to", MOUNTED, async (t) => {
  const varve = await userWith(t, FILES);
  const mount = await mountWritable(t, varve);
  writeFileSync(join(mount.path, "closed.txt"), "closed");
  const file = openSync(join(mount.path, "long.txt"), "w");
  writeSync(file, "half");
  fsyncSync(file);
  await sh('umount -f "$1" || true', mount.path);
  await mount.ended();
  closeQuietly(file);
  assert.deepEqual([await labelsOf(varve), (await leftOvers(varve)).length], [["1.0.0"], 1]);
  const { committed } = (await varve.ok(["recover", "--commit", "--json"])).json() as Committed;
  assert.deepEqual([committed?.version, committed?.open], ["1.0.1", ["long.txt"]]);
  assert.equal((await filesOf(varve, "1.0.1"))["closed.txt"], "closed");
});

test("SIGTERM while a file is open frees the folder at once and commits when the file is closed", MOUNTED, async (t) => {
  const varve = await userWith(t, FILES);
  const mount = await mountWritable(t, varve);
  const file = openSync(join(mount.path, "long.txt"), "w");
  writeSync(file, "half");
  process.kill(mount.pid, "SIGTERM");
  await until("the folder is free", () => mountsBelow(mount.path).length === 0);
  assert.deepEqual(await labelsOf(varve), ["1.0.0"]);
  writeSync(file, " and half");
  closeSync(file);
  await mount.ended();
  assert.equal((await filesOf(varve, "1.0.1"))["long.txt"], "half and half");
});

test("SIGTERM with a shell standing in the mount commits in the end", MOUNTED, async (t) => {
  const varve = await userWith(t, FILES);
  const mount = await mountWritable(t, varve);
  startProcess(t, "sleep", ["60"], { cwd: join(mount.path, "sub") });
  writeFileSync(join(mount.path, "new.txt"), "new");
  process.kill(mount.pid, "SIGTERM");
  await mount.ended();
  assert.equal((await filesOf(varve, "1.0.1"))["new.txt"], "new");
});

test("a second SIGTERM leaves the changes for recover", MOUNTED, async (t) => {
  const varve = await userWith(t, FILES);
  const mount = await mountWritable(t, varve);
  writeFileSync(join(mount.path, "closed.txt"), "closed");
  const file = openSync(join(mount.path, "long.txt"), "w");
  process.kill(mount.pid, "SIGTERM");
  await until("the folder is free", () => mountsBelow(mount.path).length === 0);
  process.kill(mount.pid, "SIGTERM");
  await mount.ended();
  closeQuietly(file);
  assert.deepEqual([await labelsOf(varve), (await leftOvers(varve)).length], [["1.0.0"], 1]);
});

test("varve unmount of a mount in use says so, exits with 4 and changes nothing", MOUNTED, async (t) => {
  const varve = await userWith(t, FILES);
  const mount = await mountWritable(t, varve);
  const file = openSync(join(mount.path, "open.txt"), "w");
  const refused = await varve(["unmount", mount.path, "--message", "of the refused one"]);
  assert.equal(refused.code, 4);
  assert.match(refused.stderr, /^varve: Cannot unmount ".*": files in it are open/);
  writeSync(file, "still writable");
  closeSync(file);
  await sh('umount "$1"', mount.path);
  await mount.ended();
  assert.equal((await filesOf(varve, "1.0.1"))["open.txt"], "still writable");
  assert.deepEqual(await saidOf(varve, "1.0.1"), { description: "", tags: [] });
});

test("varve unmount --force cuts off who uses the mount, exits with 5 and keeps the changes", MOUNTED, async (t) => {
  const varve = await userWith(t, FILES);
  const mount = await mountWritable(t, varve);
  writeFileSync(join(mount.path, "closed.txt"), "closed");
  const file = openSync(join(mount.path, "open.txt"), "w");
  const forced = await varve(["unmount", mount.path, "--force"]);
  assert.equal(forced.code, 5);
  assert.match(forced.stderr, /left its changes uncommitted: .*; varve recover \w+ goes on with them/);
  closeQuietly(file);
  assert.deepEqual([await labelsOf(varve), mountsBelow(mount.path)], [["1.0.0"], []]);
  await varve.ok(["recover", "--commit"]);
  assert.equal((await filesOf(varve, "1.0.1"))["closed.txt"], "closed");
});

for (const discard of [["unmount", "--discard"], ["discard"], ["unmount", "--force", "--discard"]])
  test(`varve ${discard.join(" ")} throws the changes away`, MOUNTED, async (t) => {
    const varve = await userWith(t, FILES);
    const mount = await mountWritable(t, varve);
    writeFileSync(join(mount.path, "new.txt"), "new");
    const [command, ...options] = discard;
    await varve.ok([command!, mount.path, ...options]);
    await mount.ended();
    assert.deepEqual([await labelsOf(varve), await leftOvers(varve)], [["1.0.0"], []]);
  });

test("message, tags and label given to unmount are the version's", MOUNTED, async (t) => {
  const varve = await userWith(t, FILES);
  const mount = await mountWritable(t, varve);
  writeFileSync(join(mount.path, "new.txt"), "new");
  const words = ["--message", "Dropped blurred images", "--tag", "clean", "--tag", "v2", "--version", "2.0.0-rc.1"];
  await varve.ok(["unmount", mount.path, ...words]);
  assert.deepEqual(await saidOf(varve, "2.0.0-rc.1"), {
    description: "Dropped blurred images",
    tags: ["clean", "v2"],
  });
});

test("a label that is taken, or is none, is refused while the mount still stands", MOUNTED, async (t) => {
  const varve = await userWith(t, FILES);
  const mount = await mountWritable(t, varve);
  writeFileSync(join(mount.path, "new.txt"), "new");
  const taken = await varve(["unmount", mount.path, "--version", "1.0"]);
  assert.deepEqual([taken.code, taken.stderr.includes(`${DATASET}@1.0"`)], [4, true]);
  assert.equal((await varve(["unmount", mount.path, "--version", "banana"])).code, 2);
  assert.equal((await varve(["commit", mount.path, "--version", "1.0.0"])).code, 4);
  writeFileSync(join(mount.path, "more.txt"), "still mounted");
  await varve.ok(["unmount", mount.path, "--version", "1.1"]);
  assert.deepEqual(await labelsOf(varve), ["1.0.0", "1.1"]);
});

/** Description and tags of a version, as `varve log` shows them. */
async function saidOf(varve: Varve, label: string): Promise<{ description: string; tags: string[] }> {
  const steps = (await varve.ok(["log", `${DATASET}@${label}`, "--json"])).json();
  const [{ description, tags }] = steps as [{ description: string; tags: string[] }];
  return { description, tags: tags.sort() };
}

/** A descriptor whose mount was cut off; closing it may tell so. */
function closeQuietly(descriptor: number): void {
  try {
    closeSync(descriptor);
  } catch {
    // ENOTCONN: what was not written back is lost, and recover says so.
  }
}
