/** A machine with nothing but credentials for a bucket: mounts by a reference that names the bucket. */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { writeFolder } from "../dataset/support/folders.js";
import { isCatalogUntouched } from "../support/catalog-place.js";
import { s3Environment, s3ServerProcess } from "../support/s3.js";
import { tempDir } from "../support/temp.js";
import { varveUser } from "../support/varve.js";
import { MOUNTED, sh } from "./support/mounted.js";

const REMOTE = "s3://bucket/some/prefix";

test(
  "a mount of a bucket's version needs no catalog, costs no history, names the remote that is missing; a writable one enters it",
  MOUNTED,
  async (t) => {
    const server = await s3ServerProcess(t);
    const root = await tempDir(t);
    const [source, at, local] = ["source", "mnt", "local"].map((name) => join(root, name)) as [
      string,
      string,
      string,
    ];
    for (const folder of [source, at, local]) mkdirSync(folder);
    const owner = await varveUser(t, { ...s3Environment(server) });
    writeFolder(source, { kept: "kept in a folder of the owner's machine" });
    await owner.ok(["sync", source, "lab/data", "--remote", local]);
    writeFolder(source, { "text/hello": "hello\n" });
    await owner.ok(["sync", source, "lab/data", "--remote", REMOTE]);
    writeFolder(source, { "text/later": "later\n" });
    await owner.ok(["sync", source, "lab/data", "--remote", REMOTE]);
    await sh('mv "$1" "$2"', local, `${local}-elsewhere`);

    const stranger = await varveUser(t, s3Environment(server));
    await server.reset();
    const mounted = await stranger.ok(["mount", `${REMOTE}#lab/data@1.0.1`, at, "--json"]);
    assert.deepEqual(readdirSync(join(at, "text")), ["hello"]);
    assert.equal(await sh('cat "$1/text/hello"', at), "hello\n");
    const { GetObject = { requests: 0 }, ListObjectsV2 } = await server.counts();
    // Identity, name, record, root, range and pack, and what a slow answer makes ask for again.
    assert.ok(GetObject.requests <= 9, `${GetObject.requests} reads`);
    assert.equal(ListObjectsV2?.requests, 1, "what became of the version since is looked for once");
    const { version, missing } = mounted.json() as { version: string; missing: { url: string }[] };
    assert.deepEqual([version, missing.map(({ url }) => url)], ["1.0.1", [`file://${local}`]]);
    assert.match(mounted.stderr, /varve remote add NAME URL tells where it is/);
    const lineage = JSON.parse(await sh('cat "$1/.varve/lineage.json"', at)) as { version: string }[];
    assert.deepEqual(lineage.map((step) => step.version), ["1.0.1"]); // prettier-ignore
    await stranger.ok(["unmount", at]);
    assert.equal(await isCatalogUntouched(stranger.places), true);

    await stranger.ok(["remote", "add", "moved", `${local}-elsewhere`]);
    await stranger.ok(["mount", "-w", `${REMOTE}#lab/data`, at]);
    writeFileSync(join(at, "text/new"), "new\n");
    await stranger.ok(["unmount", at]);
    assert.equal((await stranger.ok(["cat", "lab/data@1.0.3", "text/new"])).stdout, "new\n");
    assert.match((await stranger.ok(["cat", "lab/data@1.0.3", "kept"])).stdout, /^kept/);
  },
);
