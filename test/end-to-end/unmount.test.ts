/** Unmounting commits, whoever does it; with the words that were given with it. */
import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { mountsBelow } from "../support/mounts.js";
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
  userWith,
} from "./support/mounted.js";

const FILES = { "a.txt": "a", "sub/b.txt": "b" };

/** What `unmount` and `commit` print with `--json`. */
interface Committed {
  committed: { version: string; parent: string } | null;
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

test(
  "two writable mounts of one version become two children of it, and nothing is lost",
  MOUNTED,
  async (t) => {
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
  },
);

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

test("message, tags and label given to unmount are the version's", MOUNTED, async (t) => {
  const varve = await userWith(t, FILES);
  const mount = await mountWritable(t, varve);
  writeFileSync(join(mount.path, "new.txt"), "new");
  const words = [
    "--message",
    "Dropped blurred images",
    "--tag",
    "clean",
    "--tag",
    "v2",
    "--version",
    "2.0.0-rc.1",
  ];
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
