/** Two machines, as it were: homes of their own that share a catalog on PostgreSQL and a bucket, and nothing else. */
import assert from "node:assert/strict";
import { readFileSync, readdirSync, statSync } from "node:fs";
import { appendFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { noise } from "../content/noise.js";
import { describeFolder, writeFolder } from "../dataset/support/folders.js";
import { POSTGRES_PASSWORD, ownPostgresServer, postgresServer } from "../support/postgres.js";
import type { PostgresServer } from "../support/postgres-server.js";
import { s3Environment, s3ServerProcess } from "../support/s3.js";
import { tempDir } from "../support/temp.js";
import { type Varve, varveUser } from "../support/varve.js";
import { MOUNTED, liveMount } from "./support/mounted.js";

const DATASET = "team/pets";

interface Team {
  ada: Varve;
  bob: Varve;
}

/** Two users who share what `catalogs` has a catalog for, and a bucket. */
async function team(t: TestContext, catalogs: PostgresServer): Promise<Team> {
  const env = {
    ...s3Environment(await s3ServerProcess(t)),
    VARVE_REMOTE: "s3://bucket/team",
    VARVE_CATALOG: await catalogs.newCatalog(t),
  };
  return { ada: await varveUser(t, env), bob: await varveUser(t, env) };
}

test(
  "what one creates, adds and finalizes the other mounts, changes and commits, and the first sees",
  MOUNTED,
  async (t) => {
    const { ada, bob } = await team(t, await postgresServer());
    const source = await tempDir(t);
    writeFolder(source, { "cats/one": "one", "dogs/two": "two" });
    await ada.ok(["create", DATASET]);
    await ada.ok(["add", source]);
    const elsewhere = await bob(["add", source]);
    assert.deepEqual([elsewhere.code, /there is no draft/.test(elsewhere.stderr)], [3, true]);
    const named = await bob(["add", source, "--dataset", `${DATASET}@1.0.0`]);
    assert.deepEqual([named.code, /lies where .* made it/.test(named.stderr)], [3, true]);
    await ada.ok(["upload"]);
    await ada.ok(["finalize"]);

    const at = await tempDir(t);
    await bob.ok(["mount", DATASET, at, "--writable"]);
    assert.deepEqual(describeFolder(join(at, "cats")), describeFolder(join(source, "cats")));
    assertKeepsSecret(bob, liveMount(bob, at).pid);
    await writeFile(join(at, "three"), "three");
    await appendFile(join(at, "cats/one"), ", and more");
    await bob.ok(["unmount", at, "--message", "Bob's"]);

    assert.deepEqual(await labels(ada, DATASET), ["1.0.0", "1.0.1"]);
    assert.equal((await ada.ok(["cat", `${DATASET}@1.0.1`, "cats/one"])).stdout, "one, and more");
    const all = await tempDir(t);
    await ada.ok(["mount", "--all", all]);
    assert.deepEqual(readdirSync(join(all, DATASET)).sort(), ["1.0.0", "1.0.1", "latest"]);
    assert.equal(readFileSync(join(all, DATASET, "1.0.1/three"), "utf8"), "three");
    await ada.ok(["unmount", all]);
    const doctor = (await ada(["doctor"])).stdout;
    assert.match(doctor, /Catalog +postgres:\/\/varve@127\.0\.0\.1:/);
    assert.ok(!doctor.includes(encodeURIComponent(POSTGRES_PASSWORD)));
  },
);

test(
  "what one syncs the other gets, squashes and deletes, and the first sees each of it",
  MOUNTED,
  async (t) => {
    const { ada, bob } = await team(t, await postgresServer());
    const source = await tempDir(t);
    writeFolder(source, { "cats/one": "one", "dogs/two": "two" });
    await ada.ok(["sync", source, DATASET]);
    const copy = join(await tempDir(t), "copy");
    await bob.ok(["get", DATASET, copy]);
    assert.deepEqual(describeFolder(copy), describeFolder(source));

    writeFolder(copy, { three: "three" });
    await bob.ok(["sync", copy]);
    await ada.ok(["sync", copy, DATASET]);
    assert.deepEqual(
      await labels(ada, DATASET),
      ["1.0.0", "1.0.1"],
      "the same content is no version of its own",
    );
    const draft = await ada(["sync", source, DATASET, "--version", "1.0.1"]);
    assert.deepEqual(
      [draft.code, /1\.0\.1/.test(draft.stderr)],
      [4, true],
      "a label that the other has taken",
    );

    await bob.ok(["squash", "team/whole", `${DATASET}@1.0.0`, `${DATASET}@1.0.1`]);
    assert.equal((await ada.ok(["cat", "team/whole", "three"])).stdout, "three");
    const used = await ada(["delete", `${DATASET}@1.0.0`]);
    assert.deepEqual([used.code, /1\.0\.1/.test(used.stderr)], [4, true], "the other's child");
    await bob.ok(["delete", `${DATASET}@1.0.1`]);
    assert.deepEqual(await labels(ada, DATASET), ["1.0.0"]);
    assert.equal((await ada(["cat", `${DATASET}@1.0.1`, "three"])).code, 3);
    await ada.ok(["delete", DATASET, "--entire-dataset", "--force"]);
    const left = (await bob.ok(["list", "--json"])).json() as { name: string }[];
    assert.deepEqual(left.map(({ name }) => name), ["whole"]); // prettier-ignore
    assert.equal((await bob.ok(["cat", "team/whole", "dogs/two"])).stdout, "two");
  },
);

test("a mount reads what is not cached while the catalog's server is away", MOUNTED, async (t) => {
  const catalogs = await ownPostgresServer(t);
  const { ada, bob } = await team(t, catalogs);
  const [source, at] = [await tempDir(t), await tempDir(t)];
  // As many bytes as no reading ahead fetches at once.
  for (const name of ["first", "second", "third"]) writeFolder(source, { [name]: noise(name, 20_000_000) });
  await ada.ok(["sync", source, DATASET]);
  await bob.ok(["mount", DATASET, at]);
  assert.equal(readFileSync(join(at, "first")).length, 20_000_000);
  await catalogs.halt();
  await sleep(1_500);
  const startMs = performance.now();
  for (const name of ["second", "third"])
    assert.ok(readFileSync(join(at, name)).equals(readFileSync(join(source, name))), name);
  assert.ok(performance.now() - startMs < 15_000, "nobody waited for the server");
  await catalogs.resume();
  await bob.ok(["unmount", at]);
});

async function labels(varve: Varve, dataset: string): Promise<string[]> {
  const rows = (await varve.ok(["versions", dataset, "--json"])).json() as { version: string }[];
  return rows.map(({ version }) => version).sort();
}

/** Nothing that others could read, and no file that stays, has the password. */
function assertKeepsSecret({ home }: Varve, pid: number): void {
  const secret = encodeURIComponent(POSTGRES_PASSWORD);
  assert.ok(!readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(secret));
  const kept = ["mounts", "logs", "overlays"].flatMap((folder) =>
    readdirSync(join(home, folder), { recursive: true, encoding: "utf8" }).map((name) =>
      join(home, folder, name),
    ),
  );
  for (const path of kept.filter((each) => statSync(each).isFile()))
    assert.ok(!readFileSync(path, "latin1").includes(secret), path);
}
