/** `varve catalog`: the catalog made anew from remotes, or copied to another place. */
import { type CatalogCopy, copyCatalog } from "../../catalog/copy.js";
import { type Rebuilt, rebuildCatalog } from "../../dataset/rebuild.js";
import { type Cli, run } from "../context.js";
import { ExitCode } from "../exit-codes.js";
import { formatCount, formatCountOf } from "../format.js";
import { withoutPassword } from "../no-secrets.js";

export function addCatalogCommand(cli: Cli): void {
  cli.command("catalog", "Make a lost catalog anew, or copy one to another place", (yargs) =>
    yargs
      .command(
        "rebuild <remotes..>",
        "Enter into the catalog all versions that remotes hold",
        (yargs) =>
          yargs
            .positional("remotes", {
              type: "string",
              array: true,
              demandOption: true,
              describe: "URLs, absolute paths or names",
            })
            .example(
              "$0 catalog rebuild s3://my-bucket/datasets",
              "all datasets and versions in that bucket",
            ),
        (args) =>
          run(args, async ({ workspace, output, json }) => {
            const rebuilt = await rebuildCatalog(workspace, args.remotes);
            if (json) output.json(rebuilt);
            else output.data(rebuiltLine(rebuilt));
            for (const { what, problem } of rebuilt.problems) output.warn(`Left out "${what}": ${problem}`);
            for (const { url } of rebuilt.needed)
              output.warn(`Some of these versions need ${url} too, which was not looked through`);
            if (rebuilt.problems.length > 0) process.exitCode = ExitCode.failed;
          }),
      )
      .command(
        "copy <from> <to>",
        "Copy a catalog into an empty one, all or nothing",
        (yargs) =>
          yargs
            .positional("from", { type: "string", demandOption: true, describe: "A file or postgres:// URL" })
            .positional("to", { type: "string", demandOption: true, describe: "A file or postgres:// URL" })
            .example(
              "$0 catalog copy ~/.local/share/varve/catalog.db postgres://me@db/varve",
              "to a server (the password: ~/.pgpass or PGPASSWORD)",
            ),
        (args) =>
          run(args, async ({ output, json }) => {
            const copy = await copyCatalog(withoutPassword(args.from), withoutPassword(args.to));
            if (json) output.json(copy);
            else output.data(copyLine(copy));
            output.say(
              "What is staged in drafts stays on the machine where they were made; VARVE_CATALOG says which catalog is used",
            );
          }),
      )
      .demandCommand(1, "Say what to do: rebuild or copy"),
  );
}

function rebuiltLine({ datasets, versions, added, remotes }: Rebuilt): string {
  const found = `${formatCountOf(datasets, "dataset")}, ${formatCountOf(versions, "version")}`;
  const where = remotes.map(({ url }) => url).join(", ") || "no remote";
  return `${found} in ${where}; ${formatCount(added)} new to this catalog`;
}

function copyLine({ to, rows, already }: CatalogCopy): string {
  const what = `${formatCountOf(rows.datasets, "dataset")}, ${formatCountOf(rows.versions, "version")}`;
  return already ? `${what}: all of it is in ${to} already` : `${what} copied to ${to}`;
}
