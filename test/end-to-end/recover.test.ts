/** Commits that were cut off or could not be made: what they left is found, and becomes one whole version. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { GiB, MiB } from "../../src/units.js";
import { describeFolder } from "../dataset/support/folders.js";
import { mountsBelow } from "../support/mounts.js";
import { tempDir } from "../support/temp.js";
import type { Varve } from "../support/varve.js";
import {
  DATASET,
  type LiveMount,
  MOUNTED,
  filesOf,
  labelsOf,
  leftOvers,
  liveMount,
  mountWritable,
  sh,
  until,
  userWith,
} from "./support/mounted.js";

const FILES = { "a.txt": "a", "sub/b.txt": "b" };

/** What `recover --commit` prints with `--json`. */
interface Committed {
  committed: { version: string; parent: string; open: string[] } | null;
}

/** In the order in which a commit makes its requests; the last two are on either side of its commit point. */
const MOMENTS = [
  "before put packs/",
  "after put packs/",
  "before put ranges/",
  "before put segments/",
  "before put roots/",
  "before create datasets/",
  "after create datasets/",
];

const CRASHING_REMOTE = new URL("./support/crashing-remote.js", import.meta.url).href;

test(
  "kill -9 at any moment of the commit of an unmount leaves what recover makes one version of",
  MOUNTED,
  async (t) => {
    const env = {
      NODE_OPTIONS: `--import ${CRASHING_REMOTE}`,
      VARVE_REMOTE: `crashing://${join(await tempDir(t), "remote")}`,
    };
    const varve = await userWith(t, FILES, env);
    const folder = await tempDir(t);
    for (const [index, moment] of MOMENTS.entries()) {
      await varve.ok(["mount", "--writable", DATASET, folder], { env: { VARVE_TEST_CRASH: moment } });
      const { ended } = liveMount(varve, folder);
      writeFileSync(join(folder, "new.txt"), moment.repeat(9_999));
      const unmounted = await varve(["unmount", folder]);
      assert.deepEqual([moment, unmounted.code], [moment, 5]);
      assert.match(unmounted.stderr, /its process has died; .*varve recover \w+ goes on with its changes/);
      await ended();
      const { committed } = (await varve.ok(["recover", "--commit", "--json"])).json() as Committed;
      const label = `1.0.${index + 1}`;
      assert.deepEqual(
        [moment, committed?.version, committed?.parent],
        [moment, label, `${DATASET}@1.0.${index}`],
      );
      assert.equal((await varve.ok(["cat", DATASET, "new.txt"])).stdout, moment.repeat(9_999));
    }
    const versions = (await varve.ok(["versions", DATASET, "--json"])).json() as {
      version: string;
      state: string;
    }[];
    assert.deepEqual(
      versions.map(({ version, state }) => `${version} ${state}`),
      ["1.0.0", ...MOMENTS.map((_, index) => `1.0.${index + 1}`)].map((label) => `${label} completed`),
    );
    assert.deepEqual((await varve.ok(["recover", "--json"])).json(), []);
  },
);

test(
  "kill -9 between the record and the answer of an unmount that asked for a label leaves recover that version",
  MOUNTED,
  async (t) => {
    const env = {
      NODE_OPTIONS: `--import ${CRASHING_REMOTE}`,
      VARVE_REMOTE: `crashing://${join(await tempDir(t), "remote")}`,
    };
    const varve = await userWith(t, FILES, env);
    const path = await tempDir(t);
    const crash = { VARVE_TEST_CRASH: "after create datasets/" };
    await varve.ok(["mount", "--writable", DATASET, path], { env: crash });
    const { ended } = liveMount(varve, path);
    writeFileSync(join(path, "new.txt"), "new");
    assert.equal((await varve(["unmount", path, "--version", "v2.0"])).code, 5);
    await ended();
    const { committed } = (await varve.ok(["recover", "--commit", "--json"])).json() as Committed;
    assert.deepEqual([committed?.version, committed?.parent], ["v2.0", `${DATASET}@1.0.0`]);
    assert.deepEqual(await labelsOf(varve), ["1.0.0", "v2.0"]);
    assert.deepEqual(await leftOvers(varve), []);
  },
);

