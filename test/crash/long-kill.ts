/**
 * Kills the process of a writable mount again and again while threads write to it, sync, and tell what is there; then
 * recovers what it left, mounted again or committed, and holds every file against what was told. Mounting takes root.
 *
 *   node dist/test/crash/long-kill.js --kills 500 [--seed N]
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { askMount } from "../../src/daemon/client.js";
import { readMountState } from "../../src/daemon/mount-state.js";
import { Dataset } from "../../src/dataset/dataset.js";
import { abandonedOverlays } from "../../src/dataset/overlays.js";
import { recoverCommit, recoverMount } from "../../src/dataset/recover.js";
import { syncVersion } from "../../src/dataset/sync.js";
import { messageOf } from "../../src/errors.js";
import { programs } from "../../src/programs.js";
import { writeFolder } from "../dataset/support/folders.js";
import { detachBelow, mountsBelow } from "../support/mounts.js";
import { randomFrom } from "../support/random.js";
import type { Content, WriterData, WriterMessage } from "./durable-writer.js";
import { DATASET, type Stage, stageIn } from "./operations.js";

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "500" },
    seed: { type: "string", default: String(Date.now() % 1_000_000_000) },
  },
});

const WRITERS = 2;
const LONGEST_LIFE_MS = 600;
const FIRST_RECORD_MS = 5_000;
/** Of a mount whose process is gone. */
const END_WAIT_MS = 30_000;
const TELL_EVERY = 50;

/** What each file may hold: one content where it was recorded, more while it is replaced, anything (`true`) while it is written in place. */
type Ledger = Map<string, Set<Content | true>>;

interface Tally {
  kills: number;
  recorded: number;
  checked: number;
  lost: string[];
  /** How the mounts went on. */
  ways: Record<string, number>;
}

Object.assign(programs, { daemon: new URL("../../varve/daemon.js", import.meta.url) });
const folder = mkdtempSync(join(tmpdir(), "varve-kill-"));
const path = join(folder, "mounted");
const stage = stageIn(folder);
try {
  process.exitCode = await main(Number(values.kills), Number(values.seed));
} finally {
  const state = readMountState(stage.workspace.home, path);
  if (state && mountsBelow(path).length > 0) process.kill(state.pid, "SIGKILL");
  detachBelow(path);
  await stage.workspace.close();
  rmSync(folder, { recursive: true, force: true });
}

async function main(kills: number, seed: number): Promise<number> {
  console.log(`seed ${seed}`);
  const started = performance.now();
  const [tally, below] = [
    { kills: 0, recorded: 0, checked: 0, lost: [], ways: {} } as Tally,
    randomFrom(seed),
  ];
  const ledger: Ledger = new Map();
  await begin(stage);
  while (tally.kills < kills) {
    await writeUntilKilled(ledger, tally, below);
    const way = await goOn(below);
    tally.ways[way] = (tally.ways[way] ?? 0) + 1;
    compare(ledger, tally);
    if (tally.lost.length > 0) break;
    if (++tally.kills % TELL_EVERY === 0) console.error(`${tally.kills} kills`);
  }
  return print(tally, (performance.now() - started) / 1_000);
}

function print({ kills, recorded, checked, lost, ways }: Tally, seconds: number): number {
  console.log(
    `${kills} kills, ${recorded} files recorded, ${lost.length} lost; ${checked} times a file was held against ` +
      `its record, afterwards ${JSON.stringify(ways)}; ${Math.round(seconds)} s`,
  );
  for (const line of lost) console.log(`LOST ${line}`);
  // Of a few kills each may come before the first record.
  const isEnough = kills > 0 && recorded >= kills;
  if (!isEnough) console.log("too little was recorded to tell");
  return lost.length === 0 && isEnough ? 0 : 1;
}

async function begin({ workspace }: Stage): Promise<void> {
  const source = join(folder, "source");
  const names = Array.from({ length: WRITERS }, (_, number) => [`w${number}/`, ""] as const);
  writeFolder(source, { ...Object.fromEntries(names), "first.txt": "first" });
  await syncVersion(source, DATASET, { workspace });
  mkdirSync(path);
  await mountLatest();
}

async function mountLatest(): Promise<void> {
  await (await Dataset.get(DATASET, { workspace: stage.workspace })).mount(path, { writable: true });
}

