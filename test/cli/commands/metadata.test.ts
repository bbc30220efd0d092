/** `varve metadata`: values kept with a version, in and out of files and pipes. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { writeFolder } from "../../dataset/support/folders.js";
import { tempDir } from "../../support/temp.js";
import { varveUser } from "../../support/varve.js";
import { keysOf } from "./keys.js";

test("values go in from files and pipes, are listed, come out unchanged, and can be removed", async (t) => {
  const [varve, folder] = [await varveUser(t), await tempDir(t)];
  writeFolder(folder, { "labels.csv": "path,label\na,cat\n" });
  await varve.ok(["create", "p/d"]);
  const ref = "p/d@1.0.0";
  const set = await varve.ok(["metadata", "set", ref, "labels", join(folder, "labels.csv"), "--json"]);
  assert.deepEqual(keysOf(set.json()), ["bytes", "form", "id", "name", "sha256", "type"]);
  await varve.ok(["metadata", "set", ref, "note", "-"], { input: "free text" });
  await varve.ok(["metadata", "set", ref, "state", "--type", "application/json"], { input: '{"seed": 7}' });
  await varve.ok(["metadata", "set", ref, "raw"], { input: new Uint8Array([0, 255]) });
  await varve.ok(["finalize"]);
  assert.equal(
    (await varve.ok(["metadata", "list", ref])).stdout,
    [
      "name    type                      size",
      "labels  text/csv                  17 B",
      "note    text/plain                 9 B",
      "raw     application/octet-stream   2 B",
      "state   application/json          10 B",
      "",
    ].join("\n"),
  );
  assert.equal((await varve.ok(["metadata", "get", ref, "labels"])).stdout, "path,label\na,cat\n");
  assert.equal((await varve.ok(["metadata", "get", ref, "state"])).stdout, '{"seed":7}\n');
  const { value } = (await varve.ok(["metadata", "get", ref, "state", "--json"])).json() as {
    value: unknown;
  };
  assert.deepEqual(value, { seed: 7 });
  await varve.ok(["metadata", "get", ref, "raw", "-o", join(folder, "raw")]);
  assert.deepEqual([...readFileSync(join(folder, "raw"))], [0, 255]);
});

test("what is not there is not found; a child takes values over when asked", async (t) => {
  const varve = await varveUser(t);
  await varve.ok(["create", "p/d"]);
  await varve.ok(["metadata", "set", "p/d@1.0.0", "note"], { input: "kept" });
  const missing = await varve(["metadata", "get", "p/d@1.0.0", "nothing"]);
  assert.equal(missing.code, 3);
  assert.match(missing.stderr, /Cannot find the metadata "nothing".*varve metadata list/);
  await varve.ok(["finalize"]);
  await varve.ok(["create", "p/d", "--parent", "p/d", "--inherit-metadata"]);
  assert.equal((await varve.ok(["metadata", "get", "p/d@1.0.1", "note"])).stdout, "kept");
  await varve.ok(["metadata", "remove", "p/d@1.0.1", "note"]);
  assert.deepEqual((await varve.ok(["metadata", "list", "p/d@1.0.1", "--json"])).json(), []);
});

test("what is said of single files is set, printed and taken away", async (t) => {
  const [varve, folder] = [await varveUser(t), await tempDir(t)];
  writeFolder(folder, { "a.txt": "a" });
  await varve.ok(["create", "p/d"]);
  await varve.ok(["add", folder]);
  const file = (...fields: string[]) => varve.ok(["metadata", "file", "p/d@1.0.0", "a.txt", ...fields]);
  assert.deepEqual((await file("label=cat", "width=12", "ok=true")).json(), {
    label: "cat",
    width: 12,
    ok: true,
  });
  assert.deepEqual((await file("width=")).json(), { label: "cat", ok: true });
  await varve.ok(["finalize"]);
  assert.deepEqual((await file()).json(), { label: "cat", ok: true });
  const found = (await varve.ok(["query", "p/d", "ok", "--json"])).json();
  assert.deepEqual(found, [{ path: "a.txt", metadata: { label: "cat", ok: true } }]);
  const wrong = await varve(["query", "p/d", "ok ="]);
  assert.deepEqual([wrong.code, wrong.stdout], [2, ""]);
});