test(
  "kill -9 between the record of a live commit and the answer makes no second version of it",
  MOUNTED,
  async (t) => {
    const env = {
      NODE_OPTIONS: `--import ${CRASHING_REMOTE}`,
      VARVE_REMOTE: `crashing://${join(await tempDir(t), "remote")}`,
    };
    const varve = await userWith(t, FILES, env);
    const path = await tempDir(t);
    const crash = { VARVE_TEST_CRASH: "after create datasets/" };
    await varve.ok(["mount", "--writable", DATASET, path], { env: crash });
    const { ended } = liveMount(varve, path);
    writeFileSync(join(path, "new.txt"), "new");
    assert.equal((await varve(["commit", path])).code, 5);
    await ended();
    const { committed } = (await varve.ok(["recover", "--commit", "--json"])).json() as Committed;
    assert.equal(committed?.version, "1.0.1");
    const versions = (await varve.ok(["versions", DATASET, "--json"])).json() as { version: string }[];
    assert.deepEqual(
      versions.map(({ version }) => version),
      ["1.0.0", "1.0.1"],
    );
  },
);

test(
  "a commit whose remote is gone is left, is told of by every command, and is made when the remote is back",
  MOUNTED,
  async (t) => {
    const remote = join(await tempDir(t), "remote");
    const varve = await userWith(t, FILES, { VARVE_REMOTE: remote });
    const mount = await mountWritable(t, varve);
    writeFileSync(join(mount.path, "new.txt"), "new");
    renameSync(remote, `${remote}-away`);
    const unmounted = await varve([
      "unmount",
      mount.path,
      "--message",
      "kept",
      "--tag",
      "kept too",
      "--version",
      "1.5",
    ]);
    assert.equal(unmounted.code, 5);
    assert.match(
      unmounted.stderr,
      /left its changes uncommitted: .*varve.json.*; varve recover \w+ goes on with them/,
    );
    await mount.ended();
    const [status] = (await varve.ok(["status", "--json"])).json() as [{ state: string; mountpoint: string }];
    assert.deepEqual([status.state, status.mountpoint], ["uncommitted", mount.path]);
    const listed = await varve.ok(["ls", `${DATASET}@1.0.0`]);
    assert.equal(listed.stderr, "1 mount has uncommitted changes: varve recover lists them\n");
    assert.equal((await varve(["cat", `${DATASET}@1.0.0`, "nowhere"])).stderr.split("\n").length, 3);
    assert.equal((await varve(["recover", "--commit"])).code, 5);
    assert.throws(
      () => readFileSync(join(remote, "varve.json")),
      "nothing was begun where the remote had been",
    );
    rmSync(remote, { recursive: true, force: true });
    renameSync(`${remote}-away`, remote);
    const { committed } = (await varve.ok(["recover", "--commit", "--json"])).json() as Committed;
    assert.equal(committed?.version, "1.5");
    assert.deepEqual(await filesOf(varve, "1.5"), { ...FILES, "new.txt": "new" });
    const [step] = (await varve.ok(["log", DATASET, "--json"])).json() as [
      { description: string; tags: string[] },
    ];
    assert.deepEqual([step.description, step.tags], ["kept", ["kept too"]]);
    assert.equal((await varve.ok(["ls", DATASET])).stderr, "");
  },
);

test(
  "recover --mount goes on with the changes where they were, and unmounting commits them",
  MOUNTED,
  async (t) => {
    const varve = await userWith(t, FILES);
    await killed(await changedMount(t, varve));
    const path = await tempDir(t);
    await varve.ok(["recover", "--mount", path]);
    assert.equal(readFileSync(join(path, "new.txt"), "utf8"), "new");
    assert.throws(() => readFileSync(join(path, "a.txt")), { code: "ENOENT" });
    writeFileSync(join(path, "more.txt"), "more");
    assert.deepEqual(await leftOvers(varve), []);
    const { committed } = (await varve.ok(["unmount", path, "--json"])).json() as Committed;
    assert.equal(committed?.parent, `${DATASET}@1.0.0`);
    assert.deepEqual(await filesOf(varve, "1.0.1"), {
      "sub/b.txt": "b",
      "new.txt": "new",
      "more.txt": "more",
    });
  },
);

test("recover --export writes what was changed, and leaves the overlay where it is", MOUNTED, async (t) => {
  const varve = await userWith(t, FILES);
  const mount = await changedMount(t, varve);
  writeFileSync(join(mount.path, "sub/b.txt"), "b, changed");
  await killed(mount);
  const folder = await tempDir(t);
  await varve.ok(["recover", "--export", folder]);
  assert.deepEqual(Object.keys(describeFolder(folder)), ["new.txt", "sub", "sub/b.txt"]);
  assert.equal(readFileSync(join(folder, "sub/b.txt"), "utf8"), "b, changed");
  assert.equal((await varve(["recover", "--export", folder])).code, 2, "the folder is not empty now");
  assert.equal((await leftOvers(varve)).length, 1);
});

