import assert from "node:assert/strict";
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { Dataset } from "../../../src/dataset/dataset.js";
import { syncVersion } from "../../../src/dataset/sync.js";
import { pathsOf } from "../support/folders.js";
import { copyUser } from "./support.js";

test("sync of a copy makes a child of the version it is a copy of, also after others, and after the folder was moved", async (t) => {
  const { workspace, dataset, source, target } = await copyUser(t, { a: "1", "d/b": "2" });
  await dataset.getMutableLocalCopy(target);
  writeFileSync(join(source, "other"), "made meanwhile");
  await syncVersion(source, "p/d", { workspace });

  assert.equal(
    (await syncVersion(target, undefined, { workspace, parents: [dataset.id] })).committed,
    undefined,
  );
  renameSync(target, `${target}-moved`);
  writeFileSync(join(`${target}-moved`, "mine"), "3");
  const { committed } = await syncVersion(`${target}-moved`, undefined, { workspace });
  const child = await Dataset.get(committed!.id, { workspace });
  const row = await (await workspace.catalog()).parentsOf(child.id);
  assert.deepEqual(row, [dataset.id]);
  assert.deepEqual(await pathsOf(child), ["a", "d/", "d/b", "mine"]);

  writeFileSync(join(`${target}-moved`, "more"), "4");
  const next = await syncVersion(`${target}-moved`, "p/d", { workspace });
  assert.deepEqual(await (await workspace.catalog()).parentsOf(next.committed!.id), [child.id]);
});

test("sync of a copy of some files, and of a folder that is no copy, without a name is refused", async (t) => {
  const { workspace, dataset, source, target } = await copyUser(t, { a: "1", b: "2" });
  await dataset.getMutableLocalCopy(target, { files: ["a"] });
  await assert.rejects(syncVersion(target, undefined, { workspace }), {
    code: "conflict",
    message: /copy of some files of p\/d@1\.0\.0/,
  });
  await assert.rejects(syncVersion(source, undefined, { workspace }), {
    code: "bad-input",
    message: /without a name/,
  });
});
