/** What was measured as a table: a line for each workload and place, beside what is to be reached. */
import { type Column, renderTable } from "../../src/cli/table.js";
import { MiB } from "../../src/units.js";
import type { Result, Run } from "./measure.js";
import type { Goal } from "./workloads.js";

const right = { align: "right" as const };
const COLUMNS: Column[] = [
  { title: "what" },
  { title: "where" },
  { title: "seconds", ...right },
  { title: "x best peer", ...right },
  { title: "requests", ...right },
  { title: "MiB fetched", ...right },
  { title: "fetched / asked", ...right },
  { title: "CPU s", ...right },
  { title: "to reach" },
];

/** Who is no peer: what cannot be beaten, and who is to be compared. */
const NO_PEERS = new Set(["local disk", "bare SDK", "varve"]);

export function render(results: readonly Result[]): string {
  return renderTable(
    COLUMNS,
    results.flatMap((result) => result.places.map((_, index) => row(result, index))),
  );
}

function row({ what, asksBytes, goal, places }: Result, index: number): string[] {
  const { place, run } = places[index]!;
  const bestPeer = Math.min(...places.filter(({ place: { name } }) => !NO_PEERS.has(name)).map((one) => one.run.seconds)); // prettier-ignore
  const bare = places.find((one) => one.place.name === "bare SDK")?.run.seconds;
  const amplification = asksBytes > 0 ? run.bytes / asksBytes : undefined;
  return [
    index === 0 ? what : "",
    place.name,
    run.seconds.toFixed(run.seconds < 1 ? 3 : 2),
    place.name === "varve" && Number.isFinite(bestPeer) ? (run.seconds / bestPeer).toFixed(2) : "",
    String(run.requests),
    (run.bytes / MiB).toFixed(1),
    amplification?.toFixed(2) ?? "",
    place.pid === 0 && run.cpuSeconds === 0 ? "" : run.cpuSeconds.toFixed(2),
    place.name === "varve" ? verdict(goal, run, amplification, bare) : "",
  ];
}

function verdict(goal: Goal, run: Run, amplification = 0, bare?: number): string {
  const bounds = [
    bound("s", run.seconds, goal.seconds),
    bound("requests", run.requests, goal.requests),
    bound("x asked", amplification, goal.amplification),
    bound("x bare SDK", run.seconds / (bare ?? NaN), bare === undefined ? undefined : goal.timesBare),
  ];
  return bounds.filter((text) => text !== "").join(", ");
}

function bound(unit: string, seen: number, most: number | undefined): string {
  return most === undefined ? "" : `${most} ${unit}: ${seen <= most ? "yes" : `NO, ${seen.toFixed(2)}`}`;
}
