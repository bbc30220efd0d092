/**
 * Makes one of each thing that varve stores, as this version stores it, small: a remote, a bundle, and the folders of a user with a
 * catalog, a draft, an overlay and a cache. What it made with each released format stays in test/fixtures/formats, and must be read by all later ones.
 * Run after a build, as root, for it mounts: `node dist/scripts/format-fixture.js FILE.tar.gz`.
 */
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { readMountState } from "../src/daemon/mount-state.js";
import { isAlive } from "../src/daemon/process.js";
import { homeOf } from "../src/home.js";
import { FIXTURE_FILES } from "../test/formats/contents.js";

const CLI = fileURLToPath(new URL("../src/cli.js", import.meta.url));

const [target = "formats.tar.gz"] = process.argv.slice(2);
const work = mkdtempSync(join(tmpdir(), "varve-format-"));
const at = (...names: string[]) => join(work, ...names);
const env = { ...process.env, VARVE_HOME: at("home"), VARVE_REMOTE: at("remote") };
const varve = (...args: string[]) =>
  execFileSync(process.execPath, [CLI, ...args], {
    env,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });

try {
  writeFiles(at("files"));
  varve("sync", at("files"), "old/data");
  varve("metadata", "set", "old/data@1.0.0", "note", at("files/a.txt"));
  varve("tag", "old/data@1.0.0", "--add", "kept");
  writeFileSync(at("files", "second.txt"), "second\n");
  varve("sync", at("files"), "old/data");
  varve("metadata", "file", "old/data@1.0.1", "a.txt", "label=cat");
  writeFileSync(at("files", "third.txt"), "third\n");
  varve("sync", at("files"), "old/data");
  varve("delete", "old/data@1.0.2");
  makeBundle();
  varve("create", "old/draft");
  varve("add", at("files", "dir"), "--to", "staged");
  varve("upload");
  varve("prefetch", "old/data@1.0.1");
  await leaveOverlay();
  for (const name of ["files", "mnt", "bundle-files"]) rmSync(at(name), { recursive: true, force: true });
  execFileSync("tar", ["--sort=name", "--owner=0", "--group=0", "-czf", resolve(target), "-C", work, "."]);
} finally {
  rmSync(work, { recursive: true, force: true });
}

function writeFiles(folder: string): void {
  for (const [name, text] of Object.entries(FIXTURE_FILES)) {
    mkdirSync(join(folder, name, ".."), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  chmodSync(join(folder, "dir/run.sh"), 0o755);
  symlinkSync("a.txt", join(folder, "link"));
}

/** A version made offline, as a zip. */
function makeBundle(): void {
  mkdirSync(at("bundle-files"));
  writeFileSync(at("bundle-files", "off.txt"), "made offline\n");
  const made = JSON.parse(varve("sync", at("bundle-files"), "old/offline", "--offline", "--json")) as {
    bundle: { zip: string };
  };
  cpSync(made.bundle.zip, at("bundle.zip"));
}

/** Changes of a mount whose process was killed. */
async function leaveOverlay(): Promise<void> {
  mkdirSync(at("mnt"));
  varve("mount", "-w", "old/data@1.0.1", at("mnt"));
  for (const name of readdirSync(at("mnt"))) if (name.endsWith(".txt")) readFileSync(at("mnt", name));
  writeFileSync(at("mnt", "uncommitted.txt"), "uncommitted\n");
  rmSync(at("mnt", "second.txt"));
  execFileSync("sync", ["-f", at("mnt")]);
  const state = readMountState(homeOf(env), at("mnt"))!;
  process.kill(state.pid, "SIGKILL");
  while (isAlive(state)) await sleep(50);
  await sleep(1_000); // Its guardian takes the folder away.
}
