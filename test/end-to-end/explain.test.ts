/** What a mount tells of itself: attributes that explain a file, and `.varve` at its root. */
import assert from "node:assert/strict";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { Dataset } from "../../src/dataset/dataset.js";
import { syncVersion } from "../../src/dataset/sync.js";
import type { Workspace } from "../../src/dataset/workspace.js";
import { MiB } from "../../src/units.js";
import { type Contents, writeFolder } from "../dataset/support/folders.js";
import { bytesOf } from "../fs/support/samples.js";
import type { Scope } from "../support/cleanup.js";
import { tempDir } from "../support/temp.js";
import { type Varve, varveUser } from "../support/varve.js";
import { DATASET, MOUNTED, asking, mountWritable, sh, userWith } from "./support/mounted.js";

/** `user.varve.NAME` of files, one after another; `-` where there is none. */
async function explained(name: string, folder: string, ...files: string[]): Promise<string[]> {
  const program = [
    "import os, sys",
    "for path in sys.argv[2:]:",
    "  try: print(os.getxattr(path, 'user.varve.' + sys.argv[1]).decode())",
    "  except OSError as error: print('-' if error.errno == 61 else error)",
  ].join("\n");
  const paths = files.map((file) => join(folder, file));
  return (await sh('python3 -c "$@"', program, name, ...paths)).trim().split("\n");
}

async function mounted(scope: Scope, varve: Varve, reference: string): Promise<string> {
  const path = await tempDir(scope);
  await varve.ok(["mount", reference, path]);
  return path;
}

/** Makes a version of `dataset` that holds exactly these files. */
async function put(scope: Scope, workspace: Workspace, dataset: string, contents: Contents): Promise<void> {
  const source = await tempDir(scope);
  writeFolder(source, contents);
  await syncVersion(source, dataset, { workspace });
}

test(
  "user.varve.version names the oldest version since which a path has held its content",
  MOUNTED,
  async (t) => {
    const varve = await varveUser(t);
    const states = [
      { kept: "k", changed: "1", back: "old", "sub/f": "s" },
      { kept: "k", changed: "2", back: "new", "sub/f": "s", "later/f": "l" },
      { kept: "k", changed: "2", back: "old", "sub/f": "s", "later/f": "l" },
    ];
    await asking(varve, async (workspace) => {
      for (const contents of states) await put(t, workspace, DATASET, contents);
    });
    const path = await mounted(t, varve, DATASET);
    const files = ["kept", "changed", "back", "sub/f", "later/f", "sub", "later", ""];
    const labels = ["1.0.0", "1.0.1", "1.0.2", "1.0.0", "1.0.1", "1.0.0", "1.0.1", "1.0.0"];
    assert.deepEqual(
      await explained("version", path, ...files),
      labels.map((label) => `${DATASET}@${label}`),
    );
    assert.deepEqual(await sh('getfattr -dm- "$1" 2>&1', join(path, "kept")), "", "they are not listed");
  },
);

test("with several parents, user.varve.version follows the one that won the merge", MOUNTED, async (t) => {
  const varve = await varveUser(t);
  await asking(varve, async (workspace) => {
    await put(t, workspace, "lab/one", { both: "same", differs: "1", one: "1" });
    await put(t, workspace, "lab/two", { both: "same", differs: "2", two: "2" });
    const merge = await Dataset.create("lab/merged", {
      parents: ["lab/one@1.0.0", "lab/two@1.0.0"],
      workspace,
    });
    await merge.finalize({ autoUpload: true });
    merge.close();
  });
  const path = await mounted(t, varve, "lab/merged");
  assert.deepEqual(await explained("version", path, "both", "differs", "one", "two"), [
    "lab/two@1.0.0",
    "lab/two@1.0.0",
    "lab/one@1.0.0",
    "lab/two@1.0.0",
  ]);
});

