/** `varve catalog`: the catalog made anew from remotes. */
import { type Rebuilt, rebuildCatalog } from "../../dataset/rebuild.js";
import { type Cli, run } from "../context.js";
import { ExitCode } from "../exit-codes.js";
import { formatCount, formatCountOf } from "../format.js";

export function addCatalogCommand(cli: Cli): void {
  cli.command("catalog", "Make a lost catalog anew", (yargs) =>
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
      .demandCommand(1, "Say what to do: rebuild"),
  );
}

function rebuiltLine({ datasets, versions, added, remotes }: Rebuilt): string {
  const found = `${formatCountOf(datasets, "dataset")}, ${formatCountOf(versions, "version")}`;
  const where = remotes.map(({ url }) => url).join(", ") || "no remote";
  return `${found} in ${where}; ${formatCount(added)} new to this catalog`;
}
