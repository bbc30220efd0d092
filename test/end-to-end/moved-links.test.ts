/** Hard links whose names go different ways with their folders. */
import assert from "node:assert/strict";
import { linkSync, lstatSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { CAN_MOUNT } from "../fs/support/mounted.js";
import { varveUser } from "../support/varve.js";

const OPTIONS = { skip: !CAN_MOUNT, timeout: 300_000 };

test(
  "names of one file stay one file when their folders are moved apart, twice or not at all",
  OPTIONS,
  async (t) => {
    const varve = await varveUser(t);
    const [source, mount] = [join(varve.home, "../source"), join(varve.home, "../mount")];
    for (const folder of ["stays", "outer/inner", "outer/beside", "away"])
      mkdirSync(join(source, folder), { recursive: true });
    mkdirSync(mount);
    writeFileSync(join(source, "stays/file"), "content");
    symlinkSync("target", join(source, "stays/link"));
    for (const folder of ["outer/inner", "outer/beside", "away"])
      for (const name of ["file", "link"]) linkSync(join(source, "stays", name), join(source, folder, name));
    await varve.ok(["sync", source, "p/d"]);

    await varve.ok(["mount", "-w", "p/d", mount]);
    renameSync(join(mount, "outer/inner"), join(mount, "zinner"));
    renameSync(join(mount, "outer"), join(mount, "new"));
    renameSync(join(mount, "away"), join(mount, "new/a"));
    const paths = ["stays", "zinner", "new/beside", "new/a"].flatMap((folder) => [
      `${folder}/file`,
      `${folder}/link`,
    ]);
    const seen = () =>
      paths.map((path) => lstatSync(join(mount, path))).map(({ ino, nlink }) => ({ ino, nlink }));
    const before = seen();
    await varve.ok(["unmount", mount]);

    await varve.ok(["mount", "p/d@1.0.1", mount]);
    const after = seen();
    assert.deepEqual(new Set(before.map(({ nlink }) => nlink)), new Set([4]));
    assert.deepEqual(new Set(after.map(({ nlink }) => nlink)), new Set([4]));
    assert.equal(new Set(after.map(({ ino }) => ino)).size, 2);
    await varve.ok(["unmount", mount]);
  },
);

test(
  "names that stay remain with those whose folder moved, also when only the first of them knows",
  OPTIONS,
  async (t) => {
    const varve = await varveUser(t);
    const [source, mount] = [join(varve.home, "../source"), join(varve.home, "../mount")];
    for (const folder of ["a", "b", "c"]) mkdirSync(join(source, folder), { recursive: true });
    mkdirSync(mount);
    writeFileSync(join(source, "a/f"), "content");
    for (const name of ["b/f", "c/f", "c/g"]) linkSync(join(source, "a/f"), join(source, name));
    await varve.ok(["sync", source, "p/d"]);

    await varve.ok(["mount", "-w", "p/d", mount]);
    renameSync(join(mount, "c"), join(mount, "d"));
    await varve.ok(["unmount", mount]);

    await varve.ok(["mount", "p/d@1.0.1", mount]);
    const seen = ["a/f", "b/f", "d/f", "d/g"].map((path) => lstatSync(join(mount, path)));
    assert.deepEqual(new Set(seen.map(({ nlink }) => nlink)), new Set([4]));
    assert.equal(new Set(seen.map(({ ino }) => ino)).size, 1);
    await varve.ok(["unmount", mount]);
  },
);
