/** Publishing, archiving, tags and descriptions by command. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { writeFolder } from "../../dataset/support/folders.js";
import { type Varve, varveUser } from "../../support/varve.js";

async function madeTwice(t: Parameters<typeof varveUser>[0]): Promise<Varve> {
  const varve = await varveUser(t);
  for (const content of ["one", "two"]) {
    writeFolder(`${varve.home}/../files`, { content });
    await varve.ok(["sync", `${varve.home}/../files`, "p/d"]);
  }
  return varve;
}

test("tags are added, removed, set and listed, of a version and of its dataset", async (t) => {
  const varve = await madeTwice(t);
  const said = async (...args: string[]) => (await varve.ok(["tag", ...args])).stdout;
  assert.equal(await said("p/d@1.0.0", "--add", "b", "--add", "a"), "p/d@1.0.0 has a, b\n");
  assert.equal(await said("p/d@1.0.0", "--remove", "a", "--add", "c"), "p/d@1.0.0 has b, c\n");
  assert.equal(await said("p/d", "--dataset", "--add", "vision"), "p/d has vision\n");
  assert.equal(await said("p/d", "--list"), "", "the latest version has none");
  assert.equal(await said("p/d@1.0.0", "--list"), "b\nc\n");
  assert.equal(await said("p/d@1.0.0", "--set", "only"), "p/d@1.0.0 has only\n");
  const answer = await varve.ok(["tag", "p/d@1.0.0", "--json"]);
  const { id, ...facts } = answer.json() as { id: string };
  assert.match(id, /^[0-9a-f]{32}$/);
  const named = { dataset: "p/d", version: "1.0.0", state: "completed", description: "" };
  assert.deepEqual(facts, { ...named, archived: false, tags: ["only"] });
});

test("publish and set-description show in versions; a draft cannot be published", async (t) => {
  const varve = await madeTwice(t);
  await varve.ok(["publish", "p/d@1.0.0"]);
  await varve.ok(["publish", "p/d@1.0.0"]);
  await varve.ok(["set-description", "p/d", "The second"]);
  const answer = await varve.ok(["versions", "p/d", "--json"]);
  assert.deepEqual(
    (answer.json() as Record<string, unknown>[]).map(({ state, description }) => [state, description]),
    [
      ["published", ""],
      ["completed", "The second"],
    ],
  );
  await varve.ok(["create", "p/d", "--version", "3"]);
  const refused = await varve(["publish", "p/d@3"]);
  assert.deepEqual([refused.code, refused.stdout], [4, ""]);
  assert.match(refused.stderr, /Cannot publish "p\/d@3": it is a draft; varve finalize completes it/);
});

test("what is archived is in no list and is not the latest, and can be read by its label", async (t) => {
  const varve = await madeTwice(t);
  const labels = async (...more: string[]) =>
    ((await varve.ok(["versions", "p/d", "--json", ...more])).json() as { version: string }[]).map(
      ({ version }) => version,
    );
  await varve.ok(["archive", "p/d@1.0.1"]);
  assert.deepEqual([await labels(), await labels("--archived")], [["1.0.0"], ["1.0.0", "1.0.1"]]);
  assert.equal((await varve.ok(["cat", "p/d", "content"])).stdout, "one");
  assert.equal((await varve.ok(["cat", "p/d@1.0.1", "content"])).stdout, "two");
  writeFolder(`${varve.home}/../files`, { content: "three" });
  await varve.ok(["sync", `${varve.home}/../files`, "p/d"]);
  assert.deepEqual(await labels(), ["1.0.0", "1.0.2"]);
  await varve.ok(["unarchive", "p/d@1.0.1"]);
  assert.deepEqual(await labels(), ["1.0.0", "1.0.1", "1.0.2"]);
  await varve.ok(["archive", "p/d", "--dataset"]);
  assert.deepEqual((await varve.ok(["versions", "--json"])).json(), []);
  assert.equal(((await varve.ok(["versions", "--json", "--archived"])).json() as unknown[]).length, 1);
  assert.equal((await varve.ok(["cat", "p/d", "content"])).stdout, "three");
});

test("archive without a label asks which is meant", async (t) => {
  const varve = await madeTwice(t);
  const { code, stderr } = await varve(["archive", "p/d"]);
  assert.deepEqual([code, /p\/d@LABEL names a version, --dataset means the whole/.test(stderr)], [2, true]);
});
