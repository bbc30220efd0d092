/** `varve query`: files of a version, chosen by what is said of them. */
import { Dataset } from "../../dataset/dataset.js";
import { jsonOf } from "../../paths.js";
import { type Cli, run } from "../context.js";
import { formatPath } from "../format.js";

export function addQueryCommand(cli: Cli): void {
  cli.command(
    "query <reference> [where]",
    "List files of a version by their metadata: width > 100 and label = 'cat'",
    (yargs) =>
      yargs
        .positional("reference", {
          type: "string",
          demandOption: true,
          describe: "[REMOTE#]PROJECT/NAME[@LABEL] or id",
        })
        .positional("where", {
          type: "string",
          describe: "Expression (docs/metadata.md); default: all files",
        })
        .option("glob", {
          type: "string",
          array: true,
          requiresArg: true,
          describe: "Only files that this matches, e.g. '*.jpg'",
        })
        .example("$0 query vision/pets \"label = 'cat' and width > 100\"", "their paths")
        .example("$0 query vision/pets 'label is missing' --glob '*.jpg' --json", "with their metadata"),
    (args) =>
      run(args, async ({ workspace, output, json }) => {
        const dataset = await Dataset.get(args.reference, { workspace });
        const found: unknown[] = [];
        for await (const { path, metadata } of dataset.query(args.where, { globs: args.glob }))
          if (json) found.push({ path: jsonOf(path), metadata });
          else output.data(formatPath(path));
        if (json) output.json(found);
      }),
  );
}
