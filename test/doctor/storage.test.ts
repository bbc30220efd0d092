import assert from "node:assert/strict";
import { chmod, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";

import { examine } from "../../src/doctor.js";
import { overlaysFinding } from "../../src/doctor/leftovers.js";
import {
  cacheFinding,
  catalogFinding,
  folderFinding,
  remoteFinding,
  usedRemoteFindings,
} from "../../src/doctor/storage.js";
import { Workspace } from "../../src/dataset/workspace.js";
import { type Home, homeOf } from "../../src/home.js";
import { tempDir } from "../support/temp.js";

test("looking at a home that is not there yet finds nothing wrong with it, and makes nothing", async (t) => {
  const folder = await tempDir(t);
  const findings = await examine(homeOf({ VARVE_HOME: join(folder, "home") }));
  const storage = findings.filter(({ name }) => /folder|Cache|Catalog|remote|Uncommitted/.test(name));
  assert.deepEqual(
    storage.map(({ ok }) => ok),
    storage.map(() => true),
  );
  assert.deepEqual([storage.length, await readdir(folder)], [7, []]);
});

test("a folder that would lie in a file cannot be written", async (t) => {
  const file = join(await tempDir(t), "file");
  await writeFile(file, "");
  const { ok, found, advice } = folderFinding("Data folder", join(file, "varve"));
  assert.deepEqual([ok, advice], [false, "Make it yours, or set VARVE_HOME to a folder that is"]);
  assert.match(found, /cannot be written \(E[A-Z]+\)$/);
});

test("a cache that others may write to is usable, only slower", async (t) => {
  const folder = await tempDir(t);
  assert.deepEqual([cacheFinding(folder).ok, cacheFinding(folder).found], [true, "private"]);
  await chmod(folder, 0o770);
  const { ok, needed, found, advice } = cacheFinding(folder);
  assert.deepEqual([ok, needed, found], [false, false, "shared with others"]);
  assert.match(advice, /chmod 700/);
});

test("a catalog that is none is said so, with what to do", async (t) => {
  const path = join(await tempDir(t), "catalog.db");
  await writeFile(path, "no database at all, and long enough to be read as one".repeat(100));
  const { ok, found, advice } = await catalogFinding(path);
  assert.equal(ok, false);
  assert.match(found, /^Cannot /);
  assert.match(advice, /^Set VARVE_CATALOG/);
});

test("a remote is reachable when it can be asked, whether or not varve has used it", async (t) => {
  const folder = await tempDir(t);
  const unused = await remoteFinding(folder, "/no/catalog");
  assert.deepEqual([unused.ok, unused.found], [true, `${folder}, not used by varve yet`]);
  await mkdir(join(folder, "used"));
  await writeFile(join(folder, "used", "varve.json"), "{}");
  assert.equal((await remoteFinding(join(folder, "used"), "/no/catalog")).found, join(folder, "used"));
  const unknown = await remoteFinding("gopher://host/path", "/no/catalog");
  assert.deepEqual([unknown.ok, unknown.found.startsWith("Cannot ")], [false, true]);
});

test("a remote that versions lie in and that is gone, or is another one now, is said so", async (t) => {
  const home = homeOf({ VARVE_HOME: await tempDir(t) });
  await mkdir(home.dataDir, { recursive: true });
  const folder = join(await tempDir(t), "remote");
  await mkdir(folder);
  const { id } = await withWorkspace(home, (workspace) => workspace.openRemote(folder));
  assert.deepEqual(
    (await usedRemoteFindings(home)).map(({ ok }) => ok),
    [true],
  );
  await writeFile(join(folder, "varve.json"), JSON.stringify({ format: 1, id: "0".repeat(32) }));
  const [other] = await usedRemoteFindings(home);
  assert.deepEqual([other?.ok, other?.found.includes("another remote is there")], [false, true], id);
  await rm(folder, { recursive: true });
  const [gone] = await usedRemoteFindings(home);
  assert.deepEqual([gone?.ok, gone?.needed], [false, true]);
});

async function withWorkspace<T>(home: Home, use: (workspace: Workspace) => Promise<T>): Promise<T> {
  const workspace = new Workspace({ home });
  return use(workspace).finally(() => workspace.close());
}

test("overlays that nobody serves are listed with their version, and how to go on", async (t) => {
  const home = homeOf({ VARVE_HOME: await tempDir(t) });
  const overlay = {
    format: 1,
    id: "abc123",
    base: "b",
    parent: "b",
    dataset: "vision/cifar10",
    version: "1.2.0",
    transport: "kernel",
  };
  const dead = { mountpoint: "/data", pid: 2 ** 22 + 1, startTicks: 1, createdAtMs: 0, state: "mounted" };
  await mkdir(join(home.overlaysDir, "abc123"), { recursive: true });
  await writeFile(join(home.overlaysDir, "abc123", "overlay.json"), JSON.stringify({ ...overlay, ...dead }));
  const { ok, needed, found, advice } = overlaysFinding(home);
  assert.deepEqual([ok, needed, found], [false, false, "abc123 (vision/cifar10@1.2.0)"]);
  assert.match(advice, /varve recover$/);
});
