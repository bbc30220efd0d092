/** Runs workloads in cold places, round by round with the places side by side: seconds, and what the server saw. */
import { cpuSecondsOf, median, sum } from "../support/figures.js";
import type { Bucket } from "./bucket.js";
import { type Place, makeCold, makeWarm } from "./place.js";
import type { Goal, Workload } from "./workloads.js";

/** One run, or the medians of several. */
export interface Run {
  seconds: number;
  requests: number;
  /** Fetched from the server. */
  bytes: number;
  /** Of the process that serves the place. */
  cpuSeconds: number;
}

/** A workload at one distance in all places that could take it. */
export interface Result {
  what: string;
  asksBytes: number;
  goal: Goal;
  places: { place: Place; run: Run }[];
}

/** After so much in all, a place is measured no more: what is slow needs no rounds to be seen. */
const ENOUGH_SECONDS = 10;

/** Every place cold, then, for a workload that is done again, over its cache. */
export async function measure(
  bucket: Bucket,
  workload: Workload,
  places: readonly Place[],
  rounds: number,
): Promise<Result[]> {
  const { what, again, goal } = workload;
  const able = places.filter(({ readLarge }) => !readLarge || workload.isLarge === true);
  const [cold, warm] = [runsOf(able), runsOf(able)];
  for (let round = 0; round < rounds; round++)
    for (const place of able) {
      if (isEnough(cold.get(place)!)) continue;
      await makeCold(place);
      cold.get(place)!.push(await runOnce(bucket, workload, place));
      if (!again) continue;
      await makeWarm(place);
      warm.get(place)!.push(await runOnce(bucket, workload, place));
    }
  for (const place of able) await place.unmount();
  const first = resultOf({ ...workload, what: `${what}, cold`, goal }, cold);
  return again
    ? [first, resultOf({ ...workload, what: `the same after a remount`, goal: again }, warm)]
    : [first];
}

async function runOnce(bucket: Bucket, { mounts, run }: Workload, place: Place): Promise<Run> {
  if (!mounts) await place.mount();
  await bucket.reset();
  const cpuBefore = cpuSecondsOf(place.pid);
  const started = performance.now();
  const ownSeconds = await run(place);
  const seconds = typeof ownSeconds === "number" ? ownSeconds : (performance.now() - started) / 1000;
  const cpuSeconds = cpuSecondsOf(place.pid) - cpuBefore;
  return { seconds, cpuSeconds, ...(await bucket.traffic()) };
}

function runsOf(places: readonly Place[]): Map<Place, Run[]> {
  return new Map(places.map((place) => [place, []]));
}

function isEnough(runs: readonly Run[]): boolean {
  return sum(runs.map(({ seconds }) => seconds)) > ENOUGH_SECONDS;
}

function resultOf({ what, asksBytes, goal }: Workload, runs: Map<Place, Run[]>): Result {
  return {
    what,
    asksBytes,
    goal,
    places: [...runs].map(([place, each]) => ({ place, run: medianOf(each) })),
  };
}

/** Of each figure by itself. */
function medianOf(runs: readonly Run[]): Run {
  const of = (figure: keyof Run) => median(runs.map((run) => run[figure]));
  return {
    seconds: of("seconds"),
    requests: of("requests"),
    bytes: of("bytes"),
    cpuSeconds: of("cpuSeconds"),
  };
}
