/**
 * Every operation with every one of its writes failing, and with a kill before, during and after it. Prints a line for
 * each operation, and each failure with the point it came at, which `--point` and `--how` try again. Mounting takes root.
 *
 *   node dist/test/crash/long-crash.js [--operation NAME]… [--jobs 2] [--sample N --seed N] [--point LINE --how HOW]
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { programs } from "../../src/programs.js";
import { type Report, enumerate } from "./enumerate.js";
import { HOWS, type How, buildTools } from "./injection.js";
import { OPERATIONS } from "./operations.js";

const { values } = parseArgs({
  options: {
    operation: { type: "string", multiple: true, default: Object.keys(OPERATIONS) },
    jobs: { type: "string", default: String(availableParallelism()) },
    sample: { type: "string" },
    seed: { type: "string", default: "1" },
    point: { type: "string" },
    how: { type: "string", default: HOWS.join() },
  },
});

const TELL_EVERY = 500;

Object.assign(programs, { daemon: new URL("../../varve/daemon.js", import.meta.url) });
const scratch = mkdtempSync(join(tmpdir(), "varve-crash-"));
const tools = await buildTools();
try {
  let bad = 0;
  for (const name of values.operation) bad += await tryAll(name);
  process.exitCode = bad === 0 ? 0 : 1;
} finally {
  tools.remove();
  rmSync(scratch, { recursive: true, force: true });
}

async function tryAll(name: string): Promise<number> {
  const started = performance.now();
  const folder = join(scratch, name.replaceAll(/\W+/g, "-"));
  mkdirSync(folder);
  const report = await enumerate(name, {
    scratch: folder,
    tools,
    sample: values.sample === undefined ? undefined : Number(values.sample),
    seed: Number(values.seed),
    jobs: Number(values.jobs),
    only: ({ point, how }) => isAsked(point, how),
    onRun: (done, of) => {
      if (done % TELL_EVERY === 0) console.error(`${name}: ${done} of ${of} runs`);
    },
  });
  rmSync(folder, { recursive: true, force: true });
  print(name, report, (performance.now() - started) / 1_000);
  return report.failures.length + report.unreached.length;
}

function isAsked(point: string, how: How): boolean {
  return values.how.split(",").includes(how) && (values.point ?? point) === point;
}

function print(name: string, { points, runs, failures, unreached }: Report, seconds: number): void {
  const counts = HOWS.map((how) => `${how} ${runs[how] ?? 0}`).join(", ");
  const total = Object.values(runs).reduce((sum, count) => sum + count, 0);
  const wrong = `${failures.length} failed, ${unreached.length} not reached`;
  console.log(
    `${name}: ${points.length} points, ${total} runs (${counts}), ${wrong}; ${Math.round(seconds)} s`,
  );
  for (const { point, how } of unreached) console.log(`  NOT REACHED ${how} ${JSON.stringify(point)}`);
  for (const { point, how, problem } of failures)
    console.log(`  FAILED ${how} ${JSON.stringify(point)}: ${problem.replaceAll("\n", "\n    ")}`);
}
