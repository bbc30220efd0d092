/** A mount while it lives: commits in between, `status` and `diff`, and the process behind it. */
import assert from "node:assert/strict";
import { mkdirSync, renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { tempDir } from "../support/temp.js";
import { DATASET, MOUNTED, filesOf, liveMount, mountWritable, sh, userWith } from "./support/mounted.js";

const FILES = { "a.txt": "a", "sub/b.txt": "b" };

/** What `unmount` and `commit` print with `--json`. */
interface Committed {
  committed: { version: string; parent: string } | null;
}

test(
  "varve commit makes a version of what a live mount holds, and the next one a child of that",
  MOUNTED,
  async (t) => {
    const varve = await userWith(t, { ...FILES, "sub/c.txt": "c" });
    const mount = await mountWritable(t, varve);
    const at = (path: string) => join(mount.path, path);
    writeFileSync(at("first.txt"), "only in the first");
    writeFileSync(at("kept.txt"), "kept");
    const first = (await varve.ok(["commit", mount.path, "--message", "one", "--json"])).json() as Committed;
    rmSync(at("first.txt"));
    renameSync(at("sub"), at("moved"));
    renameSync(at("kept.txt"), at("moved/kept.txt"));
    mkdirSync(at("sub"));
    writeFileSync(at("a.txt"), "a, changed");
    const second = (await varve.ok(["commit", mount.path, "--json"])).json() as Committed;
    assert.deepEqual((await varve.ok(["commit", mount.path, "--json"])).json(), { committed: null });
    const unmounted = await varve.ok(["unmount", mount.path, "--json"]);
    assert.deepEqual(unmounted.json(), { committed: null });
    assert.deepEqual(
      [first, second].map(({ committed }) => [committed?.version, committed?.parent]),
      [
        ["1.0.1", `${DATASET}@1.0.0`],
        ["1.0.2", `${DATASET}@1.0.1`],
      ],
    );
    const before = { ...FILES, "sub/c.txt": "c", "first.txt": "only in the first", "kept.txt": "kept" };
    assert.deepEqual(await filesOf(varve, "1.0.1"), before);
    const after = { "a.txt": "a, changed", "moved/b.txt": "b", "moved/c.txt": "c", "moved/kept.txt": "kept" };
    assert.deepEqual(await filesOf(varve, "1.0.2"), after);
  },
);

test("status and diff of a live mount send nothing and leave its time alone", MOUNTED, async (t) => {
  const varve = await userWith(t, FILES);
  const mount = await mountWritable(t, varve);
  writeFileSync(join(mount.path, "big.bin"), Buffer.alloc(8_000_000, 7));
  renameSync(join(mount.path, "a.txt"), join(mount.path, "renamed.txt"));
  rmSync(join(mount.path, "sub/b.txt"));
  const remote = () => sh('find "$1" -printf "%P %T@ %s\\n" | sort', join(varve.home, "remote"));
  const before = await remote();
  const diff = (await varve.ok(["diff", mount.path, "--json"])).json() as Record<string, unknown>;
  const [status] = (await varve.ok(["status", mount.path, "--json"])).json() as [{ state: string }];
  assert.equal(await remote(), before);
  assert.deepEqual([diff["added"], diff["removed"]], [["big.bin"], ["sub/b.txt"]]);
  assert.deepEqual(diff["renamed"], [{ from: "a.txt", to: "renamed.txt" }]);
  assert.equal(status.state, "mounted");
  await varve.ok(["discard", mount.path]);
});

test(
  "after a live commit status names it, and diff compares with it: by content, also of what was renamed since",
  MOUNTED,
  async (t) => {
    const varve = await userWith(t, { ...FILES, "moved/c.txt": "c" });
    const mount = await mountWritable(t, varve);
    const at = (path: string) => join(mount.path, path);
    const diff = async () =>
      (await varve.ok(["diff", mount.path, "--json"])).json() as Record<string, unknown>;
    const nothing = { added: [], modified: [], metadata: [], removed: [], renamed: [] };
    for (const name of ["again", "changed", "new", "old", "touched"])
      writeFileSync(at(name), `first ${name}`);
    writeFileSync(at("a.txt"), "a, longer");
    utimesSync(at("old"), 1, 1);
    renameSync(at("moved"), at("folder"));
    await varve.ok(["commit", mount.path]);
    assert.deepEqual(await diff(), nothing);
    const [status] = (await varve.ok(["status", mount.path, "--json"])).json() as [Record<string, unknown>];
    assert.deepEqual([status["version"], status["committed"]], ["1.0.0", "1.0.1"]);

    writeFileSync(at("changed"), "other changed");
    writeFileSync(at("again"), "first again");
    utimesSync(at("touched"), 1, 1);
    renameSync(at("new"), at("sub/new"));
    renameSync(at("folder"), at("moved"));
    rmSync(at("a.txt"));
    writeFileSync(at("later"), "later");
    const wanted = {
      added: ["later"],
      modified: ["changed"],
      metadata: ["again", "touched"],
      removed: ["a.txt"],
      renamed: [
        { from: "new", to: "sub/new" },
        { from: "folder/c.txt", to: "moved/c.txt" },
      ],
    };
    assert.deepEqual(await diff(), wanted);
    const { committed } = (await varve.ok(["commit", mount.path, "--json"])).json() as {
      committed: Record<string, number>;
    };
    const counted = Object.fromEntries(Object.keys(wanted).map((kind) => [kind, committed[kind]]));
    assert.deepEqual(counted, { added: 1, modified: 1, metadata: 2, removed: 1, renamed: 2 });
    assert.deepEqual(await diff(), nothing);
    await varve.ok(["unmount", mount.path]);
  },
);

test("a shell that captures what varve mount prints goes on at once", MOUNTED, async (t) => {
  const varve = await userWith(t, FILES);
  const path = await tempDir(t);
  // The shell waits until every process has closed the pipe it reads; the mount's process lives on.
  const cli = new URL("../../src/cli.js", import.meta.url).pathname;
  const line =
    'export VARVE_HOME="$1" VARVE_CATALOG="$2"; out=$("$3" "$4" mount "$5" "$6" 2>&1); printf %s "$out"; ls "$6"';
  const { catalogPath } = varve.places;
  const said = await sh(line, varve.home, catalogPath, process.execPath, cli, DATASET, path);
  assert.equal(said, `Mounted ${DATASET}@1.0.0 at ${path}a.txt\nsub\n`);
  const { pid } = liveMount(varve, path);
  const descriptors = await sh('for fd in 0 1 2; do readlink "/proc/$1/fd/$fd"; done', String(pid));
  assert.match(descriptors, /^\/dev\/null\n(.*\/logs\/.*\.log\n){2}$/);
  await varve.ok(["unmount", path]);
});

test("varve mount --foreground commits on SIGTERM and exits with 0", MOUNTED, async (t) => {
  const varve = await userWith(t, FILES);
  const path = await tempDir(t);
  const served = varve.start(["mount", "--foreground", "--writable", "--json", DATASET, path]);
  await served.saying(/"mountpoint"/);
  writeFileSync(join(path, "new.txt"), "new");
  const { code, stderr } = await served.kill("SIGTERM");
  assert.deepEqual([code, stderr], [0, ""]);
  assert.equal((await filesOf(varve, "1.0.1"))["new.txt"], "new");
});
