/** Two machines, as it were: homes of their own that share a catalog on PostgreSQL and a bucket, and nothing else. */
import assert from "node:assert/strict";
import { readFileSync, readdirSync, statSync } from "node:fs";
import { appendFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";

import { describeFolder, writeFolder } from "../dataset/support/folders.js";
import { POSTGRES_PASSWORD, postgresServer } from "../support/postgres.js";
import { s3Environment, s3ServerProcess } from "../support/s3.js";
import { tempDir } from "../support/temp.js";
import { type Varve, varveUser } from "../support/varve.js";
import { MOUNTED, liveMount } from "./support/mounted.js";

const DATASET = "team/pets";

test(
  "what one creates, adds and finalizes the other mounts, changes and commits, and the first sees",
  MOUNTED,
  async (t) => {
    const server = await s3ServerProcess(t);
    const env = {
      ...s3Environment(server),
      VARVE_REMOTE: "s3://bucket/team",
      VARVE_CATALOG: await (await postgresServer()).newCatalog(),
    };
    const [ada, bob] = [await varveUser(t, env), await varveUser(t, env)];
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

    const labels = (await ada.ok(["versions", DATASET, "--json"])).json() as { version: string }[];
    assert.deepEqual(labels.map(({ version }) => version).sort(), ["1.0.0", "1.0.1"]);
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
