/** `varve fsck`: holds remotes against the catalog and themselves, and heals what can be healed. */
import { type Fscked, type Problem, fsck } from "../../dataset/fsck/fsck.js";
import { type Cli, run } from "../context.js";
import { ExitCode } from "../exit-codes.js";
import { formatCountOf, printable } from "../format.js";
import { renderTable } from "../table.js";

export function addFsckCommand(cli: Cli): void {
  cli.command(
    "fsck [remotes..]",
    "Look whether all that versions need is there, and heal what can be healed",
    (yargs) =>
      yargs
        .positional("remotes", {
          type: "string",
          array: true,
          describe: "Names, URLs or absolute paths (default: all that the catalog knows)",
        })
        .option("deep", { type: "boolean", default: false, describe: "Read and hash every byte" })
        .option("repair", {
          type: "boolean",
          default: false,
          describe: "Put back what the cache, other packs, files of this machine or the catalog still hold",
        })
        .example(
          "$0 fsck",
          "records, listings, and whether every pack is there; exit code 1 when anything is wrong",
        )
        .example("$0 fsck --deep --repair", "also every byte, and what can be healed"),
    (args) =>
      run(args, async ({ workspace, output, json, signal }) => {
        const rows = await (await workspace.catalog()).listRemotes();
        const places = args.remotes?.length ? args.remotes : rows.map(({ url }) => url);
        const checked: Fscked[] = [];
        for (const place of places) {
          const opened = await workspace.openRemote(place, { mustExist: true });
          const { deep, repair } = args;
          checked.push(await fsck(workspace, opened, { deep, repair, signal }));
        }
        if (json) output.json(checked);
        else for (const one of checked) output.data(describe(one, output.widthColumns));
        if (checked.some(({ problems }) => problems.some(isOpen))) process.exitCode = ExitCode.failed;
      }),
  );
}

function isOpen({ healedFrom }: Problem): boolean {
  return healedFrom === undefined;
}

function describe({ remote, versions, deep, problems }: Fscked, widthColumns: number | undefined): string {
  const healed = problems.filter((problem) => !isOpen(problem)).length;
  const found = problems.length === 0 ? "nothing wrong" : formatCountOf(problems.length, "problem");
  const how = deep ? "every byte read" : "sizes only; --deep reads every byte";
  const line = `${remote}: ${found} in ${formatCountOf(versions, "version")} (${how})${healed > 0 ? `, ${healed} healed` : ""}`;
  const table = renderTable(COLUMNS, problems.map(cellsOf), { widthColumns });
  return table === "" ? line : `${line}\n${table}`;
}

const COLUMNS = [
  { title: "what" },
  { title: "state" },
  { title: "object", shrinks: true },
  { title: "versions", shrinks: true },
  { title: "problem", shrinks: true },
];

function cellsOf({ what, state, key, versions, problem, healedFrom, unhealed }: Problem): string[] {
  const told = healedFrom === undefined ? (unhealed ?? problem) : `healed from ${healedFrom}`;
  return [what, healedFrom === undefined ? state : "healed", key, versions.join(", "), printable(told)];
}
