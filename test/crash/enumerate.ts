/**
 * Tries an operation with every one of its writes failing, and with its process killed before, during and after it, each
 * from the same beginning. Then a process that did not take part looks at what there is, does what is left, and looks again.
 */
import { execFile } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { liveMounts } from "../../src/daemon/mount-state.js";
import { Dataset } from "../../src/dataset/dataset.js";
import { discardCutOff } from "../../src/dataset/transient-drafts.js";
import { messageOf } from "../../src/errors.js";
import type { Workspace } from "../../src/dataset/workspace.js";
import { describeFolder, describeVersion } from "../dataset/support/folders.js";
import { detachBelow } from "../support/mounts.js";
import { killQuietly } from "../support/processes.js";
import { shuffled } from "../support/shuffled.js";
import {
  Catcher,
  type How,
  type Injection,
  type Point,
  type Tools,
  injectionsAt,
  isKill,
} from "./injection.js";
import { type Picture, pictureOf, problemsOf } from "./inspect.js";
import { DATASET, OPERATIONS, type Operation, type Stage, homeIn, stageIn } from "./operations.js";

export interface EnumerateOptions {
  /** An empty folder. */
  scratch: string;
  tools: Tools;
  /** Which to try. Default: all. */
  only?: ((injection: Injection) => boolean) | undefined;
  /** How many of these, chosen by `seed`. Default: all. */
  sample?: number | undefined;
  seed?: number | undefined;
  /** Runs at once. Default 1. */
  jobs?: number | undefined;
  onRun?: ((done: number, of: number) => void) | undefined;
}

export interface Report {
  points: Point[];
  /** How many of each kind. */
  runs: Partial<Record<How, number>>;
  failures: (Injection & { problem: string })[];
  /** Points that no run came to: what was to happen at them did not. */
  unreached: Injection[];
}

/** How a process ended that was to meet an injection. */
interface Outcome {
  wasReached: boolean;
  code: number | null;
  signal: NodeJS.Signals | null;
  said: string;
}

/** Of an operation that takes a quarter of a second. */
const HANGS_AFTER_MS = 90_000;
/** How a process divides its writes may differ a little from run to run. */
const TRIES = 4;

/** @param name Of the table `operations`. */
export async function enumerate(
  name: string,
  { scratch, tools, only = () => true, sample, seed = 1, jobs = 1, onRun }: EnumerateOptions,
  operations: Readonly<Record<string, Operation>> = OPERATIONS,
): Promise<Report> {
  const sites = [];
  for (let job = 0; job < jobs; job++)
    sites.push(await Site.make(name, operations[name]!, join(scratch, String(job)), tools));
  const { points } = sites[0]!;
  const all = points.flatMap(injectionsAt).filter(only);
  const chosen = sample === undefined ? all : sampled(all, sample, seed);
  const report: Report = { points, runs: {}, failures: [], unreached: [] };
  const left = chosen.values();
  let done = 0;
  const work = async (site: Site) => {
    for (const injection of left) {
      await tried(site, injection, report);
      onRun?.(++done, chosen.length);
    }
  };
  await Promise.all(sites.map(work));
  return report;
}

function sampled(all: readonly Injection[], count: number, seed: number): Injection[] {
  return shuffled(all.length, seed)
    .slice(0, count)
    .map((index) => all[index]!);
}

async function tried(site: Site, injection: Injection, report: Report): Promise<void> {
  report.runs[injection.how] = (report.runs[injection.how] ?? 0) + 1;
  const found = await site.attempt(injection);
  if (found === "unreached") report.unreached.push(injection);
  else if (found !== undefined) report.failures.push({ ...injection, problem: found.problem });
}

/** One beginning, and what has to come of it. */
class Site {
  points: Point[] = [];
  #before!: Picture;
  #after!: Picture;
  /** Versions whose bytes were read since the process ended. */
  #seen = new Set<string>();

  private constructor(
    private readonly name: string,
    private readonly operation: Operation,
    private readonly folder: string,
    private readonly saved: string,
    private readonly catcher: Catcher,
    private readonly process: string,
  ) {}

  static async make(name: string, operation: Operation, scratch: string, tools: Tools): Promise<Site> {
    const folder = join(scratch, "stage");
    mkdirSync(folder, { recursive: true });
    const catcher = new Catcher(tools.library, folder, scratch);
    const site = new Site(name, operation, folder, join(scratch, "saved"), catcher, tools.process);
    await site.#prepare();
    return site;
  }

  /** Undefined where all is as it must be. */
  async attempt(injection: Injection): Promise<{ problem: string } | "unreached" | undefined> {
    for (let tries = 0; tries < TRIES; tries++) {
      await this.#restore();
      const outcome = await this.#run(injection);
      if (!outcome.wasReached) continue;
      const problem = wrongEnd(injection, outcome, this.operation) ?? (await this.#look());
      return problem === undefined ? undefined : { problem: `${problem}\n${outcome.said}`.trim() };
    }
    return "unreached";
  }

  /** The beginning, the points, and what comes of it where nothing is in the way. */
  async #prepare(): Promise<void> {
    await this.#asking(this.operation.prepare);
    await promisify(execFile)("cp", ["-a", this.folder, this.saved]);
    this.#before = await this.#asking(({ workspace }) => pictureOf(workspace));
    await this.#restore();
    const { code, said } = await this.#run();
    if (code !== 0) throw new Error(`${this.name} failed though nothing was in its way: ${said}`);
    this.points = this.catcher.reached();
    await this.#asking(this.#finish);
    this.#after = await this.#asking(({ workspace }) => pictureOf(workspace));
    const problem = await this.#asking(this.#differs);
    if (problem !== undefined) throw new Error(`${this.name} made something else: ${problem}`);
  }

