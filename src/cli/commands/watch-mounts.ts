/** `varve status --watch`: what mounts do, looked at again and again. A table that is drawn anew in a terminal, else lines. */
import { setTimeout as sleep } from "node:timers/promises";
import { mountAt } from "../../daemon/client.js";
import { askControl } from "../../daemon/control.js";
import type { MountFigures } from "../../daemon/figures.js";
import { type MountState, liveMounts } from "../../daemon/mount-state.js";
import { nameOfShown } from "../../daemon/config.js";
import type { Context } from "../context.js";
import { formatBytes, formatCount, formatRate, formatTime, printable } from "../format.js";
import { type Rates, ratesOf } from "../rates.js";
import { type Column, renderTable } from "../table.js";

/** Longest a look waits for a mount that does not answer. */
const LOOK_WAIT_MS = 2_000;
/** To the first line, and away with all below. */
const REDRAW = "\u001b[H\u001b[J";

interface Seen {
  state: MountState;
  /** Undefined where the mount did not answer. */
  figures: MountFigures | undefined;
  rates: Rates | undefined;
}

/** Looks until it is interrupted. */
export async function watchMounts(
  context: Context,
  { directory, interval }: { directory?: string | undefined; interval: number },
): Promise<void> {
  const { workspace, signal } = context;
  const earlier = new Map<string, MountFigures>();
  while (!signal.aborted) {
    const states =
      directory === undefined ? liveMounts(workspace.home) : [mountAt(workspace.home, directory)];
    const seen = await Promise.all(states.map((state) => look(state, earlier.get(state.socket))));
    show(context, seen);
    earlier.clear();
    for (const { state, figures } of seen) if (figures) earlier.set(state.socket, figures);
    await sleep(interval * 1000, undefined, { signal }).catch(() => undefined);
  }
}

async function look(state: MountState, before: MountFigures | undefined): Promise<Seen> {
  const inTime = AbortSignal.timeout(LOOK_WAIT_MS);
  const request = { operation: "figures", arguments: {} } as const;
  const figures = (await askControl(state.socket, request, undefined, inTime).catch(() => undefined)) as
    MountFigures | undefined;
  return { state, figures, rates: figures && ratesOf(figures, before) };
}

function show({ output, json }: Context, seen: readonly Seen[]): void {
  const isScreen = output.widthColumns !== undefined;
  if (json) for (const { state, figures, rates } of seen) output.json(line(state, figures, rates));
  else if (isScreen) output.data(`${REDRAW}${screen(seen, output.widthColumns)}`);
  else for (const each of seen) output.data(plainLine(each));
}

function line(state: MountState, figures: MountFigures | undefined, rates: Rates | undefined) {
  const { mountpoint, pid, dataset, version } = state;
  return {
    atMs: figures?.atMs ?? Date.now(),
    mountpoint,
    pid,
    dataset,
    version,
    ...rates,
    stuckFor: figures?.stuck,
  };
}

const TITLES = [
  ...["ops/s", "read", "written", "hits", "remote/s", "in flight", "waiting", "stuck", "overlay", "memory"],
] as const;
const COLUMNS: readonly Column[] = [
  { title: "mounted at", shrinks: true },
  { title: "version", shrinks: true },
  ...TITLES.map((title) => ({ title, align: "right" as const })),
];

function screen(seen: readonly Seen[], widthColumns: number | undefined): string {
  const head = `${formatTime(Date.now())}  Ctrl-C ends\n`;
  if (seen.length === 0) return `${head}\nNothing is mounted`;
  const rows = seen.map(({ state, rates }) => [
    printable(state.mountpoint),
    nameOfShown(state),
    ...cells(rates),
  ]);
  return `${head}\n${renderTable(COLUMNS, rows, { widthColumns })}`;
}

function cells(rates: Rates | undefined): string[] {
  if (!rates) return ["not answering"];
  return [
    formatCount(Math.round(rates.operationsPerSecond)),
    formatRate(rates.readBytesPerSecond),
    formatRate(rates.writtenBytesPerSecond),
    rates.cacheHitPercent === null ? "-" : `${rates.cacheHitPercent.toFixed(1)} %`,
    rates.remoteRequestsPerSecond.toFixed(1),
    formatCount(rates.remoteRequestsUnderWay),
    formatCount(rates.requestsWaiting),
    formatCount(rates.stuck),
    rates.overlayBytes === null ? "-" : formatBytes(rates.overlayBytes),
    formatBytes(rates.residentBytes),
  ];
}

/** `2026-11-30 16:01:02Z  /data  ops/s 1,234  read 12.0 MiB/s …` */
function plainLine({ state, rates }: Seen): string {
  const told = rates ? cells(rates).map((cell, at) => `${TITLES[at]} ${cell}`) : cells(rates);
  return [formatTime(Date.now()), printable(state.mountpoint), ...told].join("  ");
}
