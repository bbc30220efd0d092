/** `varve status`: what is mounted, and what was left uncommitted. */
import { type CacheHits, nameOfShown } from "../../daemon/config.js";
import { mountAt } from "../../daemon/client.js";
import { askControl } from "../../daemon/control.js";
import { type MountState, liveMounts } from "../../daemon/mount-state.js";
import { isAlive } from "../../daemon/process.js";
import { abandonedOverlays } from "../../dataset/overlays.js";
import { type Cli, run } from "../context.js";
import { renderTable } from "../table.js";

export function addStatusCommand(cli: Cli): void {
  cli.command(
    "status [directory]",
    "Show what is mounted, and changes left uncommitted",
    (yargs) =>
      yargs
        .positional("directory", { type: "string", describe: "One mount's folder" })
        .example("$0 status", "every mount of yours, and what is uncommitted"),
    (args) =>
      run(args, async (context) => {
        const { workspace, output, json } = context;
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
}

/** Longest a status waits for a mount that does not answer. */
const STATUS_WAIT_MS = 2_000;

async function describe(state: MountState): Promise<StatusRow> {
  const { mountpoint, pid, id, dataset, version, writable, overlay } = state;
  const row = { mountpoint, pid, id, dataset, version, writable, overlay };
  if (!isAlive(state)) return { ...row, pid: null, state: "dead" };
  const answer = await askStatus(state);
  return { ...row, state: answer?.phase ?? "not answering", committed: answer?.committed };
}

export interface MountAnswer {
  phase: string;
  /** Label of the last live commit. */
  committed?: string;
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
