/**
 * Hours of mixed load on mounts of one machine: 24 readers and 4 writers, each a process; live commits, commits on unmount,
 * mounts made anew, a cache that is too small, and one request in a hundred to the bucket going wrong. Whether anything fails, and whether
 * memory, descriptors, threads and inodes stay what they are.
 * Run after a build, as root: `node dist/bench/soak.js [--minutes N]`, default 60.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";

import { renderTable } from "../src/cli/table.js";
import { readMountState } from "../src/daemon/mount-state.js";
import { homeOf } from "../src/home.js";
import { KiB, MiB } from "../src/units.js";
import { noise } from "../test/content/noise.js";
import { type Fault } from "../test/support/faults.js";
import { startNode, type TestProcess } from "../test/support/processes.js";
import { startBucket } from "./cold/bucket.js";
import type { Work } from "./soak/client.js";
import { type Held, heldBy, inodesBelow, mib, slopeOf } from "./soak/samples.js";

const CLI = fileURLToPath(new URL("../varve/cli.js", import.meta.url));
const program = (name: string) => fileURLToPath(new URL(`soak/${name}.js`, import.meta.url));

const READERS_A_MOUNT = 6;
/** Of four mounts to read, and of four to write, the first two live as long as the soak. */
const MOUNTS = 4;
const STEADY = 2;
const SMALL_FILES = 1_000;
const LARGE_FILES = 4;
const CACHE = "32MiB";
const SAMPLE_MS = 5_000;
const ROW_MS = 30_000;
/** The kernel's pages go, so that readers ask the mount again. */
const DROP_MS = 10_000;
const COMMIT_MS = 20_000;
const REMOUNT_MS = 60_000;
/** One request in a hundred, together. */
const FAULTS: readonly Fault[] = [
  { kind: "status", status: 500, code: "InternalError" },
  { kind: "status", status: 503, code: "SlowDown" },
  { kind: "reset", when: "before" },
  { kind: "reset", when: "after" },
  { kind: "cut" },
  { kind: "wrong-bytes" },
];
const FAULT_RATE = 0.01;

const { values } = parseArgs({ options: { minutes: { type: "string", default: "60" } } });
const totalMs = Number(values.minutes) * 60_000;

interface Mounted {
  path: string;
  dataset: string;
  options: string[];
  clients: TestProcess[];
}

interface Sample {
  minutes: number;
  held: Map<string, Held>;
  inodes: number;
}

const work = mkdtempSync(join(tmpdir(), "varve-soak-"));
const home = join(work, "home");
const ends: (() => unknown)[] = [];
const scope = { after: (end: () => unknown) => void ends.push(end) };
const done = { commits: 0, remounts: 0, failed: [] as string[] };
const samples: Sample[] = [];

try {
  const bucket = await startBucket(scope);
  const env = {
    ...process.env,
    ...bucket.environment,
    ...{ VARVE_HOME: home, VARVE_REMOTE: "s3://bucket/soak", VARVE_CACHE_SIZE: CACHE },
  };
  const varve = (...args: string[]) =>
    promisify(execFile)(process.execPath, [CLI, "--quiet", ...args], { env }).catch((error: unknown) => {
      done.failed.push(`varve ${args.join(" ")}: ${String((error as { stderr?: string }).stderr)}`);
    });
  const mounts = await makeMounts(varve);
  await bucket.server.setFaults(
    FAULTS.map((fault, index) => ({ fault, probability: FAULT_RATE / FAULTS.length, seed: index + 1 })),
  );
  await Promise.all(mounts.flatMap(({ clients }) => clients).map((client) => order(client, "go")));
  const startMs = performance.now();
  const until = (ms: number) => performance.now() - startMs + ms < totalMs;
  await Promise.all([
    every(SAMPLE_MS, until, async () => sample(mounts, startMs)),
    every(DROP_MS, until, async () => writeFileSync("/proc/sys/vm/drop_caches", "1")),
    every(COMMIT_MS, until, async () => commit(varve, mounts)),
    every(REMOUNT_MS, until, async () => remount(varve, mounts)),
  ]);
  const works = await Promise.all(
    mounts.flatMap(({ clients }) => clients).map((client) => order(client, "stop")),
  );
  report(works, await bucket.server.injected());
  for (const { clients } of mounts) for (const client of clients) client.child.stdin.write("end\n");
  for (const { path } of mounts) await varve("unmount", path);
} finally {
  for (const end of ends.reverse()) await end();
  rmSync(work, { recursive: true, maxRetries: 3 });
}

type Command = (...args: string[]) => Promise<unknown>;

async function makeMounts(varve: Command): Promise<Mounted[]> {
  const hashFile = join(work, "hashes.json");
  const source = join(work, "source");
  writeFileSync(hashFile, JSON.stringify(writeFiles(source)));
  await varve("sync", source, "soak/read");
  const start = join(work, "start");
  mkdirSync(start);
  writeFileSync(join(start, "first"), "first");
  const mounts: Mounted[] = [];
  for (let at = 0; at < MOUNTS; at++) {
    mounts.push(await mounted(varve, "soak/read", `read-${at}`, []));
    await varve("sync", start, `soak/write-${at}`);
    mounts.push(await mounted(varve, `soak/write-${at}`, `write-${at}`, ["-w"]));
  }
  mounts.forEach((mount, index) => {
    const isRead = mount.dataset === "soak/read";
    for (let at = 0; at < (isRead ? READERS_A_MOUNT : 1); at++) {
      const args = isRead ? [mount.path, hashFile] : [mount.path];
      const name = isRead ? "reader" : "writer";
      mount.clients.push(startNode(scope, program(name), [...args, String(index * 100 + at)]));
    }
  });
  return mounts;
}

