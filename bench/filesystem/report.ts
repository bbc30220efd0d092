/** What was measured as a table: a line for each workload and place, beside what is to be reached. */
import { type Column, renderTable } from "../../src/cli/table.js";
import type { Measured } from "./measure.js";
import type { Goal, Workload } from "./workload.js";

const right = { align: "right" as const };
const COLUMNS: Column[] = [
  { title: "what" },
  { title: "where" },
  { title: "seconds", ...right },
  { title: "a second", ...right },
  { title: "x local", ...right },
  { title: "x bare", ...right },
  { title: "CPU s", ...right },
  { title: "CPU µs each", ...right },
  { title: "to reach" },
];

/** Workloads with what they took in each place. */
export type Results = readonly (readonly [Workload, readonly Measured[]])[];

export function render(results: Results): string {
  return renderTable(
    COLUMNS,
    results.flatMap(([workload, all]) => all.map((one, index) => row(workload, one, all, index === 0))),
  );
}

function row(workload: Workload, one: Measured, all: readonly Measured[], isFirstLine: boolean): string[] {
  const { count, unit, what, goal = {} } = workload;
  const { place, seconds, cpuSeconds } = one;
  const [local, bare] = [ratioTo("local disk", one, all), ratioTo("bare loop", one, all)];
  const isOurs = place.name.startsWith("varve");
  return [
    isFirstLine ? what : "",
    place.name,
    seconds.toFixed(seconds < 0.1 ? 4 : 3),
    `${Math.round(count / seconds)} ${unit}`,
    local?.toFixed(2) ?? "",
    bare?.toFixed(2) ?? "",
    cpuSeconds?.toFixed(3) ?? "",
    cpuSeconds === undefined ? "" : ((cpuSeconds / count) * 1e6).toFixed(1),
    isOurs ? verdict(goal, count / seconds, local, bare) : "",
  ];
}

function ratioTo(name: string, one: Measured, all: readonly Measured[]): number | undefined {
  const other = all.find(({ place }) => place.name === name);
  return other && other !== one ? one.seconds / other.seconds : undefined;
}

function verdict(goal: Goal, perSecond: number, local = 0, bare = 0): string {
  const { timesLocal, timesBare } = goal;
  const bounds = [
    timesLocal !== undefined && { text: `${timesLocal.toFixed(2)} x local`, holds: local <= timesLocal },
    timesBare !== undefined && { text: `${timesBare.toFixed(2)} x bare`, holds: bare <= timesBare },
    goal.perSecond !== undefined && { text: `${goal.perSecond}/s`, holds: perSecond >= goal.perSecond },
  ];
  return bounds.flatMap((bound) => (bound ? `${bound.text}: ${bound.holds ? "yes" : "NO"}` : [])).join(", ");
}
