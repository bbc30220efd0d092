/** Part of a version, mounted: the files of which an expression over their metadata holds, and their folders. */
import assert from "node:assert/strict";
import { readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { writeFolder } from "../dataset/support/folders.js";
import { tempDir } from "../support/temp.js";
import { type Varve, varveUser } from "../support/varve.js";

const LABELS = "path,label,width\ncats/1.jpg,cat,200\ncats/old/2.jpg,cat,50\ndogs/1.jpg,dog,90\n";

async function petsOf(varve: Varve, folder: string): Promise<void> {
  const files = { "cats/1.jpg": "one", "cats/old/2.jpg": "two", "dogs/1.jpg": "three", readme: "four" };
  writeFolder(join(folder, "files"), files);
  writeFolder(folder, { "labels.csv": LABELS });
  await varve.ok(["create", "p/pets"]);
  await varve.ok(["add", join(folder, "files")]);
  await varve.ok(["metadata", "import", "p/pets@1.0.0", join(folder, "labels.csv")]);
  await varve.ok(["finalize"]);
}

test("mount --where and --glob show the files that are meant, with the inodes of the whole version", async (t) => {
  const [varve, folder, whole, part, jpgs] = [
    await varveUser(t),
    ...(await Promise.all([1, 2, 3, 4].map(() => tempDir(t)))),
  ];
  await petsOf(varve, folder!);
  assert.equal((await varve.ok(["query", "p/pets", "label = 'cat'"])).stdout, "cats/1.jpg\ncats/old/2.jpg\n");
  await varve.ok(["mount", "p/pets", whole!]);
  await varve.ok(["mount", "p/pets", part!, "--where", "label = 'cat' and width < 100"]);
  await varve.ok(["mount", "p/pets", jpgs!, "--glob", "*.jpg"]);
  assert.deepEqual(readdirSync(part!, { recursive: true }).sort(), ["cats", "cats/old", "cats/old/2.jpg"]);
  assert.deepEqual(readdirSync(jpgs!), ["cats", "dogs"]);
  assert.equal(readFileSync(join(part!, "cats/old/2.jpg"), "utf8"), "two");
  assert.throws(() => statSync(join(part!, "readme")), { code: "ENOENT" });
  assert.throws(() => statSync(join(part!, "cats/1.jpg")), { code: "ENOENT" });
  for (const path of ["", "cats", "cats/old/2.jpg"])
    assert.equal(statSync(join(part!, path)).ino, statSync(join(whole!, path)).ino, path);
  for (const path of [whole, part, jpgs]) await varve.ok(["unmount", path!]);
});

test("a selection that cannot be read, or is to be written to, mounts nothing", async (t) => {
  const [varve, folder, path] = [await varveUser(t), await tempDir(t), await tempDir(t)];
  await petsOf(varve, folder);
  const wrong = await varve(["mount", "p/pets", path, "--where", "label ="]);
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /at character 8 a field or a value is expected/);
  const writable = await varve(["mount", "-w", "p/pets", path, "--where", "label = 'cat'"]);
  assert.equal(writable.code, 2);
  assert.match(writable.stderr, /varve create --where/);
});