async function mounted(varve: Command, dataset: string, name: string, options: string[]): Promise<Mounted> {
  const path = join(work, name);
  mkdirSync(path);
  await varve("mount", dataset, path, ...options);
  return { path, dataset, options, clients: [] };
}

/** Small files in folders, and some large ones: more than the cache may hold. */
function writeFiles(folder: string): Record<string, string> {
  const small = Array.from(
    { length: SMALL_FILES },
    (_, at) => [`d${at % 20}/f${at}`, 1 * KiB + (at % 60) * KiB] as const,
  );
  const large = Array.from({ length: LARGE_FILES }, (_, at) => [`large/${at}`, 20 * MiB] as const);
  const hashes = [...small, ...large].map(([name, sizeBytes]) => {
    const bytes = noise(`soak ${name}`, sizeBytes);
    mkdirSync(join(folder, name, ".."), { recursive: true });
    writeFileSync(join(folder, name), bytes);
    return [name, createHash("sha256").update(bytes).digest("hex")] as const;
  });
  return Object.fromEntries(hashes);
}

/** Gives an order; resolves with what the client has done once it has obeyed. */
function order(client: TestProcess, word: "go" | "stop"): Promise<Work> {
  return new Promise((resolve, reject) => {
    const ended = () => reject(new Error("a client has ended"));
    client.child.once("close", ended);
    client.child.stdout.once("data", (text: string) => {
      client.child.off("close", ended);
      resolve(JSON.parse(text) as Work);
    });
    client.child.stdin.write(`${word}\n`);
  });
}

async function every(ms: number, goesOn: (ms: number) => boolean, step: () => Promise<void>): Promise<void> {
  while (goesOn(ms)) {
    await sleep(ms);
    await step();
  }
}

function sample(mounts: readonly Mounted[], startMs: number): void {
  const places = homeOf({ VARVE_HOME: home });
  const held = mounts.flatMap(({ path }) => {
    const pid = readMountState(places, path)?.pid;
    const now = pid === undefined ? undefined : heldBy(pid);
    return now ? [[path.slice(work.length + 1), now] as const] : [];
  });
  const minutes = (performance.now() - startMs) / 60_000;
  samples.push({ minutes, held: new Map(held), inodes: inodesBelow(home) });
}

/** Of steady writers, while they write. */
async function commit(varve: Command, mounts: readonly Mounted[]): Promise<void> {
  const steady = mounts.filter(({ options }) => options.length > 0).slice(0, STEADY);
  await Promise.all(steady.map(({ path }) => varve("commit", path)));
  done.commits += steady.length;
}

/** Those that do not live through: who uses them lets go, and goes on after that. */
async function remount(varve: Command, mounts: readonly Mounted[]): Promise<void> {
  for (const { path, dataset, options, clients } of mounts.slice(2 * STEADY)) {
    await Promise.all(clients.map((client) => order(client, "stop")));
    await varve("unmount", path);
    await varve("mount", dataset, path, ...options);
    await Promise.all(clients.map((client) => order(client, "go")));
    done.remounts++;
    if (options.length > 0) done.commits++;
  }
}

function report(works: readonly Work[], injected: Readonly<Record<string, number>>): void {
  const names = ["read-0", "read-1", "write-0", "write-1"];
  const rows = samples
    .filter((_, at) => at % (ROW_MS / SAMPLE_MS) === 0)
    .map(({ minutes, held, inodes }) => [
      minutes.toFixed(1),
      ...names.map((name) => mib(held.get(name)?.residentBytes ?? 0)),
      String(Math.max(...[...held.values()].map(({ descriptors }) => descriptors))),
      String(Math.max(...[...held.values()].map(({ threads }) => threads))),
      String(inodes),
    ]);
  const titles = ["min", ...names.map((name) => `${name} MiB`), "most descriptors", "most threads", "inodes"];
  console.log(
    renderTable(
      titles.map((title) => ({ title, align: "right" as const })),
      rows,
    ),
  );

  const late = samples.slice(Math.floor(samples.length / 3));
  console.log("\nper minute, over the last two thirds:");
  for (const name of names) {
    const slope = (of: (held: Held) => number) =>
      slopeOf(
        late.flatMap(({ minutes, held }) =>
          held.has(name) ? [[minutes, of(held.get(name)!)] as const] : [],
        ),
      );
    const rise = [
      `${(slope(({ residentBytes }) => residentBytes) / MiB).toFixed(2)} MiB`,
      `${slope(({ descriptors }) => descriptors).toFixed(2)} descriptors`,
      `${slope(({ threads }) => threads).toFixed(2)} threads`,
    ];
    console.log(`  ${name}: ${rise.join(", ")}`);
  }
  console.log(`  inodes: ${slopeOf(late.map(({ minutes, inodes }) => [minutes, inodes])).toFixed(1)}`);

  const total = (of: (each: Work) => number) => works.reduce((sum, each) => sum + of(each), 0);
  const errors = [...done.failed, ...works.flatMap((each) => each.errors)];
  console.log(
    `\n${total(({ operations }) => operations)} operations, ${mib(total(({ bytes }) => bytes))} MiB moved`,
  );
  console.log(`${done.commits} commits, ${done.remounts} mounts made anew, load ${loadavg()[0]!.toFixed(0)}`);
  console.log(`faults: ${JSON.stringify(injected)}`);
  console.log(`errors: ${total(({ failed }) => failed) + done.failed.length}`);
  for (const error of errors.slice(0, 20)) console.log(`  ${error}`);
  if (errors.length > 0) process.exitCode = 1;
}
