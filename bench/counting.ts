/**
 * What an operation costs the process behind a mount, in processor time: names that are not there, and reads of 4 KiB past the kernel's
 * memory. Two builds are compared by runs in turn, since what the machine does otherwise shows even there.
 * Run after a build, as root: `node dist/bench/counting.js [RUNS] [OTHER/dist/varve/cli.js]`, default 5 runs of this build.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { readMountState } from "../src/daemon/mount-state.js";
import { homeOf } from "../src/home.js";
import { MiB } from "../src/units.js";
import { noise } from "../test/content/noise.js";
import { cpuSecondsOf, median } from "./support/figures.js";

const CLI = fileURLToPath(new URL("../varve/cli.js", import.meta.url));
const OPERATIONS = 100_000;
const READ_BYTES = 4_096;

/** Names that are not there, each asked for once, and reads past the kernel's memory. */
const LOOK_UPS = `
import os, sys
for i in range(${OPERATIONS}):
    try: os.stat(f"{sys.argv[1]}/{sys.argv[2]}-{i}")
    except FileNotFoundError: pass
`;
const READS = `
import os, mmap, random, sys
fd = os.open(sys.argv[1] + "/file", os.O_RDONLY | os.O_DIRECT); buffer = mmap.mmap(-1, ${READ_BYTES})
for i in range(${OPERATIONS}): os.preadv(fd, [buffer], random.randrange(${(16 * MiB) / READ_BYTES}) * ${READ_BYTES})
`;

const runs = Number(process.argv[2] ?? 5);
const builds = [CLI, ...process.argv.slice(3)];
const work = mkdtempSync(join(tmpdir(), "varve-counting-"));
const source = join(work, "source");

interface Build {
  cli: string;
  path: string;
  pid: number;
  lookUps: number[];
  reads: number[];
}

const mounted: Build[] = [];
try {
  mkdirSync(source);
  writeFileSync(join(source, "file"), noise("counting", 16 * MiB));
  for (const [at, cli] of builds.entries()) mounted.push(mount(cli, String(at)));
  for (let run = -1; run < runs; run++)
    for (const build of mounted) {
      const lookUps = microseconds(build, LOOK_UPS, `run${run}`);
      const reads = microseconds(build, READS);
      if (run < 0) continue; // To warm up.
      build.lookUps.push(lookUps);
      build.reads.push(reads);
    }
  for (const { cli, lookUps, reads } of mounted) {
    console.log(cli);
    console.log(`  look-ups: ${told(lookUps)}`);
    console.log(`  reads of 4 KiB: ${told(reads)}`);
  }
} finally {
  for (const { cli, path } of mounted) varve(cli, path, "unmount", path);
  rmSync(work, { recursive: true, force: true });
}

function mount(cli: string, name: string): Build {
  const path = join(work, name);
  mkdirSync(path);
  varve(cli, path, "sync", source, "bench/counting");
  varve(cli, path, "mount", "bench/counting", path, "--no-passthrough");
  const { pid } = readMountState(homeOf(homeAt(path)), path)!;
  return { cli, path, pid, lookUps: [], reads: [] };
}

function varve(cli: string, path: string, ...args: string[]): void {
  const env = { ...process.env, ...homeAt(path) };
  execFileSync(process.execPath, [cli, "--quiet", ...args], { env, stdio: "pipe" });
}

function homeAt(path: string): Record<string, string> {
  return { VARVE_HOME: `${path}-home`, VARVE_REMOTE: `${path}-remote` };
}

/** Of the mount's process, for one operation. */
function microseconds({ path, pid }: Build, program: string, ...args: string[]): number {
  const before = cpuSecondsOf(pid);
  execFileSync("python3", ["-c", program, path, ...args]);
  return ((cpuSecondsOf(pid) - before) * 1e6) / OPERATIONS;
}

function told(times: readonly number[]): string {
  return `median ${median(times).toFixed(2)} µs, least ${Math.min(...times).toFixed(2)} µs of ${times.length}`;
}
