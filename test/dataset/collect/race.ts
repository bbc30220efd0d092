/** Many processes that commit into one remote, each with a catalog of its own, beside one that collects without a grace. */
import { once } from "node:events";
import { watch } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import type { Catalog } from "../../../src/catalog/catalog.js";
import { collect } from "../../../src/dataset/collect/collect.js";
import { Dataset } from "../../../src/dataset/dataset.js";
import { rebuildCatalog } from "../../../src/dataset/rebuild.js";
import { Workspace } from "../../../src/dataset/workspace.js";
import { homeOf } from "../../../src/home.js";
import type { Scope } from "../../support/cleanup.js";
import { type TestProcess, startProcess } from "../../support/processes.js";
import type { CommitterOptions } from "./race-committer.js";

const LONGER_MS = 60_000;

export interface RaceOptions {
  scope: Scope;
  folder: string;
  committers: number;
  seconds: number;
  /** It goes on beyond that until so much was done, for a minute at most. Default: nothing more. */
  least?: { committed: number; collectedObjects: number; read: number } | undefined;
  seed: number;
  leaseSeconds: number;
  /** How many committers are stopped for three lease times, each in the middle of its commit point. */
  stops: number;
  /** One catalog for all. Default: each has its own, as on machines of their own. */
  catalog?: string | undefined;
  /** Whether they mount too; takes root. Default false. */
  mounts?: boolean | undefined;
}

export interface RaceReport {
  committed: number;
  read: number;
  deleted: number;
  /** Code of a failure to how often. */
  failed: Record<string, number>;
  collections: number;
  collectedObjects: number;
  collectedBytes: number;
  stopped: number;
  /** What the end was checked against. */
  versions: number;
  bytes: number;
  /** What is wrong: none may be. */
  problems: string[];
}

interface Told {
  committed?: string;
  contentDigest?: string;
  deleted?: string;
  failed?: string;
  message?: string;
  read?: string;
  /** A version that could not be read: it must have been deleted. */
  unread?: string;
  /** A file that held other bytes than it should. */
  wrong?: string;
}

export async function race(options: RaceOptions): Promise<RaceReport> {
  const { folder, committers, seconds, seed } = options;
  const remote = join(folder, "remote");
  await mkdir(remote, { recursive: true });
  process.env["VARVE_LEASE_SECONDS"] = String(options.leaseSeconds);
  const told: Told[] = [];
  const running = Array.from({ length: committers }, (_, number) =>
    startCommitter(options, remote, { number, seed: seed + number }, told),
  );
  const untilMs = performance.now() + seconds * 1_000;
  const stopping = stopSome(options, remote, running, untilMs);
  const collected = await collectWhile((objects) => isToGoOn(options, untilMs, told, objects), {
    folder,
    remote,
  });
  const stopped = await stopping;
  for (const { child } of running) child.stdin.end();
  const exits = await Promise.all(running.map(({ ended }) => ended));
  const crashed = exits.flatMap(({ code, stderr }) =>
    code === 0 ? [] : [`a committer ended with ${code}: ${stderr}`],
  );
  const checked = await checkAll(folder, remote, told);
  return {
    committed: told.filter((one) => one.committed).length,
    read: told.filter((one) => one.read).length,
    deleted: told.filter((one) => one.deleted).length,
    failed: countFailures(told),
    ...collected,
    stopped,
    ...checked,
    problems: [...crashed, ...checked.problems],
  };
}

function startCommitter(
  { scope, folder, catalog, mounts = false }: RaceOptions,
  remote: string,
  { number, seed }: { number: number; seed: number },
  told: Told[],
): TestProcess {
  const script = fileURLToPath(new URL("./race-committer.js", import.meta.url));
  const options: CommitterOptions = {
    remote,
    folder: join(folder, `committer-${number}`),
    seed,
    catalog,
    mounts,
  };
  const process = startProcess(scope, globalThis.process.execPath, [script, JSON.stringify(options)]);
  createInterface({ input: process.child.stdout }).on("line", (line) => told.push(JSON.parse(line) as Told));
  return process;
}

function isToGoOn(
  { least }: RaceOptions,
  untilMs: number,
  told: readonly Told[],
  collectedObjects: number,
): boolean {
  const now = performance.now();
  if (now < untilMs || !least) return now < untilMs;
  const [committed, read] = [
    told.filter((one) => one.committed).length,
    told.filter((one) => one.read).length,
  ];
  const isEnough =
    committed >= least.committed && read >= least.read && collectedObjects >= least.collectedObjects;
  return !isEnough && now < untilMs + LONGER_MS;
}

