/** A mount that is taken away while it is used, or whose changes nobody wants: what is committed then, and what is kept. */
import assert from "node:assert/strict";
import { closeSync, existsSync, fsyncSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { mountsBelow } from "../support/mounts.js";
import { startProcess } from "../support/processes.js";
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

/** What `recover --commit` prints with `--json`. */
interface Committed {
  committed: { version: string } | null;
}

test(
  "after umount -l nothing is committed while a file is open for writing, and all of it once it is closed",
  MOUNTED,
  async (t) => {
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
  },
);

test(
  "after umount -f with a file open for writing nothing is committed before recover is told to",
  MOUNTED,
  async (t) => {
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
    assert.equal(committed?.version, "1.0.1");
    assert.deepEqual(await filesOf(varve, "1.0.1"), { ...FILES, "closed.txt": "closed", "long.txt": "half" });
  },
);

test(
  "SIGTERM while a file is open frees the folder at once and commits when the file is closed",
  MOUNTED,
  async (t) => {
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
  },
);

test("SIGTERM with a shell standing in the mount commits in the end", MOUNTED, async (t) => {
  const varve = await userWith(t, FILES);
  const mount = await mountWritable(t, varve);
  startProcess(t, "sleep", ["60"], { cwd: join(mount.path, "sub") });
  writeFileSync(join(mount.path, "new.txt"), "new");
  process.kill(mount.pid, "SIGTERM");
  await mount.ended();
  assert.equal((await filesOf(varve, "1.0.1"))["new.txt"], "new");
});

test("SIGTERM with a writer that does not end leaves the changes for recover", MOUNTED, async (t) => {
  const varve = await userWith(t, FILES);
  const mount = await mountWritable(t, varve);
  // Each `true` closes a copy of the descriptor, as if the file were done.
  const line = 'while :; do echo more; /bin/true; sleep 0.1; done >"$1"';
  const writer = startProcess(t, "sh", ["-c", line, "sh", join(mount.path, "endless.txt")]);
  await until("it writes", () => existsSync(join(mount.path, "endless.txt")));
  process.kill(mount.pid, "SIGTERM");
  await mount.ended();
  await writer.kill();
  assert.deepEqual([await labelsOf(varve), (await leftOvers(varve)).length], [["1.0.0"], 1]);
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
  const [step] = (await varve.ok(["log", DATASET, "--json"])).json() as [{ description: string }];
  assert.equal(step.description, "", "what was asked of the refused unmount is forgotten");
});

test(
  "varve unmount --force cuts off who uses the mount, exits with 5 and keeps the changes",
  MOUNTED,
  async (t) => {
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
  },
);

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

/** A descriptor whose mount was cut off; closing it may tell so. */
function closeQuietly(descriptor: number): void {
  try {
    closeSync(descriptor);
  } catch {
    // ENOTCONN: what was not written back is lost, and recover says so.
  }
}
