/** Where a user's data goes: options, variables, and the folders of the XDG specification. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { writeFolder } from "../../dataset/support/folders.js";
import { onlyOnSqlite } from "../../support/catalog-place.js";
import { startNode } from "../../support/processes.js";
import { tempDir } from "../../support/temp.js";
import { varveUser } from "../../support/varve.js";

const LETTERS = ["a", "b", "c", "d", "e", "f", "g", "h"];
const ON_A_FILE = { skip: onlyOnSqlite("default place") };
const CLI = fileURLToPath(new URL("../../../src/cli.js", import.meta.url));

test(
  "with nothing set, data, state and cache lie in the XDG folders of the user's home",
  ON_A_FILE,
  async (t) => {
    const folder = await tempDir(t);
    writeFolder(join(folder, "files"), { a: "1" });
    const env = { HOME: join(folder, "user"), PATH: process.env["PATH"] };
    const run = (...args: string[]) => startNode(t, CLI, args, { env }).ended;
    const { code, stderr } = await run("sync", join(folder, "files"), "p/d");
    assert.equal(code, 0, stderr);
    const data = join(folder, "user/.local/share/varve");
    assert.ok(stderr.includes(`No remote is set: data goes to file://${data}/remote`), stderr);
    assert.ok(existsSync(join(data, "catalog.db")) && existsSync(join(data, "remote/varve.json")));
    assert.equal((await run("cat", "p/d", "a")).stdout, "1");
    assert.ok(existsSync(join(folder, "user/.cache/varve")));
    assert.deepEqual(readdirSync(folder).sort(), ["files", "user"]);
  },
);

test("XDG variables move the folders, VARVE_HOME wins over them", ON_A_FILE, async (t) => {
  const folder = await tempDir(t);
  const base = { HOME: join(folder, "user"), PATH: process.env["PATH"], XDG_DATA_HOME: join(folder, "data") };
  const create = (env: NodeJS.ProcessEnv) => startNode(t, CLI, ["create", "p/d"], { env }).ended;
  assert.equal((await create(base)).code, 0);
  assert.ok(existsSync(join(folder, "data/varve/catalog.db")));
  assert.equal((await create({ ...base, VARVE_HOME: join(folder, "own") })).code, 0);
  assert.ok(existsSync(join(folder, "own/catalog.db")) && existsSync(join(folder, "own/remote/varve.json")));
});

test("VARVE_REMOTE and --remote say where data goes, and then nothing needs to be said", async (t) => {
  const folder = await tempDir(t);
  writeFolder(join(folder, "files"), { a: "1" });
  const varve = await varveUser(t, { VARVE_REMOTE: join(folder, "shared") });
  assert.equal((await varve.ok(["sync", join(folder, "files"), "p/d"])).stderr, "");
  assert.ok(existsSync(join(folder, "shared/varve.json")));
  await varve.ok(["sync", join(folder, "files"), "p/e", "--remote", `file://${folder}/other`]);
  assert.ok(existsSync(join(folder, "other/packs")));
  assert.equal((await varve.ok(["cat", "p/e", "a"])).stdout, "1");
  assert.ok(!existsSync(join(varve.home, "remote")));
  const relative = await varve(["create", "p/f", "--remote", "some/where"]);
  assert.equal(relative.code, 2);
  assert.match(relative.stderr, /it is a relative path; give an absolute path/);
});

test("--catalog and VARVE_CATALOG choose the catalog", async (t) => {
  const varve = await varveUser(t);
  const other = join(varve.home, "../catalogs/other.db");
  await varve.ok(["create", "p/d", "--catalog", other]);
  const count = async (args: string[], env = {}) =>
    (await varve.ok(["versions", "--json", ...args], { env })).json();
  assert.deepEqual(await count([]), []);
  assert.equal(((await count(["--catalog", other])) as unknown[]).length, 1);
  assert.equal(((await count([], { VARVE_CATALOG: other })) as unknown[]).length, 1);
});

test("--cache-dir and VARVE_CACHE_DIR choose the cache, --cache-size bounds it", async (t) => {
  const varve = await varveUser(t);
  const folder = join(varve.home, "../files");
  const kilobytes = (letter: string) => `${letter}${Math.random()}`.repeat(40_000).slice(0, 700_000);
  writeFolder(folder, Object.fromEntries(LETTERS.map((letter) => [letter, kilobytes(letter)])));
  await varve.ok(["sync", folder, "p/d"]);
  const [one, two] = [join(varve.home, "../one"), join(varve.home, "../two")];
  await varve.ok(["cat", "p/d", "a", "--cache-dir", one]);
  await varve.ok(["cat", "p/d", "a"], { env: { VARVE_CACHE_DIR: two } });
  assert.ok(bytesBelow(one) > 0 && bytesBelow(two) > 0);
  for (const letter of LETTERS)
    await varve.ok(["cat", "p/d", letter, "--cache-dir", one, "--cache-size", "2MiB"]);
  assert.ok(bytesBelow(one) < 5 * 1024 * 1024, `the cache holds ${bytesBelow(one)} bytes`);
});

test("--quiet leaves only what matters", async (t) => {
  const varve = await varveUser(t);
  const { stderr, stdout } = await varve.ok(["create", "p/d", "--quiet"]);
  assert.equal(stderr, "");
  assert.match(stdout, /^[0-9a-f]{32} {2}p\/d@1\.0\.0\n$/);
});

function bytesBelow(folder: string): number {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return files.reduce((sum, file) => sum + statSync(join(file.parentPath, file.name)).size, 0);
}

test("a state folder that cannot be listed or made is no crash after what the command was for", async (t) => {
  const varve = await varveUser(t);
  mkdirSync(varve.home);
  writeFileSync(join(varve.home, "overlays"), "no folder");
  const { stderr } = await varve.ok(["versions", "--json"]);
  assert.equal(stderr, "");
  writeFileSync(join(varve.home, "drafts"), "no folder");
  const { code, stderr: said } = await varve(["create", "p/d"], {
    env: { VARVE_REMOTE: varve.home + "-remote" },
  });
  assert.equal(code, 1);
  assert.match(
    said,
    /^varve: Cannot make the folder ".*drafts": a file of that name is there; VARVE_HOME [^\n]+\n$/,
  );
});