async function writeUntilKilled(
  ledger: Ledger,
  tally: Tally,
  below: (bound: number) => number,
): Promise<void> {
  const { pid } = readMountState(stage.workspace.home, path)!;
  let isKilled = false;
  const failedEarly: string[] = [];
  let noteRecorded: () => void = () => undefined;
  const recorded = new Promise<void>((resolve) => (noteRecorded = resolve));
  const writers = Array.from({ length: WRITERS }, (_, number) =>
    written(number, below(2 ** 31), ledger, (message) => {
      if (typeof message.recorded === "string") {
        tally.recorded++;
        noteRecorded();
      }
      if (message.failed !== undefined && !isKilled) failedEarly.push(message.failed);
    }),
  );
  // Mostly once something is recorded, however busy the machine is; else at any moment from the mount on.
  if (below(4) > 0) await Promise.race([recorded, sleep(FIRST_RECORD_MS, undefined, { ref: false })]);
  const lifeMs = below(LONGEST_LIFE_MS);
  const commits = below(3) === 0;
  await sleep(commits ? lifeMs / 2 : lifeMs);
  const commit = commits
    ? askMount(stage.workspace.home, path, { operation: "commit", arguments: {} })
    : undefined;
  commit?.catch(() => undefined);
  await sleep(commits ? lifeMs / 2 : 0);
  if (failedEarly.length > 0) throw new Error(`a writer failed before the kill: ${failedEarly.join()}`);
  isKilled = true;
  process.kill(pid, "SIGKILL"); // Throws where it is gone already.
  await Promise.all(writers);
  await commit?.catch(() => undefined);
  await gone(pid);
}

/** One writer, to its end; what it says is in the ledger then. */
function written(
  number: number,
  seed: number,
  ledger: Ledger,
  told: (message: WriterMessage) => void,
): Promise<void> {
  const below = `w${number}`;
  const names = readdirSync(join(path, below)).filter((name) => !name.endsWith(".new"));
  const workerData: WriterData = { folder: join(path, below), seed, names };
  const worker = new Worker(new URL("./durable-writer.js", import.meta.url), { workerData });
  return new Promise((resolve, reject) => {
    worker.on("error", reject);
    worker.on("message", (message: WriterMessage) => {
      told(message);
      if (message.failed !== undefined) resolve();
      else enter(ledger, `${below}/${message.name}`, message);
    });
  });
}

function enter(ledger: Ledger, name: string, { doubt, recorded }: WriterMessage): void {
  if (recorded !== undefined) ledger.set(name, new Set([recorded]));
  else if (doubt !== undefined) ledger.set(name, new Set([...(ledger.get(name) ?? [null]), doubt]));
}

async function gone(pid: number): Promise<void> {
  const deadline = performance.now() + END_WAIT_MS;
  while (existsSync(`/proc/${pid}`) || mountsBelow(path).length > 0) {
    if (performance.now() > deadline) throw new Error(`process ${pid} or its mount does not go away`);
    await sleep(2);
  }
}

/** What a user may do with what was left: mount it again, or commit it and mount the version. */
async function goOn(below: (bound: number) => number): Promise<string> {
  const { workspace } = stage;
  const left = abandonedOverlays(workspace.home).find(({ mountpoint }) => mountpoint === path);
  if (!left) throw new Error("the mount left no overlay: it was not killed, but ended");
  if (below(2) === 0) {
    await recoverMount(workspace, left, path);
    return "mounted again";
  }
  await recoverCommit(workspace, left);
  await mountLatest();
  return "committed";
}

function compare(ledger: Ledger, tally: Tally): void {
  for (const [name, allowed] of ledger) {
    const found = contentOf(join(path, name));
    tally.checked++;
    if (!allowed.has(true) && !allowed.has(found))
      tally.lost.push(`${name}: ${found}, not ${[...allowed].join(" or ")}`);
    // From now on it holds this.
    if (found === null) ledger.delete(name);
    else ledger.set(name, new Set([found]));
  }
}

function contentOf(file: string): Content {
  try {
    return createHash("sha256").update(readFileSync(file)).digest("hex");
  } catch (error) {
    if (/ENOENT/.test(messageOf(error))) return null;
    throw error;
  }
}
