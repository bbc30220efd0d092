/** Running workloads in places, round by round with the places side by side, and what each took. */
import { cpuSecondsOf, median, sum } from "../support/figures.js";
import type { Place } from "./places.js";
import type { Workload } from "./workload.js";

/** Medians of the rounds. */
export interface Measured {
  place: Place;
  seconds: number;
  /** CPU time of the process that serves the place, where there is one. */
  cpuSeconds: number | undefined;
}

/** Measured in one round. */
type Run = Omit<Measured, "place">;

/** After so much in all, a place is measured no more: what is slow needs no rounds to be seen. */
const ENOUGH_SECONDS = 20;

/** Runs a workload in every place that can take it, as often as asked, in turns: what disturbs one disturbs all. */
export async function measure(
  workload: Workload,
  places: readonly Place[],
  rounds: number,
): Promise<Measured[]> {
  const able = places.filter((place) => canTake(place, workload));
  if (!workload.isFirst) for (const place of able) runOnce(workload, place);
  const runs = new Map<Place, Run[]>(able.map((place) => [place, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [place, taken] of runs) {
      if (sum(taken.map(({ seconds }) => seconds)) > ENOUGH_SECONDS) continue;
      if (workload.isFirst) await place.renew();
      taken.push(runOnce(workload, place));
    }
  }
  return [...runs].map(([place, taken]) => ({
    place,
    seconds: median(taken.map(({ seconds }) => seconds)),
    cpuSeconds: place.pid ? median(taken.map(({ cpuSeconds = 0 }) => cpuSeconds)) : undefined,
  }));
}

function canTake({ shows, writable }: Place, { needs }: Workload): boolean {
  return needs === "large" || (shows === "all" && (needs === "files" || writable));
}

function runOnce(workload: Workload, place: Place): Run {
  workload.before?.(place);
  const cpuBefore = cpuSecondsOf(place.pid);
  const started = performance.now();
  workload.run(place);
  const seconds = (performance.now() - started) / 1000;
  return { seconds, cpuSeconds: cpuSecondsOf(place.pid) - cpuBefore };
}
