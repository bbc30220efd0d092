/** Versions made side by side: whoever takes the latest is told of those it does not contain. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { Dataset } from "../../src/dataset/dataset.js";
import { varveUser } from "../support/varve.js";
import { writeFolder } from "./support/folders.js";
import { testUser } from "./support/workspaces.js";

const MERGE =
  "p/d@1.0.2 does not contain p/d@1.0.1: varve create p/d --parent p/d@1.0.1 --parent p/d@1.0.2 --merge three-way, then varve finalize, joins what each changed; only where both changed a path the last parent wins";

test("the latest version names a finished sibling it does not contain, until a merge contains both", async (t) => {
  const user = await testUser(t);
  const workspace = user.open();
  const make = async (version: string, ...parents: string[]) => {
    const draft = await Dataset.create("p/d", { workspace, version, parents });
    await draft.finalize();
  };
  const unmerged = async (reference = "p/d") => (await Dataset.get(reference, { workspace })).unmerged;
  await make("1.0.0");
  await make("1.0.1", "p/d@1.0.0");
  assert.deepEqual(await unmerged(), [], "a line of versions");
  await Dataset.create("p/d", { workspace, version: "1.0.9", parents: ["p/d@1.0.0"] });
  assert.deepEqual(await unmerged(), [], "a draft is no head");
  await make("1.0.2", "p/d@1.0.0");
  await make("1.0.3-rc.1", "p/d@1.0.2");
  user.notices.length = 0;
  assert.deepEqual(await unmerged(), ["p/d@1.0.1"], "what comes after the latest is no sibling of it");
  assert.deepEqual(user.notices, [MERGE]);
  assert.deepEqual(await unmerged("p/d@1.0.2"), [], "a version asked for by name");
  await make("2.0.0", "p/d@1.0.1", "p/d@1.0.2");
  assert.deepEqual(await unmerged(), ["p/d@1.0.3-rc.1"]);
});

test("versions and cat say on standard error how to merge two heads, JSON has a field, and the merge works", async (t) => {
  const varve = await varveUser(t);
  const folder = `${varve.home}/../files`;
  const sync = async (file: string, ...parent: string[]) => {
    writeFolder(`${folder}/${file}`, { [file]: file });
    await varve.ok(["sync", `${folder}/${file}`, "p/d", ...parent]);
  };
  await sync("base");
  await sync("one", "--parent", "p/d@1.0.0");
  await sync("two", "--parent", "p/d@1.0.0");
  for (const command of [
    ["versions", "p/d"],
    ["cat", "p/d", "two"],
  ])
    assert.equal((await varve.ok(command)).stderr.trim().split("\n").at(-1), MERGE);
  const rows = (await varve.ok(["versions", "p/d", "--json"])).json() as {
    version: string;
    unmerged: boolean;
  }[];
  assert.deepEqual(
    rows.map(({ version, unmerged }) => [version, unmerged]),
    [
      ["1.0.0", false],
      ["1.0.1", true],
      ["1.0.2", false],
    ],
  );
  const [, create] = /: (varve create .*), then/.exec(MERGE)!;
  await varve.ok(create!.split(" ").slice(1));
  await varve.ok(["finalize"]);
  assert.equal((await varve.ok(["versions", "p/d"])).stderr, "");
});
