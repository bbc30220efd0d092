/**
 * What versions cost from end to end, by the built command line. Run after a build, as
 * root: `node dist/bench/versions.js [small] [rename] [large]`; works in a temporary folder, about 4 GiB.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { renderTable } from "../src/cli/table.js";
import { GiB, MiB } from "../src/units.js";

const CLI = fileURLToPath(new URL("../varve/cli.js", import.meta.url));
const SMALL_FILES = 100_000;
const SMALL_BYTES = 512;
const FILES_A_FOLDER = 1_000;
const MOVED_FILES = 10_000;

interface Committed {
  bytesSent: number;
  contentBytesSent: number;
}

const work = mkdtempSync(join(tmpdir(), "varve-bench-"));
const [files, mountpoint] = [join(work, "files"), join(work, "mnt")];
const rows: string[][] = [];

const parts = { small: benchSmall, rename: benchRename, large: benchLarge };
const wanted = process.argv.slice(2);
try {
  mkdirSync(mountpoint);
  for (const [name, run] of Object.entries(parts)) if (wanted.length === 0 || wanted.includes(name)) run();
} finally {
  spawnSync("umount", ["-l", mountpoint], { stdio: "ignore" });
  rmSync(work, { recursive: true, maxRetries: 3 });
}
const right = { align: "right" as const };
const columns = [
  { title: "what" },
  { title: "seconds", ...right },
  { title: "MiB sent", ...right },
  { title: "of content", ...right },
];
console.log(renderTable(columns, rows));

function benchSmall(): void {
  for (let index = 0; index < SMALL_FILES; index++) {
    const folder = join(files, String(Math.floor(index / FILES_A_FOLDER)));
    if (index % FILES_A_FOLDER === 0) mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, String(index)), randomBytes(SMALL_BYTES));
  }
  // Files changed just now are hashed again next time; a folder that is synced twice is older than that.
  execFileSync("sleep", ["3"]);
  const what = `${SMALL_FILES} x ${SMALL_BYTES} B`;
  commit(`sync of ${what}`, "sync", files, "p/small");
  writeFileSync(join(files, "0/one-more"), randomBytes(SMALL_BYTES));
  commit("one file added, sync again", "sync", files, "p/small");
  benchSteps(what);
  mount("p/small");
  writeFileSync(join(mountpoint, "0/another"), randomBytes(SMALL_BYTES));
  unmount("one file added in a writable mount, unmount");
}

/** The same files step by step, then one more in a child. */
function benchSteps(what: string): void {
  varve("create", "p/steps");
  timed(`add of ${what}`, () => varve("add", files));
  timed("upload", () => varve("upload"));
  commit("finalize", "finalize");
  const one = join(work, "one");
  writeFileSync(one, randomBytes(SMALL_BYTES));
  timed("one file in a child: create", () => varve("create", "p/steps", "--parent", "p/steps"));
  timed("add", () => varve("add", one));
  commit("finalize, which uploads", "finalize");
}

function benchRename(): void {
  const folder = join(work, "renamed");
  mkdirSync(join(folder, "many"), { recursive: true });
  for (let index = 0; index < MOVED_FILES; index++)
    writeFileSync(join(folder, "many", `file-${index}`), String(index));
  writeLarge(join(folder, "large"));
  commit(`sync of 1 GiB and ${MOVED_FILES} small files`, "sync", folder, "p/renamed");
  mount("p/renamed");
  timed(`rename(2) of the folder of ${MOVED_FILES}`, () => {
    renameSync(join(mountpoint, "many"), join(mountpoint, "moved"));
  });
  timed("rename(2) of the file of 1 GiB", () => {
    renameSync(join(mountpoint, "large"), join(mountpoint, "renamed"));
  });
  unmount("unmount after both");
  rmSync(folder, { recursive: true });
}

function benchLarge(): void {
  const folder = join(work, "large");
  mkdirSync(folder);
  writeLarge(join(folder, "large"));
  commit("sync of 1 GiB", "sync", folder, "p/large");
  mount("p/large");
  timed("1 MiB written inside it, and fsync", () => {
    execFileSync(
      "dd",
      ["if=/dev/urandom", `of=${mountpoint}/large`, "bs=1M", "count=1", "seek=512", "conv=notrunc,fsync"],
      { stdio: "ignore" },
    );
  });
  const kib = execFileSync("du", ["-sk", join(work, "home/overlays")], { encoding: "utf8" }).split("\t")[0];
  rows.push([`overlay on disk: ${(Number(kib) / 1024).toFixed(1)} MiB`, "", "", ""]);
  unmount("unmount");
}

function writeLarge(path: string): void {
  const fd = openSync(path, "w");
  for (let at = 0; at < GiB; at += 16 * MiB) writeSync(fd, randomBytes(16 * MiB));
  closeSync(fd);
}

function mount(name: string): void {
  timed("mount -w", () => varve("mount", "-w", name, mountpoint));
}

function unmount(what: string): void {
  commit(what, "unmount", mountpoint);
}

function commit(what: string, ...args: string[]): void {
  const started = performance.now();
  const answer = JSON.parse(varve(...args, "--json")) as Committed & { committed?: Committed };
  const { bytesSent, contentBytesSent } = answer.committed ?? answer;
  rows.push([what, seconds(started), mib(bytesSent), mib(contentBytesSent)]);
}

function timed(what: string, run: () => unknown): void {
  const started = performance.now();
  run();
  rows.push([what, seconds(started), "", ""]);
}

function varve(...args: string[]): string {
  const env = { ...process.env, VARVE_HOME: join(work, "home"), VARVE_REMOTE: join(work, "remote") };
  return execFileSync(process.execPath, [CLI, ...args], {
    encoding: "utf8",
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
}

function seconds(started: number): string {
  return ((performance.now() - started) / 1000).toFixed(3);
}

function mib(bytes: number): string {
  return (bytes / MiB).toFixed(2);
}