test("user.varve.cached is the share of a file that lies on this machine", MOUNTED, async (t) => {
  const varve = await userWith(t, { empty: "", big: bytesOf("big", 6 * MiB) });
  const path = await mounted(t, varve, DATASET);
  assert.deepEqual(await explained("cached", path, "empty", "big", ""), ["1", "0", "-"]);
  await sh('head -c 1 "$1"', join(path, "big"));
  const [some] = await explained("cached", path, "big");
  assert.match(some!, /^0\.\d{1,4}$/);
  assert.ok(Number(some) > 0, some);
  await sh('cat "$1" > /dev/null', join(path, "big"));
  assert.deepEqual(await explained("cached", path, "big"), ["1"]);
});

test("on a writable mount, what was written or made says nothing of a version", MOUNTED, async (t) => {
  const varve = await userWith(t, { kept: "k", changed: "c", moved: "m" });
  const { path } = await mountWritable(t, varve);
  await sh('cd "$1"; echo more >> changed; mv moved elsewhere; echo new > new; chmod 600 kept', path);
  const first = `${DATASET}@1.0.0`;
  const files = ["kept", "changed", "elsewhere", "new"];
  assert.deepEqual(await explained("version", path, ...files), [first, "-", first, "-"]);
  assert.deepEqual(await explained("cached", path, "changed", "new"), ["-", "-"]);
  await varve.ok(["discard", path]);
});

test(".varve tells what is mounted, and is in no listing", MOUNTED, async (t) => {
  const varve = await userWith(t, { "a.txt": "a" });
  const path = await mounted(t, varve, DATASET);
  const said = (file: string) => readFileSync(join(path, ".varve", file), "utf8");
  const [log] = (await varve.ok(["log", DATASET, "--json"])).json() as [{ id: string }];
  assert.deepEqual(readdirSync(path), ["a.txt"]);
  assert.deepEqual(readdirSync(join(path, ".varve")), ["digests.json", "id", "lineage.json", "reference"]);
  assert.equal(said("reference"), `${DATASET}@1.0.0\n`);
  assert.equal(said("id"), `${log.id}\n`);
  assert.deepEqual(JSON.parse(said("lineage.json")), [log]);
  const [version] = (await varve.ok(["versions", DATASET, "--json"])).json() as [Record<string, unknown>];
  const digests = JSON.parse(said("digests.json")) as Record<string, unknown>;
  assert.deepEqual([digests["tree"], digests["content"]], [version["digest"], version["contentDigest"]]);
  assert.deepEqual([digests["files"], digests["bytes"]], [1, 1]);
});

test(".varve of a writable mount cannot be changed, and is never committed", MOUNTED, async (t) => {
  const varve = await userWith(t, { "a.txt": "a", "sub/b.txt": "b" });
  const { path } = await mountWritable(t, varve);
  const refusals: [line: string, error: RegExp][] = [
    ['mkdir "$1/.varve"', /File exists/],
    ['rmdir "$1/.varve"', /not permitted/],
    ['mv "$1/.varve" "$1/other"', /not permitted/],
    ['mv -T "$1/sub" "$1/.varve"', /File exists/],
    ['mv "$1/a.txt" "$1/.varve/"', /Read-only/],
    ['ln "$1/.varve/id" "$1/id"', /not permitted/],
    ['ln "$1/a.txt" "$1/.varve/a.txt"', /Read-only/],
    ['touch "$1/.varve/new"', /Read-only/],
    ['echo > "$1/.varve/id"', /Read-only|cannot create/],
    ['rm "$1/.varve/id"', /Read-only/],
    ['chmod 777 "$1/.varve"', /Read-only/],
    ['setfattr -n user.a -v b "$1/.varve"', /Read-only/],
  ];
  for (const [line, error] of refusals) await assert.rejects(sh(line, path), error, line);
  assert.equal(readFileSync(join(path, ".varve/reference"), "utf8"), `${DATASET}@1.0.0\n`);
  const diff = (await varve.ok(["diff", path, "--json"])).json() as { added: string[]; removed: string[] };
  assert.deepEqual([diff.added, diff.removed], [[], []]);
  writeFileSync(join(path, "new"), "new");
  await varve.ok(["unmount", path]);
  assert.equal((await varve.ok(["ls", DATASET, "-R"])).stdout, "a.txt\nnew\nsub\nsub/b.txt\n");
});
