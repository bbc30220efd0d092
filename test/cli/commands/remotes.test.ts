/** `varve remote` and `varve catalog rebuild`, as a user runs them. */
import assert from "node:assert/strict";
import { renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";

import { writeFolder } from "../../dataset/support/folders.js";
import { tempDir } from "../../support/temp.js";
import { type Varve, varveUser } from "../../support/varve.js";

interface Lab {
  varve: Varve;
  /** Where the remote `lab` lies. */
  place: string;
  folder: string;
}

/** A user with `vision/one@1.0.0` in a remote that is called `lab`. */
async function userWithLab(t: TestContext): Promise<Lab> {
  const varve = await varveUser(t);
  const folder = await tempDir(t);
  const [place, files] = [join(folder, "remote"), join(folder, "files")];
  writeFolder(files, { a: "first\n" });
  await varve.ok(["remote", "add", "lab", place]);
  await varve.ok(["sync", files, "vision/one", "--remote", "lab"]);
  return { varve, place, folder };
}

test("a remote's folder that was moved is one setting: everything in it reads again", async (t) => {
  const { varve, place, folder } = await userWithLab(t);
  const moved = join(folder, "moved");
  renameSync(place, moved);
  rmSync(join(varve.home, "cache"), { recursive: true });
  const lost = await varve(["cat", "vision/one@1.0.0", "a"]);
  assert.deepEqual([lost.code, lost.stdout], [1, ""]);
  assert.match(lost.stderr, /varve remote set/);
  const { id } = (await varve.ok(["remote", "set", "lab", moved, "--json"])).json() as { id: string };
  assert.equal((await varve.ok(["cat", "vision/one@1.0.0", "a"])).stdout, "first\n");
  const listed = (await varve.ok(["remote", "list", "--json"])).json();
  assert.deepEqual(listed, [{ name: "lab", url: `file://${moved}`, id }]);
  writeFolder(join(folder, "files"), { b: "second\n" });
  const next = (await varve.ok(["sync", join(folder, "files"), "vision/one", "--json"])).json();
  assert.equal((next as { version: string }).version, "1.0.1");
});

test("catalog rebuild says what it found, and exits with 1 when something was left out", async (t) => {
  const { place } = await userWithLab(t);
  const varve = await varveUser(t);
  const found = await varve.ok(["catalog", "rebuild", place]);
  assert.equal(found.stdout, `1 dataset, 1 version in file://${place}; 1 new to this catalog\n`);
  assert.equal((await varve.ok(["cat", "vision/one", "a"])).stdout, "first\n");
  const { code, stdout, stderr } = await varve(["catalog", "rebuild", place, "/nowhere"]);
  assert.deepEqual([code, stdout.startsWith("1 dataset, 1 version")], [1, true]);
  assert.match(stderr, /Left out "\/nowhere"/);
});
