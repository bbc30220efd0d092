/** Jobs through the commands: mounts that note their use, and what was set for the next run. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { tempDir } from "../../support/temp.js";
import { varveUser } from "../../support/varve.js";
import { writeFolder } from "../../dataset/support/folders.js";
import { keysOf } from "./keys.js";

test("mount --alias notes the version for the job, and an overridable mount gives what job set says", async (t) => {
  const varve = await varveUser(t);
  const folder = await tempDir(t);
  for (const content of ["one", "two"]) {
    writeFolder(folder, { file: content });
    await varve.ok(["sync", folder, "p/d"]);
  }
  const env = { VARVE_JOB_ID: "4711", VARVE_JOB_NAME: "train" };
  const mounted = async () => {
    const at = await tempDir(t);
    await varve.ok(["mount", "p/d", at, "--alias", "data", "--overridable"], { env });
    const content = readFileSync(join(at, "file"), "utf8");
    await varve.ok(["unmount", at]);
    return content;
  };
  assert.equal(await mounted(), "two");
  await varve.ok(["job", "set", "4711", "Datasets/data", "p/d@1.0.0"]);
  assert.equal(await mounted(), "one");

  const shown = (await varve.ok(["job", "show", "4711", "--json"])).json() as {
    parameters: object;
    uses: { alias: string; reference: string }[];
  };
  assert.deepEqual(keysOf(shown), [
    "command",
    "host",
    "id",
    "name",
    "parameters",
    "started",
    "startedBy",
    "uses",
  ]);
  assert.deepEqual(shown.parameters, { "Datasets/data": "p/d@1.0.0" });
  assert.deepEqual(shown.uses.map(({ alias, reference }) => [alias, reference]), [["data", "p/d@1.0.0"], ["data", "p/d@1.0.1"]]); // prettier-ignore
  assert.match((await varve.ok(["job", "show", "4711"])).stdout, /used as data +p\/d@1\.0\.0 \(/);
  assert.match((await varve.ok(["job", "list"])).stdout, /^job +name.*\n4711 +train /);
  const usedBy = (await varve.ok(["used-by", "p/d@1.0.0"])).stdout;
  assert.match(usedBy, /^job 4711 {2}train {2}as data .*\nchild p\/d@1\.0\.1 {2}completed/);
  await varve.ok(["job", "unset", "4711", "Datasets/data"]);
  assert.equal(await mounted(), "two");
});

test("jobs that are not there are not found, and --overridable needs an alias", async (t) => {
  const varve = await varveUser(t);
  assert.equal((await varve(["job", "show", "nope"])).code, 3);
  assert.equal((await varve(["job", "set", "nope", "a", "b"])).code, 3);
  const { code, stderr } = await varve(["mount", "p/d", "/mnt", "--overridable"]);
  assert.deepEqual([code, /Cannot take --overridable without --alias/.test(stderr)], [2, true]);
  assert.match((await varve.ok(["job", "list"])).stderr, /No job has used a version/);
});

test("varve get notes its use under an alias, and gives what was set for the job", async (t) => {
  const varve = await varveUser(t, { VARVE_JOB_ID: "4712" });
  const folder = join(varve.home, "..", "files");
  writeFolder(folder, { file: "one" });
  await varve.ok(["sync", folder, "p/d"]);
  writeFolder(folder, { file: "two" });
  await varve.ok(["sync", folder, "p/d"]);
  const got = async (name: string) => {
    const copy = join(varve.home, "..", name);
    await varve.ok(["get", "p/d", copy, "--alias", "data", "--overridable"]);
    return readFileSync(join(copy, "file"), "utf8");
  };
  assert.equal(await got("first"), "two");
  await varve.ok(["job", "set", "4712", "Datasets/data", "p/d@1.0.0"]);
  assert.equal(await got("second"), "one");
  assert.match((await varve.ok(["used-by", "p/d@1.0.0"])).stdout, /^job 4712 .* as data /);
});
