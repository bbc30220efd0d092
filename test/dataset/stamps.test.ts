/** What is remembered of hashed files is worth nothing but time: where it is lost, versions are made all the same. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { syncVersion } from "../../src/dataset/sync.js";
import { writeFolder } from "./support/folders.js";
import { testUser } from "./support/workspaces.js";

test("a memory of hashes that is damaged is begun anew", async (t) => {
  const { home, open, scratch } = await testUser(t);
  writeFolder(scratch, { a: "one" });
  mkdirSync(home.dataDir, { recursive: true });
  const file = join(home.dataDir, "stamps.db");
  writeFileSync(file, "no database, but as long as one may be to be looked at ".repeat(100));
  const workspace = open();
  const { committed } = await syncVersion(scratch, "p/d", { workspace });
  assert.equal(committed?.files, 1);
  await workspace.close();
  assert.equal(readFileSync(file, "latin1").slice(0, 15), "SQLite format 3");
});

test("a memory of hashes that cannot be opened is done without", async (t) => {
  const { home, open, scratch } = await testUser(t);
  writeFolder(scratch, { a: "one" });
  mkdirSync(join(home.dataDir, "stamps.db"), { recursive: true });
  const { committed } = await syncVersion(scratch, "p/d", { workspace: open() });
  assert.equal(committed?.files, 1);
});
