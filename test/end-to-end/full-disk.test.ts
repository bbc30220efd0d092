/** A disk that is full: under the cache nobody notices but by a warning; under an overlay nothing short is committed. */
import assert from "node:assert/strict";
import { appendFileSync, readFileSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { MiB } from "../../src/units.js";
import { noise } from "../content/noise.js";
import { describeFolder } from "../dataset/support/folders.js";
import { tempDir } from "../support/temp.js";
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
import { fill, smallDisk, userOnSmallDisk } from "./support/small-disk.js";

test(
  "with the disk under the cache full all is read and committed, and a warning says so",
  MOUNTED,
  async (t) => {
    const cache = await smallDisk(t, 1);
    const contents = Object.fromEntries(
      Array.from({ length: 6 }, (_, i) => [`${i}.bin`, noise(String(i), 2 * MiB)]),
    );
    const varve = await userWith(t, contents, { VARVE_CACHE_DIR: cache });
    const read = await varve.ok(["cat", DATASET, "3.bin"]);
    assert.match(read.stderr, /^Warning: disk cache bypassed: .*(full|ENOSPC)/);
    const mount = await mountWritable(t, varve);
    for (const [name, content] of Object.entries(contents))
      assert.deepEqual(readFileSync(join(mount.path, name)), content, name);
    writeFileSync(join(mount.path, "new.txt"), "new");
    await varve.ok(["unmount", mount.path]);
    assert.deepEqual(await labelsOf(varve), ["1.0.0", "1.0.1"]);
  },
);

test(
  "with the disk under the overlay full, writers are told, and what is short is never committed",
  MOUNTED,
  async (t) => {
    const { varve, disk } = await userOnSmallDisk(t, 32);
    const large = join(await tempDir(t), "large");
    writeFileSync(large, noise("large", 40 * MiB));
    const mount = await mountWritable(t, varve);
    writeFileSync(join(mount.path, "whole.txt"), "whole");
    await assert.rejects(sh('cp "$1" "$2/copied"', large, mount.path), /No space left/);
    await assert.rejects(sh('dd if="$1" of="$2/dumped" bs=1M 2>&1', large, mount.path));
    await assert.rejects(sh('echo hello >"$1/said"', mount.path));
    const unmounted = await varve(["unmount", mount.path]);
    assert.equal(unmounted.code, 5);
    assert.match(unmounted.stderr, /writing failed and left short "copied"/);
    await mount.ended();

    await sh('mount -o remount,size=400m "$1"', disk);
    assert.equal(
      (await varve(["recover", "--commit"])).code,
      5,
      "what is short is short, whatever room there is",
    );
    assert.deepEqual(await labelsOf(varve), ["1.0.0"]);
    const path = await tempDir(t);
    await varve.ok(["recover", "--mount", path]);
    assert.equal(readFileSync(join(path, "whole.txt"), "utf8"), "whole");
    await sh('cp "$1" "$2/copied" && rm -f "$2/dumped" && echo hello >"$2/said"', large, path);
    const wanted = describeFolder(path);
    await varve.ok(["unmount", path]);
    assert.deepEqual(await labelsOf(varve), ["1.0.0", "1.0.1"]);
    await varve.ok(["mount", DATASET, path]);
    assert.deepEqual(describeFolder(path), wanted);
    assert.deepEqual(readFileSync(join(path, "copied")), readFileSync(large));
    await varve.ok(["unmount", path]);
  },
);

test("who writes on and on to a full disk is told by write(2)", MOUNTED, async (t) => {
  const { varve, files } = await userOnSmallDisk(t, 32);
  const mount = await mountWritable(t, varve);
  const writing = sh(
    'timeout -k 1 60 dd if=/dev/zero of="$1/endless" bs=64k 2>&1 || echo "exit $?"',
    mount.path,
  );
  assert.match(await writing, /error writing .*No space left[^]*exit 1\n$/);
  rmSync(join(mount.path, "endless"));
  await until("there is room again", () => statfsSync(mount.path).bavail > 0);
  appendFileSync(join(mount.path, "a.txt"), "on");
  await varve.ok(["unmount", mount.path]);
  assert.deepEqual(await filesOf(varve, "1.0.1"), { ...files, "a.txt": "aon" });
});

test("a commit for which the disk has no room is made by recover once there is some", MOUNTED, async (t) => {
  const { varve, disk, files } = await userOnSmallDisk(t, 32);
  const mount = await mountWritable(t, varve);
  const large = noise("large", 3 * MiB).toString("latin1");
  writeFileSync(join(mount.path, "large.txt"), large);
  writeFileSync(join(mount.path, "said.txt"), "hello");
  const ballast = join(disk, "ballast");
  process.kill(mount.pid, "SIGKILL");
  await mount.ended();
  fill(ballast);
  const full = await varve(["recover", "--commit"]);
  assert.notEqual(full.code, 0);
  assert.match(full.stderr, /disk is full/);
  assert.deepEqual([(await leftOvers(varve)).length, await labelsOf(varve)], [1, ["1.0.0"]]);
  rmSync(ballast);
  await varve.ok(["recover", "--commit"]);
  assert.deepEqual(await filesOf(varve, "1.0.1"), { ...files, "said.txt": "hello", "large.txt": large });
});
