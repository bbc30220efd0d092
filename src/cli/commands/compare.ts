/** Commands that set a version beside others: compare, overridden. */
import { Dataset } from "../../dataset/dataset.js";
import { jsonOf } from "../../paths.js";
import { type Cli, run } from "../context.js";
import { formatCountOf, formatPath } from "../format.js";
import { diffJson, diffText } from "./versions.js";

export function addCompareCommands(cli: Cli): void {
  compare(cli);
  overridden(cli);
}

function compare(cli: Cli): void {
  cli.command(
    "compare <source> <target>",
    "Count what leads from one version to another; either may be a draft",
    (yargs) =>
      yargs
        .positional("source", { type: "string", demandOption: true, describe: "PROJECT/NAME[@LABEL] or id" })
        .positional("target", { type: "string", demandOption: true, describe: "Another version" })
        .option("verbose", { type: "boolean", default: false, describe: "List the paths too, as diff does" })
        .example("$0 compare vision/pets@1.0.0 vision/pets", "added, modified, removed, renamed"),
    (args) =>
      run(args, async ({ workspace, output, json }) => {
        const options = { onlyCompleted: false, workspace };
        const source = await Dataset.get(args.source, options);
        const target = await Dataset.get(args.target, options);
        const diff = diffJson(await source.diff(target));
        const { added, modified, metadata, removed, renamed } = diff;
        const counts = {
          added: added.length,
          modified: modified.length,
          metadata: metadata.length,
          removed: removed.length,
          renamed: renamed.length,
        };
        if (json) output.json(args.verbose ? { counts, ...diff } : { counts });
        else {
          if (args.verbose) output.data(diffText(diff));
          output.data(
            Object.entries(counts)
              .map(([kind, count]) => `${count} ${kind}`)
              .join(", "),
          );
        }
        source.close();
        target.close();
      }),
  );
}

function overridden(cli: Cli): void {
  cli.command(
    "overridden <reference>",
    "List what parents of a merged version changed and it does not hold",
    (yargs) =>
      yargs
        .positional("reference", {
          type: "string",
          demandOption: true,
          describe: "PROJECT/NAME[@LABEL] or id, of a draft too",
        })
        .example("$0 overridden vision/pets", "each lost edit, whose it was, and what it gave way to"),
    (args) =>
      run(args, async ({ workspace, output, json }) => {
        const dataset = await Dataset.get(args.reference, { onlyCompleted: false, workspace });
        const lost = await dataset.overridden();
        if (json) output.json(lost.map((edit) => ({ ...edit, path: jsonOf(edit.path) })));
        else if (lost.length === 0) output.data("Nothing: it holds what its parents changed");
        for (const { path, of, by, both } of json ? [] : lost)
          output.data(`${formatPath(path)}  of ${of}, by ${by}${both ? ", which changed it too" : ""}`);
        dataset.close();
      }),
  );
}

/** What to say of a version of several parents, or of a draft of them; undefined where nothing was lost. */
export function wordsOnOverridden(count: number, reference: string): string | undefined {
  if (count === 0) return undefined;
  return `${formatCountOf(count, "edit")} of its parents overridden: varve overridden ${reference} lists them`;
}