test("recover --export keeps modes, times and holes, those of folders too", MOUNTED, async (t) => {
  const varve = await userWith(t, FILES);
  const mount = await mountWritable(t, varve);
  const sparse = join(mount.path, "private/sparse");
  mkdirSync(join(mount.path, "private"));
  await sh('truncate -s 2G "$1" && printf end | dd of="$1" bs=1 seek=1G conv=notrunc status=none', sparse);
  await sh('chmod 640 "$1" && touch -d 2001-02-03T04:05:06.789Z "$1"', sparse);
  await sh('chmod 700 "$1" && touch -d 2002-03-04T05:06:07.5Z "$1"', join(mount.path, "private"));
  await killed(mount);
  const folder = await tempDir(t);
  await varve.ok(["recover", "--export", folder]);
  const [closed, exported] = ["private", "private/sparse"].map((path) => statSync(join(folder, path)));
  assert.deepEqual([closed!.mode & 0o777, closed!.mtimeMs], [0o700, Date.UTC(2002, 2, 4, 5, 6, 7, 500)]);
  assert.deepEqual([exported!.mode & 0o777, exported!.mtimeMs], [0o640, Date.UTC(2001, 1, 3, 4, 5, 6, 789)]);
  assert.deepEqual([exported!.size, exported!.blocks * 512 < 1 * MiB], [2 * GiB, true]);
  assert.equal(await sh('tail -c +1073741825 "$1" | head -c 3', join(folder, "private/sparse")), "end");
});

test("recover --discard throws the changes away, and lists them before", MOUNTED, async (t) => {
  const varve = await userWith(t, FILES);
  const mount = await changedMount(t, varve);
  await killed(mount);
  const [found] = (await varve.ok(["recover", "--json"])).json() as [Record<string, unknown>];
  const { id, dataset, version, mountpoint, changes } = found;
  assert.deepEqual([dataset, version, mountpoint], [DATASET, "1.0.0", mount.path]);
  assert.ok(Number(changes) >= 2);
  await varve.ok(["recover", String(id).slice(0, 6), "--discard"]);
  assert.deepEqual([await leftOvers(varve), await labelsOf(varve)], [[], ["1.0.0"]]);
  assert.equal((await varve(["recover", "--commit"])).code, 3);
  assert.equal((await varve(["recover", "0000", "--commit"])).code, 3);
});

test("of several who recover at once one commits, and nothing is made twice", MOUNTED, async (t) => {
  const varve = await userWith(t, FILES);
  await killed(await changedMount(t, varve));
  const [overlay] = await leftOvers(varve);
  const answers = await Promise.all(
    Array.from({ length: 4 }, () => varve(["recover", overlay!.id, "--commit"])),
  );
  const codes = answers.map(({ code }) => code);
  assert.equal(codes.filter((code) => code === 0).length, 1, `exit codes ${codes.join()}`);
  assert.ok(
    codes.every((code) => [0, 3, 4].includes(code!)),
    `exit codes ${codes.join()}`,
  );
  assert.deepEqual([await labelsOf(varve), await leftOvers(varve)], [["1.0.0", "1.0.1"], []]);
});

test("the overlay of a mount that lives is not to be taken by recover", MOUNTED, async (t) => {
  const varve = await userWith(t, FILES);
  const mount = await changedMount(t, varve);
  assert.deepEqual(await leftOvers(varve), []);
  const [{ overlay }] = (await varve.ok(["status", "--json"])).json() as [{ overlay: string }];
  for (const act of [["--commit"], ["--discard"], ["--mount", await tempDir(t)]])
    assert.equal((await varve(["recover", overlay, ...act])).code, 4, act[0]);
  await varve.ok(["unmount", mount.path]);
  assert.deepEqual(await filesOf(varve, "1.0.1"), { "sub/b.txt": "b", "new.txt": "new" });
});

test("varve unmount of a mount whose process died clears it and points to recover", MOUNTED, async (t) => {
  const varve = await userWith(t, FILES);
  const mount = await changedMount(t, varve);
  await killed(mount);
  const answer = await varve(["unmount", mount.path]);
  assert.deepEqual([answer.code, mountsBelow(mount.path)], [5, []]);
  assert.match(answer.stderr, /whose process had died; .*varve recover \w+ goes on/);
});

async function changedMount(t: Parameters<typeof mountWritable>[0], varve: Varve): Promise<LiveMount> {
  const mount = await mountWritable(t, varve);
  writeFileSync(join(mount.path, "new.txt"), "new");
  rmSync(join(mount.path, "a.txt"));
  return mount;
}

async function killed(mount: LiveMount): Promise<void> {
  process.kill(mount.pid, "SIGKILL");
  await mount.ended();
  await until("the folder is cleared", () => mountsBelow(mount.path).length === 0);
}