async function collectWhile(
  isToGoOn: (collectedObjects: number) => boolean,
  { folder, remote }: { folder: string; remote: string },
) {
  const home = homeOf({ VARVE_HOME: join(folder, "collector") });
  const counts = { collections: 0, collectedObjects: 0, collectedBytes: 0 };
  const workspace = new Workspace({ home, notice: () => {} });
  try {
    while (isToGoOn(counts.collectedObjects)) {
      const { deleted } = await collect(workspace, await workspace.openRemote(remote), { graceMs: 0 });
      counts.collections += 1;
      counts.collectedObjects += deleted.objects;
      counts.collectedBytes += deleted.bytes;
      await sleep(50);
    }
  } finally {
    await workspace.close();
  }
  return counts;
}

/** Stops a committer the moment its intent is there, and continues it after three lease times. */
async function stopSome(
  { stops, leaseSeconds }: RaceOptions,
  remote: string,
  running: readonly TestProcess[],
  untilMs: number,
): Promise<number> {
  const intents = join(remote, "intents");
  await mkdir(intents, { recursive: true });
  let stopped = 0;
  while (stopped < stops && performance.now() < untilMs) {
    const pid = await nextIntent(intents, untilMs);
    if (pid === undefined || !running.some((each) => each.pid === pid)) continue;
    process.kill(pid, "SIGSTOP");
    await sleep(3_000 * leaseSeconds);
    process.kill(pid, "SIGCONT");
    stopped += 1;
  }
  return stopped;
}

async function nextIntent(intents: string, untilMs: number): Promise<number | undefined> {
  const watcher = watch(intents);
  const timer = setTimeout(() => watcher.close(), Math.max(1, untilMs - performance.now()));
  try {
    const [, name] = (await Promise.race([once(watcher, "change"), once(watcher, "close")])) as [
      string?,
      string?,
    ];
    if (name === undefined || name.includes(".")) return undefined;
    const text = await readFile(join(intents, name), "utf8").catch(() => "");
    return Number(/process (\d+)/.exec(text)?.[1]) || undefined;
  } finally {
    clearTimeout(timer);
    watcher.close();
  }
}

/** Every version that the remote names is whole, and every version that a committer was told of is there unless it was deleted. */
async function checkAll(folder: string, remote: string, told: readonly Told[]) {
  const home = homeOf({ VARVE_HOME: join(folder, "checker") });
  const workspace = new Workspace({ home, notice: () => {} });
  const problems: string[] = [];
  const [found, labels] = [new Set<string>(), new Set<string>()];
  const digests = new Map(
    told.flatMap(({ committed, contentDigest }) => (committed ? [[committed, contentDigest]] : [])),
  );
  let bytes = 0;
  try {
    const rebuilt = await rebuildCatalog(workspace, [remote]);
    problems.push(...rebuilt.problems.map(({ what, problem }) => `${what}: ${problem}`));
    const catalog = await workspace.catalog();
    for (const dataset of await catalog.listDatasets({ archived: true }))
      for (const row of await catalog.listVersions(dataset.id)) {
        found.add(row.id);
        if (labels.has(`${dataset.id} ${row.canonicalLabel}`)) problems.push(`${row.label} is there twice`);
        labels.add(`${dataset.id} ${row.canonicalLabel}`);
        if (await isItsOwnAncestor(catalog, row.id)) problems.push(`${row.id} is its own ancestor`);
        const version = await Dataset.get(row.id, { workspace });
        const { damaged } = await version.verify();
        for (const each of damaged) problems.push(`${version.reference}: ${JSON.stringify(each)}`);
        const wanted = digests.get(row.id);
        if (wanted !== undefined && wanted !== row.contentDigest)
          problems.push(`${row.id} has another digest`);
        bytes += row.bytes ?? 0;
      }
  } finally {
    await workspace.close();
  }
  const deleted = new Set(told.flatMap((one) => (one.deleted ? [one.deleted] : [])));
  for (const id of digests.keys()) if (!found.has(id) && !deleted.has(id)) problems.push(`${id} was lost`);
  for (const { wrong, unread } of told) {
    if (wrong) problems.push(`wrong bytes in ${wrong}`);
    if (unread && found.has(unread)) problems.push(`${unread} could not be read`);
  }
  return { versions: found.size, bytes, problems };
}

async function isItsOwnAncestor(catalog: Catalog, id: string): Promise<boolean> {
  const seen = new Set<string>();
  for (let ids = await catalog.parentsOf(id); ids.length > 0;) {
    if (ids.includes(id)) return true;
    const fresh = ids.filter((each) => !seen.has(each));
    for (const each of fresh) seen.add(each);
    ids = (await Promise.all(fresh.map((each) => catalog.parentsOf(each)))).flat();
  }
  return false;
}

function countFailures(told: readonly Told[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { failed } of told) if (failed) counts[failed] = (counts[failed] ?? 0) + 1;
  return counts;
}
