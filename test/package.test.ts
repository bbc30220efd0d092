import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { appendFile, chmod, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { type Scope, atEnd } from "./support/cleanup.js";
import { detachBelow } from "./support/mounts.js";
import { s3Environment, s3ServerProcess } from "./support/s3.js";
import { tempDir } from "./support/temp.js";

const run = promisify(execFile);
const REPOSITORY = fileURLToPath(new URL("../../", import.meta.url));

interface Manifest {
  version: string;
  bin: { varve: string };
  dependencies: Record<string, string>;
}

interface Installed {
  /** A folder of somebody who has installed the package. */
  folder: string;
  /** Paths in the package. */
  files: string[];
  manifest: Manifest;
}

/** Installs what `npm pack` gives, as npm does, but with its declared dependencies linked: this needs no network. */
async function install(scope: Scope): Promise<Installed> {
  const folder = await tempDir(scope);
  const packed = await run("npm", ["pack", "--ignore-scripts", "--json", "--pack-destination", folder], {
    cwd: REPOSITORY,
  });
  const [{ filename, files }] = JSON.parse(packed.stdout) as [
    { filename: string; files: { path: string }[] },
  ];
  const modules = join(folder, "node_modules");
  await mkdir(join(modules, "varve"), { recursive: true });
  await run("tar", ["-xzf", join(folder, filename), "-C", join(modules, "varve"), "--strip-components=1"]);
  const manifest = JSON.parse(await readFile(join(modules, "varve/package.json"), "utf8")) as Manifest;
  await Promise.all(Object.keys(manifest.dependencies).map((name) => linkModule(modules, name)));
  await chmod(join(modules, "varve", manifest.bin.varve), 0o755);
  return { folder, manifest, files: files.map(({ path }) => path) };
}

async function linkModule(modules: string, name: string): Promise<void> {
  await mkdir(dirname(join(modules, name)), { recursive: true });
  await symlink(join(REPOSITORY, "node_modules", name), join(modules, name));
}

test("the packed package installs with its declared dependencies alone, and its command and library run", async (t) => {
  const { folder, files, manifest } = await install(t);
  const env = { ...process.env, VARVE_HOME: join(folder, "home") };
  const command = join(folder, "node_modules/varve", manifest.bin.varve);
  const help = await run(command, ["--help"], { cwd: folder, env });
  assert.match(help.stdout, /varve mount/);
  assert.equal((await run(command, ["--version"], { cwd: folder, env })).stdout.trim(), manifest.version);
  const program = 'import("varve").then((varve) => console.log("Dataset" in varve))';
  assert.equal((await run(process.execPath, ["-e", program], { cwd: folder, env })).stdout, "true\n");
  const wanted = [
    "LICENSE",
    "README.md",
    "CHANGELOG.md",
    "docs/architecture.md",
    "dist/src/index.d.ts",
    "dist/varve/index.js",
    "dist/varve/daemon.js",
  ];
  assert.deepEqual(
    wanted.filter((path) => !files.includes(path)),
    [],
  );
  assert.deepEqual(
    files.filter((path) => /^(test|src|dist\/(test|bench))\//.test(path)),
    [],
  );
});

test("the packed command mounts a version, and commits what was changed when it is unmounted", async (t) => {
  const { folder, manifest } = await install(t);
  const [source, mount] = [join(folder, "source"), join(folder, "mount")];
  await Promise.all([mkdir(source), mkdir(mount)]);
  await writeFile(join(source, "kept"), "kept");
  const env = { ...process.env, VARVE_HOME: join(folder, "home") };
  const varve = (...args: string[]) =>
    run(join(folder, "node_modules/varve", manifest.bin.varve), args, { cwd: folder, env });
  atEnd(t, () => detachBelow(folder));
  await varve("sync", source, "lab/files");
  await varve("mount", "-w", "lab/files", mount);
  await appendFile(join(mount, "kept"), ", and longer");
  await varve("unmount", mount);
  assert.equal((await varve("cat", "lab/files@1.0.1", "kept")).stdout, "kept, and longer");
});

test("the packed command keeps a dataset in a bucket", async (t) => {
  const { folder, manifest } = await install(t);
  const source = join(folder, "source");
  await mkdir(source);
  await writeFile(join(source, "kept"), "kept");
  const env = {
    ...process.env,
    ...s3Environment(await s3ServerProcess(t)),
    VARVE_HOME: join(folder, "home"),
  };
  const varve = (...args: string[]) =>
    run(join(folder, "node_modules/varve", manifest.bin.varve), args, { cwd: folder, env });
  await varve("sync", source, "lab/files", "--remote", "s3://bucket/prefix");
  const { stdout, stderr } = await varve("cat", "lab/files", "kept");
  assert.deepEqual([stdout, stderr], ["kept", ""]);
});
