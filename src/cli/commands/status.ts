/** `varve status`: what is mounted, and what was left uncommitted. */
import { type CacheHits, nameOfShown } from "../../daemon/config.js";
import { mountAt } from "../../daemon/client.js";
import { askControl } from "../../daemon/control.js";
import { type MountState, liveMounts } from "../../daemon/mount-state.js";
import { isAlive } from "../../daemon/process.js";
import { abandonedOverlays } from "../../dataset/overlays.js";
import type { Stuck } from "../../daemon/watchdog.js";
import { DatasetError } from "../../errors.js";
import { type Cli, run } from "../context.js";
import { formatCount, formatDuration, formatTime, printable } from "../format.js";
import { renderTable } from "../table.js";

export function addStatusCommand(cli: Cli): void {
  cli.command(
    "status [directory]",
    "Show what is mounted, and changes left uncommitted",
    (yargs) =>
      yargs
        .positional("directory", { type: "string", describe: "One mount's folder" })
        .option("watch", {
          type: "boolean",
          default: false,
          describe: "Show what they do, again and again, until Ctrl-C",
        })
        .option("interval", {
          type: "number",
          default: 2,
          coerce: seconds,
          describe: "With --watch: seconds between two looks",
        })
        .option("check", {
          type: "boolean",
          default: false,
          describe: "Fail unless there is a mount and each is served, for health checks",
        })
        .example("$0 status", "every mount of yours, and what is uncommitted")
        .example("$0 status --watch", "operations, bytes, hits and requests a second")
        .example("$0 status --check /data", "exit code 0 while /data is served"),
    (args) =>
      run(args, async (context) => {
        const { workspace, output, json } = context;
        if (args.watch) {
          await (await import("./watch-mounts.js")).watchMounts(context, args);
          return;
        }
        if (args.check) await (await import("./check-mounts.js")).checkMounts(workspace.home, args.directory);
        const states =
          args.directory === undefined
            ? liveMounts(workspace.home)
            : [mountAt(workspace.home, args.directory)];
        const mounts = await Promise.all(states.map(describe));
        const left = args.directory === undefined ? abandonedOverlays(workspace.home).map(abandoned) : [];
        const rows = [...mounts, ...left];
        if (json) output.json(rows);
        else if (rows.length === 0) output.data("Nothing is mounted");
        else output.data(statusTable(rows, output.widthColumns));
        if (!json) for (const line of mounts.flatMap(stuckLines)) output.data(line);
      }),
  );
}

interface StatusRow {
  mountpoint: string;
  pid: number | null;
  id: string | null;
  dataset: string | null;
  version: string | null;
  writable: boolean;
  state: string;
  overlay?: string | undefined;
  /** Label of the last live commit, with which `diff` compares. */
  committed?: string | undefined;
  /** What something in it waits for, or waited until a moment ago. */
  stuck?: readonly Stuck[] | undefined;
  logFile?: string | undefined;
  /** Where its metrics are served. */
  metrics?: string | undefined;
}

/** Longest a status waits for a mount that does not answer. */
const STATUS_WAIT_MS = 2_000;

async function describe(state: MountState): Promise<StatusRow> {
  const { mountpoint, pid, id, dataset, version, writable, overlay, logFile, metrics } = state;
  const row = { mountpoint, pid, id, dataset, version, writable, overlay, logFile, metrics };
  if (!isAlive(state)) return { ...row, pid: null, state: "dead" };
  const answer = await askStatus(state);
  const { phase = "not answering", committed, stuck } = answer ?? {};
  return { ...row, state: phase, committed, stuck };
}

export interface MountAnswer {
  phase: string;
  /** Label of the last live commit. */
  committed?: string;
  stuck?: readonly Stuck[];
  /** Where it was asked for. */
  cache?: CacheHits;
}

/** What the mount's process says it is at; undefined when it says nothing in time. */
export async function askStatus(
  { socket }: MountState,
  asked: { cache?: boolean } = {},
): Promise<MountAnswer | undefined> {
  const inTime = AbortSignal.timeout(STATUS_WAIT_MS);
  try {
    const request = { operation: "status", arguments: asked } as const;
    return (await askControl(socket, request, undefined, inTime)) as MountAnswer;
  } catch {
    return undefined;
  }
}

function abandoned(overlay: ReturnType<typeof abandonedOverlays>[number]): StatusRow {
  const { mountpoint, base, dataset, version, id, committed } = overlay;
  return {
    mountpoint,
    pid: null,
    id: base,
    dataset,
    version,
    writable: true,
    state: "uncommitted",
    overlay: id,
    committed,
  };
}

function statusTable(rows: readonly StatusRow[], widthColumns: number | undefined): string {
  const columns = [
    { title: "mounted at" },
    { title: "version" },
    { title: "mode" },
    { title: "state" },
    { title: "pid", align: "right" as const },
  ];
  const cells = rows.map((row) => [
    row.mountpoint,
    nameOfShown(row) + (row.committed === undefined ? "" : `, committed ${row.committed}`),
    row.writable ? "writable" : "read-only",
    row.state,
    String(row.pid ?? "-"),
  ]);
  return renderTable(columns, cells, { widthColumns });
}

/** What a mount waits for that does not come, a line each. */
function stuckLines({ mountpoint, stuck = [] }: StatusRow): string[] {
  return stuck.map(({ waitsFor, operation, sinceMs, endedAtMs, count }) => {
    const how = endedAtMs === undefined ? "waits" : "waited";
    const long = formatDuration((endedAtMs ?? Date.now()) - sinceMs);
    const many = count === 1 ? "" : `, as do ${formatCount(count - 1)} more`;
    const line = `${mountpoint}: ${operation} ${how} since ${formatTime(sinceMs)} (${long}) for the ${waitsFor}${many}`;
    return printable(line);
  });
}

/** @throws {DatasetError} `bad-input` */
function seconds(count: number): number {
  if (count >= 0.1 && count <= 86_400) return count;
  const message = "Cannot take --interval: it must be a number of seconds from 0.1";
  throw new DatasetError("bad-input", { value: String(count) }, message);
}
