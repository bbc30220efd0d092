/**
 * What a tree of 10,000,000 files costs, and folders of 1,000,000: mounting, listing, `find`, one more file, each by a
 * user with an empty cache: first timed, then with requests counted. Run after a build, as root: `node dist/bench/scale.js [FOLDER]`. The large versions are made
 * first (minutes, 2 GiB); in a FOLDER that is given they stay for the next time.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { renderTable } from "../src/cli/table.js";
import { Workspace } from "../src/dataset/workspace.js";
import { homeOf } from "../src/home.js";
import { MiB } from "../src/units.js";
import { CountedUser, type Measuring } from "./support/counted-user.js";
import { makeLargeVersion, pathOfFile } from "./support/large-version.js";

/** Number of files, and how many of them lie in one folder. */
const VERSIONS = {
  "bench/many": [10_000_000, 1_000],
  "bench/folders": [1_000_000, 1_000],
  "bench/flat": [1_000_000, 1_000_000],
} as const;

const COLUMNS = ["s", "CPU s", "MiB memory", "requests", "MiB read", "MiB sent"] as const;

const given = process.argv[2];
const work = given ?? mkdtempSync(join(tmpdir(), "varve-scale-"));
const remote = join(work, "remote");
/** By what was done; filled by two passes. */
const figures = new Map<string, Partial<Record<(typeof COLUMNS)[number], string>>>();
let measuring: Measuring = "timed";
let users = 0;

try {
  for (const [dataset, [files, filesInFolder]] of Object.entries(VERSIONS))
    await makeOnce(dataset, files, filesInFolder);
  for (measuring of ["timed", "counted"] as const) {
    measureMany();
    for (const dataset of ["bench/folders", "bench/flat"]) measureFind(dataset);
  }
} finally {
  if (given === undefined) rmSync(work, { recursive: true, maxRetries: 3 });
}
const columns = [{ title: "what" }, ...COLUMNS.map((title) => ({ title, align: "right" as const }))];
const rows = [...figures].map(([what, row]) => [what, ...COLUMNS.map((title) => row[title] ?? "")]);
console.log(renderTable(columns, rows));

async function makeOnce(dataset: string, files: number, filesInFolder: number): Promise<void> {
  const home = { ...homeOf({ VARVE_HOME: join(work, "maker") }), defaultRemote: remote };
  const workspace = new Workspace({ home });
  const isMade = existsSync(join(remote, "names", ...dataset.split("/")));
  if (!isMade) await makeLargeVersion(workspace, { dataset, files, filesInFolder });
  await workspace.close();
}

function measureMany(): void {
  withUser((user) => {
    const at = user.mountpoint;
    measure(user, "10,000,000 files: mount and first ls", () => {
      user.varve("mount", "bench/many@1.0.0", at);
      execFileSync("ls", [at]);
    });
    measure(user, "ls of a folder of 1,000", () => readdirSync(join(at, "folder-07777")));
    measure(user, "stat of 1,000 files at random", () => statAtRandom(at));
  });
  withUser((user) => {
    commitOne(user, "one new file: cp, unmount", (at) => {
      const source = join(work, "new-file");
      writeFileSync(source, `${process.hrtime.bigint()}`);
      copyFileSync(source, join(at, "folder-04321/new-file"));
    });
    const [before, after] = ["1.0.0", latestOf(user)].map((label) => `bench/many@${label}`) as [
      string,
      string,
    ];
    measure(user, "varve versions", () => user.varve("versions", "bench/many"));
    measure(user, "varve diff with the parent", () => user.varve("diff", before, after));
  });
  withUser((user) => {
    commitOne(user, "copy of a file from elsewhere in the tree: cp, unmount", (at) => {
      copyFileSync(join(at, pathOfFile(1_234_567)), join(at, "folder-09876/copy"));
    });
  });
}

function statAtRandom(at: string): void {
  const paths = Array.from({ length: 1_000 }, (_, index) =>
    join(at, pathOfFile((index * 7_919_317) % 10_000_000)),
  );
  execFileSync("stat", ["-c", "%s", ...paths], { stdio: ["ignore", "ignore", "inherit"] });
}

function commitOne(user: CountedUser, what: string, change: (at: string) => void): void {
  user.varve("mount", "-w", "bench/many@1.0.0", user.mountpoint);
  let contentBytesSent = 0;
  measure(user, what, () => {
    change(user.mountpoint);
    const answer = user.varve("unmount", user.mountpoint, "--json");
    ({ contentBytesSent } = (JSON.parse(answer) as { committed: { contentBytesSent: number } }).committed);
  });
  figures.set(`  of it content: ${contentBytesSent} B`, {});
}

function latestOf(user: CountedUser): string {
  const versions = JSON.parse(user.varve("versions", "bench/many", "--json")) as { version: string }[];
  return versions.at(-1)!.version;
}

function measureFind(dataset: string): void {
  for (const options of [[], ["-w"]])
    withUser((user) => {
      user.varve("mount", ...options, dataset, user.mountpoint);
      const what = `find over 1,000,000, ${dataset}${options.length > 0 ? ", writable" : ""}`;
      measure(user, what, () => find(user.mountpoint));
      measure(user, `${what}, again`, () => find(user.mountpoint));
    });
}

function find(at: string): void {
  const { status } = spawnSync("find", [at, "-type", "f", "-size", "-1M"], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (status !== 0) throw new Error(`Cannot measure: find exited with ${status}`);
}

/** Runs with a user whose home is empty, and takes away what is then mounted. */
function withUser(run: (user: CountedUser) => void): void {
  const folder = join(work, `user-${users++}`);
  const user = new CountedUser(folder, remote, measuring);
  try {
    run(user);
  } finally {
    const daemon = user.daemon();
    spawnSync("umount", [user.mountpoint], { stdio: "ignore" });
    if (daemon) awaitEnd(daemon.pid);
    rmSync(folder, { recursive: true, maxRetries: 3 });
  }
}

/** Notes figures. CPU time and memory are those of the mount's process and of commands that ended. */
function measure(user: CountedUser, what: string, run: () => unknown): void {
  const before = user.daemon();
  user.takeSpent();
  const started = performance.now();
  run();
  const seconds = (performance.now() - started) / 1000;
  const after = user.daemon();
  if (before && !after) awaitEnd(before.pid);
  const spent = user.takeSpent();
  const cpuMs = spent.cpuMs + (after?.cpuMs ?? 0) - (before?.cpuMs ?? 0);
  const memoryBytes = Math.max(spent.maxRssBytes, after?.maxRssBytes ?? 0);
  const mib = (bytes: number) => (bytes / MiB).toFixed(2);
  const timed = {
    s: seconds.toFixed(2),
    "CPU s": (cpuMs / 1000).toFixed(2),
    "MiB memory": (memoryBytes / MiB).toFixed(0),
  };
  const counted = {
    requests: String(spent.requests),
    "MiB read": mib(spent.readBytes),
    "MiB sent": mib(spent.sentBytes),
  };
  figures.set(what, { ...figures.get(what), ...(measuring === "timed" ? timed : counted) });
}

/** The process of a mount writes down what it took when it ends, a moment after the mount. */
function awaitEnd(pid: number): void {
  while (existsSync(`/proc/${pid}`)) execFileSync("sleep", ["0.05"]);
}
