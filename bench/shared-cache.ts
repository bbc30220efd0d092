/**
 * Four mounts that read far more than their one cache may hold: whether its bound holds, and what memory each of them
 * takes. Contents come from a generator; no more than one of them lies on disk before it is uploaded.
 * Run after a build, as root: `node dist/bench/shared-cache.js [GiB]`, default 16, through a cache of a sixteenth.
 */
import { execFile, execFileSync } from "node:child_process";
import { createCipheriv, createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { renderTable } from "../src/cli/table.js";
import { readMountState } from "../src/daemon/mount-state.js";
import { homeOf } from "../src/home.js";
import { GiB, KiB, MiB } from "../src/units.js";
import { watchCache } from "../test/support/watch-cache.js";
import { startBucket } from "./cold/bucket.js";

const CLI = fileURLToPath(new URL("../varve/cli.js", import.meta.url));
const READER = fileURLToPath(new URL("support/hash-files.js", import.meta.url));
const DATASET = "bench/shared";
const FILE_BYTES = 256 * MiB;
const MOUNTS = 4;

const totalBytes = Number(process.argv[2] ?? 16) * GiB;
const cacheBytes = totalBytes / 16;
const work = mkdtempSync(join(tmpdir(), "varve-shared-"));
const ends: (() => unknown)[] = [];
const scope = { after: (end: () => unknown) => void ends.push(end) };
try {
  const bucket = await startBucket(scope);
  const home = join(work, "home");
  const env = {
    ...process.env,
    ...bucket.environment,
    ...{ VARVE_HOME: home, VARVE_REMOTE: "s3://bucket/varve", VARVE_CACHE_SIZE: `${cacheBytes / MiB}MiB` },
  };
  const varve = (...args: string[]) =>
    execFileSync(process.execPath, [CLI, "--quiet", ...args], {
      env,
      stdio: ["ignore", "ignore", "inherit"],
    });
  const hashes = uploadAll(varve);
  const mounts = Array.from({ length: MOUNTS }, (_, index) => join(work, `mount-${index}`));
  for (const path of mounts) {
    mkdirSync(path);
    varve("mount", DATASET, path);
    scope.after(() => varve("unmount", path));
  }
  const watch = watchCache(scope, join(home, "cache"));
  await bucket.reset();
  const started = performance.now();
  await Promise.all(mounts.map((path, index) => readAll(path, index, hashes)));
  const seconds = (performance.now() - started) / 1000;
  const { countedBytes, diskBytes } = await watch.end();
  const { requests, bytes } = await bucket.traffic();
  console.log(`${MOUNTS} x ${mib(totalBytes)} MiB read in ${seconds.toFixed(0)} s, all bytes right`);
  console.log(`fetched ${mib(bytes)} MiB in ${requests} requests`);
  console.log(
    `cache of ${mib(cacheBytes)} MiB: most counted ${mib(countedBytes)} MiB, on disk ${mib(diskBytes)} MiB`,
  );
  const pids = mounts.map((path) => readMountState(homeOf({ VARVE_HOME: home }), path)!.pid);
  console.log(renderTable([{ title: "mount" }, { title: "most memory, MiB" }], pids.map(memoryRow)));
} finally {
  for (const end of ends.reverse()) await end();
  rmSync(work, { recursive: true, maxRetries: 3 });
}

/** Adds and uploads one file after another; gives the SHA-256 of each, by name. */
function uploadAll(varve: (...args: string[]) => void): Map<string, string> {
  const hashes = new Map<string, string>();
  const folder = join(work, "source");
  varve("create", DATASET);
  for (let at = 0; at < totalBytes / FILE_BYTES; at++) {
    mkdirSync(folder);
    const [name, bytes] = [`file-${String(at).padStart(3, "0")}`, noiseOf(at)];
    hashes.set(name, createHash("sha256").update(bytes).digest("hex"));
    writeFileSync(join(folder, name), bytes);
    varve("add", folder);
    varve("upload");
    rmSync(folder, { recursive: true });
  }
  varve("finalize");
  return hashes;
}

/** Bytes that follow from a number alone and look random: a cipher's key stream. */
function noiseOf(seed: number): Buffer {
  const key = createHash("sha256").update(String(seed)).digest();
  return createCipheriv("aes-256-ctr", key, Buffer.alloc(16)).update(Buffer.alloc(FILE_BYTES));
}

/** In a process of its own, each beginning elsewhere, so that they do not read what another has just fetched. */
async function readAll(path: string, index: number, hashes: ReadonlyMap<string, string>): Promise<void> {
  const names = [...hashes.keys()];
  const first = Math.floor((index * names.length) / MOUNTS);
  const order = [...names.slice(first), ...names.slice(0, first)];
  const { stdout } = await promisify(execFile)(process.execPath, [READER, path, ...order]);
  const read = stdout.trim().split("\n");
  order.forEach((name, at) => {
    if (read[at] !== hashes.get(name)) throw new Error(`wrong bytes in ${name} at ${path}: ${read[at]}`);
  });
}

function memoryRow(pid: number, index: number): string[] {
  const kib = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1]);
  return [`mount-${index}`, mib(kib * KiB)];
}

function mib(bytes: number): string {
  return (bytes / MiB).toFixed(0);
}
