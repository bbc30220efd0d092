/**
 * What passthrough gives and what it costs: a file of 1 GiB read from a mount with and without, the first time, again
 * in the same mount, and from the next mount over the same cache; then opening and closing 5,000 small files where
 * opens are answered and where they are not. For each the time and what the mount's process took of a processor.
 *
 * As root: npm run build && node dist/bench/passthrough.js [MiB]
 */
import { spawn } from "node:child_process";
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { randomBytes } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import Database from "better-sqlite3";

import { liveMounts } from "../src/daemon/mount-state.js";
import { homeOf } from "../src/home.js";
import { MiB } from "../src/units.js";

const CLI = new URL("../src/cli.js", import.meta.url).pathname;
/** The clock ticks in which `/proc` counts processor time: `getconf CLK_TCK`. */
const TICKS_PER_SEC = 100;
const SMALL_FILES = 5_000;
const OPEN_ROUNDS = 5;

const sizeMiB = Number(process.argv[2] ?? 1024);
const folder = mkdtempSync(join(tmpdir(), "varve-bench-"));
const env = { ...process.env, VARVE_HOME: join(folder, "home") };
const mountpoint = join(folder, "mnt");
const results: Record<string, string>[] = [];

function varve(...args: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [CLI, "--quiet", ...args], {
      env,
      stdio: ["ignore", "ignore", "inherit"],
    });
    child.on("exit", (code) =>
      code === 0 ? resolve() : reject(new Error(`varve ${args.join(" ")}: ${code}`)),
    );
  });
}

/** Processor time of the mount's process so far, in seconds. */
function processorSec(): number {
  const [mount] = liveMounts(homeOf(env));
  const fields = readFileSync(`/proc/${mount!.pid}/stat`, "latin1")
    .replace(/^.*\) /, "")
    .split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SEC;
}

function measure(what: string, work: () => void, bytes = 0): void {
  const [before, start] = [processorSec(), performance.now()];
  work();
  const sec = (performance.now() - start) / 1000;
  const speed = bytes > 0 ? `${(bytes / sec / 1e9).toFixed(2)} GB/s` : "";
  const processor = `${(processorSec() - before).toFixed(2)} s`;
  results.push({ what, time: `${sec.toFixed(3)} s`, speed, "processor time of the mount": processor });
}

function readAll(path: string): void {
  const fd = openSync(path, "r");
  const buffer = Buffer.alloc(1 * MiB);
  while (readSync(fd, buffer) > 0);
  closeSync(fd);
}

function openAll(directory: string): void {
  for (let round = 0; round < OPEN_ROUNDS; round++)
    for (let n = 0; n < SMALL_FILES; n++) closeSync(openSync(join(directory, String(n)), "r"));
}

async function mounted(dataset: string, options: string[], work: () => void | Promise<void>): Promise<void> {
  await varve("mount", ...options, dataset, mountpoint);
  try {
    await work();
  } finally {
    await varve("unmount", mountpoint);
  }
}

async function streams(kind: string, options: string[]): Promise<void> {
  const [path, bytes] = [join(mountpoint, "large"), sizeMiB * MiB];
  await mounted("bench/large", options, async () => {
    measure(`${kind}: first reading`, () => readAll(path), bytes);
    await settled(options.length === 0);
    measure(`${kind}: again`, () => readAll(path), bytes);
  });
  await mounted("bench/large", options, () => measure(`${kind}: next mount`, () => readAll(path), bytes));
  rmSync(join(env.VARVE_HOME, "cache"), { recursive: true });
}

/** Waits until what was fetched is on disk: one file of it, where it is to be one. */
async function settled(isWhole: boolean): Promise<void> {
  if (!isWhole) await sleep(3_000);
  const start = performance.now();
  const index = new Database(join(env.VARVE_HOME, "cache", "index.db"), { readonly: true });
  const complete = index.prepare<[], number>("select count(*) from whole where is_complete = 1").pluck();
  while (isWhole && complete.get() === 0) await sleep(20);
  index.close();
  const sec = (performance.now() - start) / 1000;
  if (isWhole) results.push({ what: "until it is one file on disk", time: `${sec.toFixed(3)} s` });
}

async function opens(kind: string, dataset: string): Promise<void> {
  await mounted(dataset, [], () => {
    openAll(join(mountpoint, "small"));
    measure(`${kind}: ${SMALL_FILES * OPEN_ROUNDS} opens`, () => openAll(join(mountpoint, "small")));
  });
}

try {
  const source = join(folder, "source");
  for (const path of [mountpoint, source, join(source, "small")]) mkdirSync(path, { recursive: true });
  for (let n = 0; n < SMALL_FILES; n++) writeFileSync(join(source, "small", String(n)), `file ${n}`);
  await varve("sync", source, "bench/small");
  for (let n = 0; n < sizeMiB; n++) writeFileSync(join(source, "large"), randomBytes(MiB), { flag: "a" });
  await varve("sync", source, "bench/large");
  await streams("with passthrough", []);
  await streams("without", ["--no-passthrough"]);
  measureLocal(join(source, "large"));
  await opens("opens answered", "bench/large");
  await opens("opens switched off", "bench/small");
  console.table(results);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function measureLocal(path: string): void {
  readAll(path);
  const start = performance.now();
  readAll(path);
  const sec = (performance.now() - start) / 1000;
  const speed = `${((sizeMiB * MiB) / sec / 1e9).toFixed(2)} GB/s`;
  results.push({ what: "local disk, in the page cache", time: `${sec.toFixed(3)} s`, speed });
}