  async #restore(): Promise<void> {
    for (const { pid } of liveMounts(homeIn(this.folder))) killQuietly(pid);
    detachBelow(this.folder);
    rmSync(this.folder, { recursive: true, force: true });
    await promisify(execFile)("cp", ["-a", this.saved, this.folder]);
  }

  async #run(injection?: Injection): Promise<Outcome> {
    const env = {
      ...process.env,
      ...this.catcher.environment(this.operation.program ?? "operation-process", injection),
    };
    const options = { env, timeout: HANGS_AFTER_MS, killSignal: "SIGTERM" as const };
    return new Promise((resolve) => {
      const child = execFile(
        process.execPath,
        [this.process, this.name, this.folder],
        options,
        (_, stdout, stderr) => {
          const wasReached = injection !== undefined && this.catcher.reached().includes(injection.point);
          resolve({ wasReached, code: child.exitCode, signal: child.signalCode, said: stdout + stderr });
        },
      );
    });
  }

  /** What is wrong with what the process has left, and with what becomes of that. */
  async #look(): Promise<string | undefined> {
    this.#seen = new Set();
    try {
      const problem = await this.#asking(({ workspace }) => this.#differsNow(workspace));
      if (problem !== undefined) return problem;
      await this.#asking(this.#finish);
      return await this.#asking(this.#differs);
    } catch (error) {
      return `afterwards: ${messageOf(error)}`;
    }
  }

  /** Versions that were there are the same; a new one is what it should be or is not there. */
  async #differsNow(workspace: Workspace): Promise<string | undefined> {
    const now = await pictureOf(workspace);
    for (const [name, version] of Object.entries(this.#before.finished))
      if (now.finished[name] !== version) return `${name} has changed`;
    for (const [key, record] of Object.entries(this.#before.records))
      if (now.records[key] !== record) return `${key} has changed`;
    if (!this.operation.program)
      for (const [name, version] of Object.entries(now.finished))
        if (this.#after.finished[name] !== version) return `${name} is not what it should be`;
    return (await problemsOf(workspace, this.#seen))[0];
  }

  /** And what the next who makes a draft takes away. */
  readonly #finish = async (stage: Stage): Promise<void> => {
    await (this.operation.finish ?? this.operation.run)(stage);
    const datasets = await (await stage.workspace.catalog()).listDatasets();
    for (const dataset of datasets) await discardCutOff(stage.workspace, dataset);
  };

  /** How the end differs from what was wanted, and from what comes when nothing is in the way. */
  readonly #differs = async ({ folder, workspace }: Stage): Promise<string | undefined> => {
    const now = await pictureOf(workspace);
    // How many versions another process makes depends on when it ends.
    for (const part of [
      ...(this.operation.program ? [] : (["finished"] as const)),
      "unfinished",
      "leftOver",
    ] as const) {
      const [found, wanted] = [JSON.stringify(now[part]), JSON.stringify(this.#after[part])];
      if (found !== wanted) return `in the end ${part} is ${found}, not ${wanted}`;
    }
    const [problem] = await problemsOf(workspace, this.#seen);
    if (problem !== undefined) return problem;
    const dataset = await Dataset.get(this.operation.dataset ?? DATASET, { workspace });
    const found = await describeVersion(dataset, { metadata: false });
    const wanted = describeFolder(join(folder, "wanted"), { metadata: false });
    const wrong = Object.keys({ ...found, ...wanted }).find((path) => found[path] !== wanted[path]);
    return wrong === undefined ? undefined : `"${wrong}" is ${found[wrong]}, not ${wanted[wrong]}`;
  };

  /** Each time as a new process knows it: nothing opened, nothing remembered. */
  async #asking<T>(ask: (stage: Stage) => Promise<T>): Promise<T> {
    const stage = stageIn(this.folder);
    try {
      return await ask(stage);
    } finally {
      await stage.workspace.close();
    }
  }
}

/** What is wrong with the way a process ended: who is not killed goes on, or says what is the matter. */
function wrongEnd(
  { point, how }: Injection,
  { code, signal }: Outcome,
  { shrugsOff, program }: Operation,
): string | undefined {
  if (program) return signal === null ? undefined : `it hung, or ended by ${signal}`;
  if (isKill(how))
    return signal === "SIGKILL" ? undefined : `it was not killed, but ended with ${signal ?? code}`;
  if (signal !== null) return `it hung, or ended by ${signal}`;
  if (code === 0) return undefined;
  const mustSucceed = how === "short" || (shrugsOff !== undefined && point.includes(`\t${shrugsOff}`));
  if (mustSucceed) return `it failed, with ${code}`;
  return code === 3 ? undefined : `it failed, and did not say why, with ${code}`;
}
