/** A disk that is full under the catalog and drafts, a remote, or the temp folder: it is said, and all goes on once there is room. */
import assert from "node:assert/strict";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { MiB } from "../../src/units.js";
import { noise } from "../content/noise.js";
import { writeFolder } from "../dataset/support/folders.js";
import { onlyOnSqlite } from "../support/catalog-place.js";
import { tempDir } from "../support/temp.js";
import { varveUser } from "../support/varve.js";
import { DATASET, MOUNTED, filesOf, labelsOf, sh } from "./support/mounted.js";
import { fill, smallDisk, userOnSmallDisk } from "./support/small-disk.js";

const ON_SQLITE = { ...MOUNTED, skip: MOUNTED.skip || onlyOnSqlite("full disk") };
const FULL = /the disk is full|no space left/i;

test(
  "on a full disk all that writes the catalog or a draft says so, and nothing is half made",
  ON_SQLITE,
  async (t) => {
    const { varve, disk, files } = await userOnSmallDisk(t, 32);
    const source = await tempDir(t);
    writeFolder(source, { ...files, "new.txt": "new" });
    await varve.ok(["create", DATASET, "--parent", DATASET]);
    const ballast = join(disk, "ballast");
    fill(ballast);
    const commands = [
      ["add", join(source, "new.txt")],
      ["upload"],
      ["finalize"],
      ["create", "lab/other"],
      ["sync", source, DATASET],
      ["tag", DATASET, "--add", "seen"],
      ["squash", "lab/flat", DATASET],
    ];
    for (const command of commands) {
      const { code, stderr } = await varve(command);
      assert.notEqual(code, 0, command.join(" "));
      assert.match(stderr, FULL, command.join(" "));
    }
    rmSync(ballast);
    await varve.ok(["add", join(source, "new.txt")]);
    await varve.ok(["upload"]);
    await varve.ok(["finalize"]);
    assert.deepEqual(
      [await labelsOf(varve), await filesOf(varve, "1.0.1")],
      [["1.0.0", "1.0.1"], { ...files, "new.txt": "new" }],
    );
    assert.match((await varve.ok(["sync", source, DATASET])).stdout, /^No change/);
  },
);

test(
  "a sync for which its remote has no room leaves no version, and is made once there is some",
  MOUNTED,
  async (t) => {
    const disk = await smallDisk(t, 8);
    const varve = await varveUser(t, { VARVE_REMOTE: join(disk, "remote") });
    const source = await tempDir(t);
    writeFolder(source, { "a.bin": noise("a", 5 * MiB), "b.bin": noise("b", 5 * MiB) });
    const { code, stderr } = await varve(["sync", source, DATASET]);
    assert.equal(code, 1);
    assert.match(stderr, FULL);
    assert.deepEqual((await varve.ok(["list", "--json"])).json(), []);
    await sh('mount -o remount,size=64m "$1"', disk);
    await varve.ok(["sync", source, DATASET]);
    assert.deepEqual(await labelsOf(varve), ["1.0.0"]);
    assert.deepEqual(
      ((await varve.ok(["verify", DATASET, "--json"])).json() as { damaged: unknown[] }).damaged,
      [],
    );
  },
);

test(
  "a temp folder without room keeps only mounts of a home whose path is too long for a socket",
  MOUNTED,
  async (t) => {
    const TMPDIR = await tempDir(t);
    await sh('mount -t tmpfs -o size=64k,nr_inodes=1 none "$1"', TMPDIR);
    const deep = join(await tempDir(t), ...Array.from({ length: 6 }, () => "a-folder-of-a-long-name"));
    mkdirSync(deep, { recursive: true });
    const varve = await varveUser(t, { TMPDIR }, deep);
    const [source, path] = [await tempDir(t), await tempDir(t)];
    writeFileSync(join(source, "a.txt"), "a");
    await varve.ok(["sync", source, DATASET]);
    const { code, stderr } = await varve(["mount", DATASET, path]);
    assert.notEqual(code, 0);
    assert.match(stderr, FULL);
    await sh('mount -o remount,nr_inodes=100 "$1"', TMPDIR);
    await varve.ok(["mount", DATASET, path]);
    await varve.ok(["unmount", path]);
  },
);
