/** `varve gc`: frees what no version, draft or mount needs any more. */
import {
  type Amount,
  COLLECTED,
  type CollectOptions,
  type Collected,
  DEFAULT_GRACE_MS,
  collect,
} from "../../dataset/collect/collect.js";
import { isDatasetError, messageOf } from "../../errors.js";
import { parseDurationMs } from "../../units.js";
import { type Cli, type Context, run } from "../context.js";
import { ExitCode } from "../exit-codes.js";
import { formatBytes, formatCount, formatCountOf, formatDuration } from "../format.js";
import { renderTable } from "../table.js";

export function addGcCommand(cli: Cli): void {
  cli.command(
    "gc [remotes..]",
    "Free what no version, draft or mount needs: publish it, and delete it a grace later",
    (yargs) =>
      yargs
        .positional("remotes", {
          type: "string",
          array: true,
          describe: "Names, URLs or absolute paths (default: all that the catalog knows)",
        })
        .option("dry-run", {
          alias: "n",
          type: "boolean",
          default: false,
          describe: "Only say what would be done; --verbose names every object",
        })
        .option("verbose", { type: "boolean", default: false, describe: "Name every object" })
        .option("repack", {
          type: "boolean",
          default: false,
          describe: "Also empty packs that are mostly garbage into new ones",
        })
        .option("grace", {
          type: "string",
          describe: "How old garbage must be, and how long it is published (default: 7d)",
        })
        .example("$0 gc --dry-run", "what nobody needs, and what becomes of it")
        .example("$0 gc", "run it once a week: what one run publishes, the next deletes")
        .example("$0 gc --grace 0", "find and delete in one run"),
    (args) =>
      run(args, async (context) => {
        const graceMs = args.grace === undefined ? DEFAULT_GRACE_MS : parseDurationMs(args.grace);
        const places = args.remotes?.length ? args.remotes : await knownRemotes(context);
        const collected: Collected[] = [];
        for (const place of places) {
          const one = await collectOne(context, place, { graceMs, dryRun: args.dryRun, repack: args.repack });
          if (one) collected.push(one);
        }
        if (context.json) context.output.json(collected);
        else for (const one of collected) context.output.data(describe(one, graceMs, args.verbose));
      }),
  );
}

async function knownRemotes({ workspace }: Context): Promise<string[]> {
  const rows = await (await workspace.catalog()).listRemotes();
  return rows.map(({ url }) => url);
}

/** One that fails does not keep the others from being collected. */
async function collectOne(
  { workspace, output, signal }: Context,
  place: string,
  options: Pick<CollectOptions, "graceMs" | "dryRun" | "repack">,
): Promise<Collected | undefined> {
  try {
    const opened = await workspace.openRemote(place, { mustExist: true });
    const onStep = (what: string) => output.say(`${opened.remote.url}: ${what}`);
    return await collect(workspace, opened, { ...options, signal, onStep });
  } catch (error) {
    if (!isDatasetError(error)) throw error;
    output.warn(`${place}: ${messageOf(error)}`);
    process.exitCode = ExitCode.failed;
    return undefined;
  }
}

function describe(collected: Collected, graceMs: number, verbose: boolean): string {
  const { remote, all, needed, deleted, published, waiting, held, dryRun } = collected;
  const grace = formatDuration(graceMs);
  const rows = [
    row("in the remote", all, ""),
    row("needed", needed, "by versions, drafts and mounts"),
    row(
      dryRun ? "would be deleted" : "deleted",
      deleted,
      `published ${grace} ago or more, and not needed since`,
    ),
    row(
      "published before",
      waiting,
      waiting.dueInMs === undefined ? "" : `due in ${formatDuration(waiting.dueInMs)}`,
    ),
    row(dryRun ? "would be published" : "published", published, publishedWhy(collected, graceMs)),
    row("kept for now", held, `younger than ${grace}${heldBy(held.leases)}`),
  ];
  const kinds = COLLECTED.flatMap((kind) => {
    const amount = published.byKind[kind];
    return amount ? [row(`  ${kind}`, amount, "")] : [];
  });
  const at = rows.length - 1;
  const table = renderTable(COLUMNS, [...rows.slice(0, at), ...kinds, ...rows.slice(at)]);
  return [remote, table, ...repackedLine(collected), ...(verbose ? published.keys : [])].join("\n");
}

function repackedLine({ repacked: { packs, savedBytes }, dryRun }: Collected): string[] {
  if (packs === 0) return [];
  const did = dryRun ? "would be emptied" : "emptied";
  return [
    `${formatCountOf(packs, "pack")} ${did} into new ones: ${formatBytes(savedBytes)} of garbage in them can go`,
  ];
}

function publishedWhy({ dryRun, published }: Collected, graceMs: number): string {
  if (published.objects === 0 || graceMs === 0) return "needed by nobody";
  return `needed by nobody; varve gc deletes it ${formatDuration(graceMs)} ${dryRun ? "after that" : "from now"}`;
}

function heldBy(leases: Collected["held"]["leases"]): string {
  if (leases.length === 0) return "";
  const [first] = leases;
  const others = leases.length > 1 ? ` and ${formatCountOf(leases.length - 1, "other")}` : "";
  return `, or newer than the ${first!.what} of ${first!.holder}${others}`;
}

const COLUMNS = [
  { title: "" },
  { title: "objects", align: "right" as const },
  { title: "size", align: "right" as const },
  { title: "why" },
];

function row(title: string, { objects, bytes }: Amount, why: string): string[] {
  return [title, formatCount(objects), formatBytes(bytes), objects > 0 ? why : ""];
}
