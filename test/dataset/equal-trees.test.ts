/** Equal trees have equal digests, however they were made and wherever their bytes lie. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { Dataset } from "../../src/dataset/dataset.js";
import { syncVersion } from "../../src/dataset/sync.js";
import { KiB, MiB } from "../../src/units.js";
import { noise } from "../content/noise.js";
import { type Contents, writeFolder } from "./support/folders.js";
import { testUser } from "./support/workspaces.js";

interface Digests {
  digest: string;
  contentDigest: string;
}

const FINAL: Contents = {
  "a/small": "text",
  "a/deep/er/file": noise("deep", 30 * KiB),
  "b/large": noise("large", 3 * MiB),
  "b/link": { target: "large" },
  "c/empty/": "",
  top: "",
  ...Object.fromEntries([...Array(300).keys()].map((index) => [`many/f${index}`, `number ${index}`])),
};

async function bySync(t: Parameters<typeof testUser>[0], folder: string): Promise<Digests> {
  const { open } = await testUser(t);
  const { committed } = await syncVersion(folder, "p/d", { workspace: open() });
  return committed!;
}

function digestsOf({ digest, contentDigest }: Digests): Digests {
  return { digest, contentDigest };
}

test("a sync of the final folder and a sync with steps after it have equal digests", async (t) => {
  const { open, scratch } = await testUser(t);
  const workspace = open();
  writeFolder(scratch, FINAL);
  const whole = await bySync(t, scratch);

  const before = `${scratch}-before`;
  cpSync(scratch, before, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
  rmSync(join(before, "a"), { recursive: true });
  writeFolder(before, {
    "many/f7": "other",
    "many/extra": "more",
    "b/large": noise("other", 2 * MiB),
    d: "x",
  });
  await syncVersion(before, "p/d", { workspace });

  const draft = await Dataset.create("p/d", { workspace, parents: ["p/d"] });
  await draft.removeFiles(["many/extra", "b"]);
  await draft.syncFolder(scratch);
  assert.deepEqual(digestsOf(await draft.finalize({ autoUpload: true })), digestsOf(whole));
});

test("adding file by file, in any order and over several versions, gives the digests of one sync", async (t) => {
  const { open, scratch } = await testUser(t);
  const workspace = open();
  writeFolder(scratch, FINAL);
  const whole = await bySync(t, scratch);
  let parents: string[] = [];
  for (const part of ["many", "b", "c", "a"]) {
    const draft = await Dataset.create("p/d", { workspace, parents });
    await draft.addFiles(join(scratch, part), { to: part });
    parents = [(await draft.finalize({ autoUpload: true })).id];
  }
  const last = await Dataset.create("p/d", { workspace, parents });
  await last.addFiles(join(scratch, "top"));
  const made = await last.finalize({ autoUpload: true });
  assert.equal(made.contentDigest, whole.contentDigest);
  const { committed } = await syncVersion(scratch, "p/d", { workspace, metadata: true });
  assert.deepEqual(digestsOf(committed ?? made), digestsOf(whole), "the times of the root are the folder's");
});

test("the same files with other times have equal content digests and other tree digests", async (t) => {
  const { scratch } = await testUser(t);
  writeFolder(scratch, FINAL);
  const first = await bySync(t, scratch);
  execFileSync("find", [scratch, "-exec", "touch", "-h", "-d", "2001-02-03", "{}", "+"]);
  const second = await bySync(t, scratch);
  assert.equal(second.contentDigest, first.contentDigest);
  assert.notEqual(second.digest, first.digest);
  writeFileSync(join(scratch, "top"), "x");
  assert.notEqual((await bySync(t, scratch)).contentDigest, first.contentDigest);
});

test("a merge of parts has the content digest of the whole", async (t) => {
  const { open, scratch } = await testUser(t);
  const workspace = open();
  writeFolder(scratch, FINAL);
  const whole = await bySync(t, scratch);
  const ids: string[] = [];
  for (const part of ["a", "b", "c", "many"]) {
    const draft = await Dataset.create("p/d", { workspace });
    await draft.addFiles(join(scratch, part), { to: part });
    ids.push((await draft.finalize({ autoUpload: true })).id);
  }
  const merged = await Dataset.create("p/d", { workspace, parents: ids });
  await merged.addFiles(join(scratch, "top"));
  assert.equal((await merged.finalize({ autoUpload: true })).contentDigest, whole.contentDigest);
});
