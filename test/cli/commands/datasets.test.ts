/** Renaming, moving and deleting by command. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { writeFolder } from "../../dataset/support/folders.js";
import { varveUser } from "../../support/varve.js";

test("D14: a delete that fails says why and exits with its code; rename, move and delete say what they did", async (t) => {
  const varve = await varveUser(t);
  for (const content of ["one", "two"]) {
    writeFolder(`${varve.home}/../files`, { content });
    await varve.ok(["sync", `${varve.home}/../files`, "p/d"]);
  }
  assert.equal((await varve.ok(["rename", "p/d", "e"])).stdout, "p/d is p/e\n");
  assert.equal((await varve.ok(["move", "p/e", "q"])).stdout, "p/e is q/e\n");
  const former = await varve(["delete", "p/d@1.0.0"]);
  assert.deepEqual([former.code, former.stdout], [3, ""]);
  assert.match(former.stderr, /it is called "q\/e" now/);
  const parent = await varve(["delete", "q/e@1.0.0"]);
  assert.deepEqual([parent.code, parent.stdout], [4, ""]);
  assert.match(parent.stderr, /Cannot delete "q\/e@1.0.0": it is the parent of 1.0.1/);
  assert.equal((await varve(["delete", "q/e"])).code, 4);
  const dry = await varve.ok(["delete", "q/e@1.0.0", "--force", "--dry-run"]);
  assert.equal(dry.stdout, "q/e@1.0.0 would be deleted; it named 3 B\n");
  assert.equal(
    (await varve.ok(["delete", "q/e@1.0.0", "--force"])).stdout,
    "q/e@1.0.0 is deleted; it named 3 B\n",
  );
  const { dryRun, versions } = (await varve.ok(["delete", "q/e", "--json"])).json() as Record<
    string,
    unknown[]
  >;
  assert.deepEqual([dryRun, versions?.length], [false, 1]);
  assert.deepEqual((await varve.ok(["versions", "--json"])).json(), []);
});
