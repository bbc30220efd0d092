/** Runs random operations on pairs of a folder and a mount, counts what they gave, and makes what fails short. */
import fc from "fast-check";
import type { ModelHome } from "./mount.js";
import { type Kind, type Operation, operations } from "./operations.js";
import { Difference, Pair } from "./pair.js";
import type { Outcome } from "./perform.js";
import { shortened } from "./shorten.js";

export interface RunOptions {
  seed: number;
  operations: number;
  /** Each so many operations begin with a new folder and a new mount. Default 2,500. */
  perPair?: number | undefined;
  /** Longest time for making a failing sequence short, in s. Default 300. */
  shortenSeconds?: number | undefined;
  /** Told after each pair. */
  onPair?: ((done: number) => void) | undefined;
}

/** How often each outcome came: `ok`, or the name of an error. */
export type Outcomes = Record<string, number>;

export interface Failure {
  problem: string;
  /** What makes it fail, as short as there was time for. */
  script: readonly Operation[];
}

export interface Report {
  histogram: Map<Kind, Outcomes>;
  failure: Failure | undefined;
}

const PER_PAIR = 2_500;
const SHORTEN_SECONDS = 300;

/** Stops at the first difference. */
export async function runModel(home: ModelHome, options: RunOptions): Promise<Report> {
  const { perPair = PER_PAIR } = options;
  const histogram: Report["histogram"] = new Map();
  for (let done = 0; done < options.operations; done += perPair) {
    const numRuns = Math.min(perPair, options.operations - done);
    const planned = fc.sample(operations, { numRuns, seed: options.seed + done / perPair });
    const steps: Operation[] = [];
    const problem = await tried(home, planned, (pair, step) => pair.resolved(step), steps, histogram);
    if (problem !== undefined)
      return { histogram, failure: await shortFailure(home, problem, steps, options) };
    options.onPair?.(done + numRuns);
  }
  return { histogram, failure: undefined };
}

/** Tries a sequence once more, on a fresh pair; the problem, if there is one. */
export function replayed(home: ModelHome, script: readonly Operation[]): Promise<string | undefined> {
  return tried(home, script, (_pair, step) => step);
}

async function shortFailure(
  home: ModelHome,
  problem: string,
  steps: Operation[],
  options: RunOptions,
): Promise<Failure> {
  const deadline = performance.now() + (options.shortenSeconds ?? SHORTEN_SECONDS) * 1_000;
  const last = { problem };
  const fails = async (script: readonly Operation[]): Promise<boolean> => {
    const found = await replayed(home, script);
    last.problem = found ?? last.problem;
    return found !== undefined;
  };
  const script = await shortened(steps, fails, () => performance.now() < deadline);
  return { problem: last.problem, script };
}

async function tried<T>(
  home: ModelHome,
  sequence: readonly T[],
  resolve: (pair: Pair, step: T) => Operation,
  steps: Operation[] = [],
  histogram: Report["histogram"] = new Map(),
): Promise<string | undefined> {
  const pair = await Pair.begin(home);
  try {
    for (const planned of sequence) {
      const operation = resolve(pair, planned);
      steps.push(operation);
      count(histogram, operation.do, await pair.step(operation));
    }
    pair.compare();
    await pair.end();
    return undefined;
  } catch (error) {
    if (error instanceof Difference)
      return `step ${steps.length}, ${JSON.stringify(steps.at(-1))}: ${error.message}`;
    throw error;
  } finally {
    pair.remove();
  }
}

function count(histogram: Report["histogram"], kind: Kind, outcome: Outcome): void {
  const outcomes = histogram.get(kind) ?? {};
  const key = "error" in outcome ? outcome.error : "ok";
  outcomes[key] = (outcomes[key] ?? 0) + 1;
  histogram.set(kind, outcomes);
}
