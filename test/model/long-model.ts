/**
 * The reference model, as long as there is time: random operations on a folder and on a writable mount through the
 * kernel, compared after each step. Prints how often each operation was tried and what came of it; a sequence that fails
 * is made short and printed, an operation a line. Mounting takes root.
 *
 *   node dist/test/model/long-model.js --operations 1000000 [--seed N] [--at-least 1000] [--replay FILE]
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { programs } from "../../src/programs.js";
import { ModelHome } from "./mount.js";
import type { Operation } from "./operations.js";
import { type Failure, type Report, replayed, runModel } from "./run.js";

const { values } = parseArgs({
  options: {
    operations: { type: "string", default: "1000000" },
    seed: { type: "string", default: String(Date.now() % 1_000_000_000) },
    "per-pair": { type: "string" },
    "at-least": { type: "string" },
    "shorten-seconds": { type: "string" },
    /** A script that was printed earlier, to be tried once. */
    replay: { type: "string" },
    /** Mounts what is built file by file, so that a bug can be planted in it. */
    unbundled: { type: "boolean", default: false },
  },
});

/** In the long mode each operation is tried as often as this, so that none is only thought to be tested. */
const AT_LEAST = 1_000;
const LONG_OPERATIONS = 1_000_000;

process.umask(0o022);
// Mounts of what is shipped begin in a third of the time of what is built file by file.
if (!values.unbundled) Object.assign(programs, { daemon: new URL("../../varve/daemon.js", import.meta.url) });
const folder = mkdtempSync(join(tmpdir(), "varve-model-home-"));
const home = await ModelHome.begin(folder);
try {
  process.exitCode = values.replay === undefined ? await long() : await again(values.replay);
} finally {
  await home.close();
  rmSync(folder, { recursive: true, force: true });
}

async function long(): Promise<number> {
  const [operations, seed] = [Number(values.operations), Number(values.seed)];
  console.log(`seed ${seed}`);
  const started = performance.now();
  const onPair = (done: number): void => {
    const seconds = Math.round((performance.now() - started) / 1_000);
    if (operations >= LONG_OPERATIONS) console.log(`${done} operations in ${seconds} s`);
  };
  const numbers = { perPair: numberOf("per-pair"), shortenSeconds: numberOf("shorten-seconds") };
  const report = await runModel(home, { operations, seed, ...numbers, onPair });
  print(report);
  if (report.failure) return failed(report.failure);
  const atLeast = numberOf("at-least") ?? (operations >= LONG_OPERATIONS ? AT_LEAST : 1);
  return enough(report, atLeast) ? 0 : 1;
}

async function again(file: string): Promise<number> {
  const lines = readFileSync(file, "utf8").split("\n");
  const script = lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line) as Operation);
  const problem = await replayed(home, script);
  console.log(problem ?? "no difference");
  return problem === undefined ? 0 : 1;
}

function numberOf(name: "per-pair" | "at-least" | "shorten-seconds"): number | undefined {
  const value = values[name];
  return value === undefined ? undefined : Number(value);
}

function print({ histogram }: Report): void {
  const errors = new Map<string, number>();
  for (const [kind, outcomes] of [...histogram].sort(([a], [b]) => (a < b ? -1 : 1))) {
    for (const [errno, count] of Object.entries(outcomes))
      errors.set(errno, (errors.get(errno) ?? 0) + count);
    console.log(
      `${kind.padEnd(14)} ${String(totalOf(outcomes)).padStart(8)}  ${textOf(Object.entries(outcomes))}`,
    );
  }
  console.log(`all: ${textOf([...errors])}`);
}

function textOf(counts: [string, number][]): string {
  return counts
    .sort(([, a], [, b]) => b - a)
    .map(([what, count]) => `${what} ${count}`)
    .join(", ");
}

function totalOf(outcomes: Record<string, number>): number {
  return Object.values(outcomes).reduce((sum, count) => sum + count, 0);
}

function enough({ histogram }: Report, atLeast: number): boolean {
  const few = [...histogram].filter(([, outcomes]) => totalOf(outcomes) < atLeast).map(([kind]) => kind);
  if (few.length > 0) console.log(`too few to tell: ${few.join(", ")}`);
  return few.length === 0;
}

function failed({ problem, script }: Failure): number {
  console.log(`\nDIFFERENCE at ${problem}\n\nthe shortest sequence found (--replay FILE tries it again):`);
  for (const operation of script) console.log(JSON.stringify(operation));
  return 1;
}
