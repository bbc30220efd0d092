/** The commands offline: a bundle made in one home, carried as a zip, imported in another and mounted, is equal. */
import assert from "node:assert/strict";
import { cpSync, existsSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { describeFolder, writeFolder } from "../dataset/support/folders.js";
import { noise } from "../content/noise.js";
import { tempDir } from "../support/temp.js";
import { varveUser } from "../support/varve.js";
import { MOUNTED } from "./support/mounted.js";

test(
  "a bundle made in one home, imported in another and mounted, is equal to what was added",
  MOUNTED,
  async (t) => {
    const one = await varveUser(t);
    const source = await tempDir(t);
    writeFolder(source, {
      "a.txt": "one",
      "sub/large": noise("large", 5_000_000),
      "sub/empty/": "",
      link: { target: "a.txt" },
    });
    const created = (await one.ok(["create", "p/d", "--offline", "--tag", "x", "--json"])).json() as Record<
      string,
      string
    >;
    assert.deepEqual(Object.keys(created).sort(), ["bundle", "dataset", "id", "version"]);
    await one.ok(["add", source, "--offline"]);
    const finalized = (await one.ok(["finalize", "--offline"])).stdout.split("\n");
    const [id, zip, folder] = finalized[1]!.split(/ {2,}/);
    assert.deepEqual([id, folder, zip], [created["id"], created["bundle"], `${created["bundle"]}.zip`]);
    assert.deepEqual(
      (await one.ok(["list", "--json"])).json(),
      [],
      "the catalog knows nothing of it before it is imported",
    );

    const carried = join(await tempDir(t), "carried.zip");
    cpSync(zip!, carried);
    const wanted = describeFolder(source);
    rmSync(one.home, { recursive: true });
    rmSync(join(source, "sub"), { recursive: true });

    const two = await varveUser(t);
    const imported = await two.ok(["import", carried, "--upload", "--finalize"]);
    assert.match(imported.stdout, new RegExp(`^p/d@1\\.0\\.0 .* ${id}\\n$`));
    const at = await tempDir(t);
    await two.ok(["mount", "p/d", at]);
    assert.deepEqual(describeFolder(at), wanted);
    await two.ok(["unmount", at]);
    assert.match((await two.ok(["import", carried])).stdout, /^p\/d@1\.0\.0 {2}imported before {2}/);
    assert.match((await two.ok(["search", "--tag", "x"])).stdout, /p\/d@1\.0\.0/);
  },
);

test(
  "with VARVE_OFFLINE=1 sync makes bundles, mounts show them, and what needs a remote says why",
  MOUNTED,
  async (t) => {
    const varve = await varveUser(t, { VARVE_OFFLINE: "1" });
    const source = await tempDir(t);
    writeFolder(source, { file: "one" });
    const sync = async () => (await varve.ok(["sync", source, "p/d"])).stdout;
    const synced = await sync();
    assert.match(synced, /^p\/d@1\.0\.0 .*\n[0-9a-f]{32} {2}.*\.zip {2}/);
    assert.match(await sync(), /^No change/);
    writeFolder(source, { file: "two", more: "3" });
    assert.match(await sync(), /^p\/d@1\.0\.1 /);
    assert.match((await varve.ok(["cat", "p/d", "file"])).stdout, /two/);
    const [, , zip] = /^[0-9a-f]{32}( {2})(.*\.zip)/m.exec(synced)!;
    await varve.ok(["tag", "p/d@1.0.0", "--add", "late"]);
    const online = await varveUser(t);
    await online.ok(["import", zip!]);
    assert.match((await online.ok(["search", "--tag", "late"])).stdout, /p\/d@1\.0\.0/);
    const at = await tempDir(t);
    await varve.ok(["mount", "p/d@1.0.0", at]);
    assert.deepEqual(readdirSync(at), ["file"]);
    assert.equal(readFileSync(join(at, "file"), "utf8"), "one");
    await varve.ok(["unmount", at]);
    for (const [args, says] of [
      [["import", source], /varve is offline/],
      [["create", "p/e", "--remote", "/elsewhere"], /what is made goes into a bundle/],
      [["add", "--link", "https://example.org/x"], /there is no draft/],
    ] as const)
      assert.match((await varve([...args])).stderr, says);
    assert.equal(existsSync(join(varve.home, "remote")), false);
  },
);
