/** What a mount lets others of the machine do, and what it leaves on the disk for them to read. */
import assert from "node:assert/strict";
import { chmodSync, lstatSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { MOUNTED, mountWritable, sh, userWith } from "../end-to-end/support/mounted.js";
import { tempDir } from "../support/temp.js";
import { varveUser } from "../support/varve.js";

/** Runs a line as user 1001 and gives what it says. */
const AS_OTHER = 'cd /; setpriv --reuid 1001 --regid 1001 --clear-groups sh -c "$2" sh "$1" 2>&1 || true';

test(
  "a mount is its user's alone unless others are let in, who run nothing with rights of its files",
  MOUNTED,
  async (t) => {
    const varve = await userWith(t, { "a.txt": "a" });
    const source = await tempDir(t);
    await sh('cp "$(command -v id)" "$1/id"; chmod 6755 "$1/id"; chmod 755 "$1"', source);
    await varve.ok(["sync", source, "lab/programs"]);
    const at = await tempDir(t);
    chmodSync(at, 0o755);
    for (const [options, wanted] of [
      [[], /Permission denied/],
      [["--allow-other", "--preserve-owner"], /^1001\n$/],
    ] as const) {
      await varve.ok(["mount", "lab/programs", at, ...options]);
      assert.match(await sh(AS_OTHER, at, '"$1/id" -u'), wanted);
      const line = readFileSync("/proc/self/mounts", "utf8")
        .split("\n")
        .find((one) => one.includes(` ${at} `))!;
      assert.match(line, / ro,nosuid,nodev,/);
      assert.equal(lstatSync(join(at, "id")).mode & 0o7777, 0o6755);
      await varve.ok(["unmount", at]);
    }
  },
);

test("a device made in a writable mount opens for nobody", MOUNTED, async (t) => {
  const varve = await userWith(t, { "a.txt": "a" });
  const { path } = await mountWritable(t, varve);
  const said = await sh('mknod "$1/null" c 1 3 2>&1 && cat "$1/null" 2>&1 || true', path);
  assert.match(said, /Permission denied|Operation not (permitted|supported)|Invalid argument/);
  await varve.ok(["discard", path]);
});

test(
  "nobody else can read what varve keeps on the disk, whatever the umask: overlay, sockets, logs, catalog, cache",
  MOUNTED,
  async (t) => {
    const before = process.umask(0);
    try {
      const varve = await varveUser(t);
      mkdirSync(varve.home); // As others have theirs, mode 755 or worse: what lies in it is closed by itself.
      const source = await tempDir(t);
      writeFileSync(join(source, "a.txt"), "a");
      await varve.ok(["sync", source, "lab/data"]);
      const { path } = await mountWritable(t, varve);
      writeFileSync(join(path, "new"), "new");
      const open: string[] = [];
      const look = (folder: string, isClosed: boolean) => {
        for (const name of readdirSync(folder, { withFileTypes: true })) {
          const at = join(folder, name.name);
          const { mode } = lstatSync(at);
          const isOpen = !isClosed && (mode & 0o077) !== 0 && !at.startsWith(join(varve.home, "remote"));
          if (isOpen) open.push(at);
          if (name.isDirectory()) look(at, isClosed || (mode & 0o077) === 0);
        }
      };
      look(varve.home, false);
      assert.deepEqual(open, []);
      await varve.ok(["discard", path]);
    } finally {
      process.umask(before);
    }
  },
);
