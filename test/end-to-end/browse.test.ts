/** `varve mount --all`: every version of the catalog in one folder, followed as the catalog changes. */
import assert from "node:assert/strict";
import { lstatSync, readFileSync, readdirSync, readlinkSync, renameSync, statfsSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";

import { Dataset } from "../../src/dataset/dataset.js";
import { syncVersion } from "../../src/dataset/sync.js";
import type { Workspace } from "../../src/dataset/workspace.js";
import { type Contents, writeFolder } from "../dataset/support/folders.js";
import { changeCatalog } from "../support/catalog-place.js";
import type { Scope } from "../support/cleanup.js";
import { tempDir } from "../support/temp.js";
import { type Varve, varveUser } from "../support/varve.js";
import { MOUNTED, asking, sh } from "./support/mounted.js";

/** Makes the next version of `dataset`, which holds exactly these files. */
async function put(
  scope: Scope,
  workspace: Workspace,
  dataset: string,
  contents: Contents,
  options: { remote?: string; version?: string } = {},
): Promise<void> {
  const source = await tempDir(scope);
  writeFolder(source, contents);
  await syncVersion(source, dataset, { workspace, ...options });
}

async function mountAll(scope: Scope, varve: Varve, ...options: string[]): Promise<string> {
  const path = await tempDir(scope);
  await varve.ok(["mount", "--all", path, ...options]);
  return path;
}

/** 10,000 datasets of a project `many`, each with a version like one that is there. */
const MANY_DATASETS = `
  insert into projects (id, name) values ('many', 'many');
  create temporary table numbers as
    with recursive n (number) as (select 0 union all select number + 1 from n where number < 9999) select number from n;
  insert into datasets (id, project_id, name, created_at_ms)
    select cast(number as text), 'many', 'dataset-' || number, 0 from numbers;
  create temporary table many as select one.*, number from (select * from versions limit 1) as one, numbers;
  update many set id = 'version ' || number, dataset_id = cast(number as text);
  alter table many drop column number;
  insert into versions select * from many;
`;

test(
  "every version of every dataset shows as project/name/label, and latest leads to one",
  MOUNTED,
  async (t) => {
    const varve = await varveUser(t);
    await asking(varve, async (workspace) => {
      await put(t, workspace, "vision/pets", { "cats/tom": "t" });
      await put(t, workspace, "vision/pets", { "cats/tom": "t", "dogs/rex": "r" });
      await put(t, workspace, "vision/pets", { beta: "b" }, { version: "2.0.0-rc.1" });
      await put(t, workspace, "vision/pets/old", { inner: "i" });
      await put(t, workspace, "audio/words", { hello: "h" });
      (await Dataset.create("audio/drafted", { workspace })).close();
    });
    const path = await mountAll(t, varve);
    const listed = (await sh('cd "$1" && find . -mindepth 1 -printf "%P %y %l\\n" | sort', path)).split("\n");
    assert.deepEqual(
      listed.filter((line) => !line.includes("1.0.0/") && line !== ""),
      [
        "audio d ",
        "audio/drafted d ",
        "audio/words d ",
        "audio/words/1.0.0 d ",
        "audio/words/latest l 1.0.0",
        "vision d ",
        "vision/pets d ",
        "vision/pets/1.0.0 d ",
        "vision/pets/1.0.1 d ",
        "vision/pets/1.0.1/cats d ",
        "vision/pets/1.0.1/cats/tom f ",
        "vision/pets/1.0.1/dogs d ",
        "vision/pets/1.0.1/dogs/rex f ",
        "vision/pets/2.0.0-rc.1 d ",
        "vision/pets/2.0.0-rc.1/beta f ",
        "vision/pets/latest l 1.0.1",
        "vision/pets/old d ",
        "vision/pets/old/1.0.0 d ",
        "vision/pets/old/latest l 1.0.0",
      ],
    );
    assert.equal(readFileSync(join(path, "vision/pets/latest/dogs/rex"), "utf8"), "r");
    assert.equal(
      readFileSync(join(path, "vision/pets/1.0.0/.varve/reference"), "utf8"),
      "vision/pets@1.0.0\n",
    );
    const inos = (await sh('find "$1" -printf "%i\\n"', path)).trim().split("\n");
    assert.equal(new Set(inos).size, inos.length, "no two have one inode number");
    const { files, bfree } = statfsSync(path);
    assert.deepEqual([files, bfree], [6, 0]);
    await assert.rejects(sh('touch "$1/vision/new"', path), /Read-only/);
    await assert.rejects(sh('cat "$1/vision/pets/9.9.9/x"', path), /No such file/);
    const [row] = (await varve.ok(["status", "--json"])).json() as [Record<string, unknown>];
    const { mountpoint, id, dataset, version, writable, state } = row;
    assert.deepEqual(
      [mountpoint, id, dataset, version, writable, state],
      [path, null, null, null, false, "mounted"],
    );
    await varve.ok(["unmount", path]);
    assert.deepEqual(readdirSync(path), []);
    assert.equal((await varve(["mount", "--all", "--writable", path])).code, 2);
  },
);

test("what comes and goes in the catalog shows within a second, and open files go on", MOUNTED, async (t) => {
  const varve = await varveUser(t);
  await asking(varve, async (workspace) => {
    await put(t, workspace, "lab/data", { kept: "first" });
    await put(t, workspace, "lab/data", { kept: "second" });
    const path = await mountAll(t, varve);
    const data = join(path, "lab/data");
    assert.deepEqual(readdirSync(data), ["1.0.0", "1.0.1", "latest"]);
    assert.throws(() => lstatSync(join(data, "1.0.2")), { code: "ENOENT" });
    assert.throws(() => lstatSync(join(path, "lab/other")), { code: "ENOENT" });
    const held = await open(join(data, "1.0.0/kept"));
    const { ino } = lstatSync(join(data, "1.0.1/kept"), { bigint: true });

    // The record goes too: else whoever looks into the remote takes the version in again.
    await sh('rm "$1"/datasets/*/versions/1.0.0', join(varve.home, "remote"));
    await changeCatalog(varve.places.catalogPath, "delete from versions where label = '1.0.0'");
    await put(t, workspace, "lab/data", { kept: "third" });
    await put(t, workspace, "lab/other", { also: "new" });
    await setTimeout(1_000);

    assert.deepEqual(readdirSync(data).sort(), ["1.0.1", "1.0.2", "latest"]);
    assert.equal(readlinkSync(join(data, "latest")), "1.0.2");
    assert.equal(readFileSync(join(data, "latest/kept"), "utf8"), "third");
    assert.equal(readFileSync(join(path, "lab/other/1.0.0/also"), "utf8"), "new");
    assert.deepEqual(readdirSync(join(path, "lab")).sort(), ["data", "other"]);
    assert.throws(() => lstatSync(join(data, "1.0.0/kept")), { code: "ENOENT" });
    assert.equal(await held.readFile("utf8"), "first");
    assert.equal(lstatSync(join(data, "1.0.1/kept"), { bigint: true }).ino, ino);
    await held.close();
  });
});

test("through fuse-native what comes in the catalog shows within two seconds", MOUNTED, async (t) => {
  const varve = await varveUser(t);
  await asking(varve, async (workspace) => {
    await put(t, workspace, "lab/data", { kept: "first" });
    const path = await mountAll(t, varve, "--transport", "fuse-native");
    const data = join(path, "lab/data");
    // By now the kernel keeps that there is no such version, and where the link leads.
    assert.throws(() => lstatSync(join(data, "1.0.1")), { code: "ENOENT" });
    assert.equal(readFileSync(join(data, "latest/kept"), "utf8"), "first");
    await put(t, workspace, "lab/data", { kept: "second" });
    await setTimeout(2_000);
    assert.deepEqual(readdirSync(data).sort(), ["1.0.0", "1.0.1", "latest"]);
    assert.equal(readFileSync(join(data, "latest/kept"), "utf8"), "second");
    assert.equal(readFileSync(join(data, "1.0.1/kept"), "utf8"), "second");
  });
});

test(
  "10,000 datasets are listed without a look at their remotes; one that is gone harms no other",
  MOUNTED,
  async (t) => {
    const varve = await varveUser(t);
    const [near, gone] = [join(varve.home, "near"), join(varve.home, "gone")];
    await asking(varve, async (workspace) => {
      await put(t, workspace, "lab/near", { f: "near" }, { remote: near });
      await put(t, workspace, "lab/gone", { f: "gone" }, { remote: gone });
    });
    await changeCatalog(varve.places.catalogPath, MANY_DATASETS);
    renameSync(gone, `${gone}-away`);
    const path = await mountAll(t, varve);
    assert.equal(readdirSync(join(path, "many")).length, 10_000);
    assert.equal(
      (await sh('find "$1/many" -maxdepth 1 -printf "%i\\n" | sort -u | wc -l', path)).trim(),
      "10001",
    );
    assert.deepEqual(readdirSync(join(path, "lab/gone")), ["1.0.0", "latest"]);
    assert.ok(lstatSync(join(path, "lab/gone/1.0.0")).isDirectory());
    assert.throws(() => readdirSync(join(path, "lab/gone/1.0.0")), { code: "EIO" });
    assert.throws(() => readFileSync(join(path, "lab/gone/latest/f")), { code: "EIO" });
    assert.equal(readFileSync(join(path, "lab/near/latest/f"), "utf8"), "near");
    const logs = await sh('cat "$1"/logs/*', varve.home);
    assert.match(logs, /block could not be fetched/);
    renameSync(`${gone}-away`, gone);
    assert.equal(readFileSync(join(path, "lab/gone/1.0.0/f"), "utf8"), "gone");
  },
);
