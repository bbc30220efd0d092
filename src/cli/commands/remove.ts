/** `varve remove`: files and links out of a draft. */
import { DatasetError } from "../../errors.js";
import { jsonOf } from "../../paths.js";
import { type Cli, run } from "../context.js";
import { draftOf, draftOption, isRecursive, recursiveOption } from "../draft-options.js";
import { formatCountOf, formatPath } from "../format.js";

export function addRemoveCommand(cli: Cli): void {
  cli.command(
    "remove [patterns..]",
    "Stage the removal of files, folders, links, or what a wildcard matches",
    (yargs) =>
      recursiveOption(draftOption(yargs))
        .positional("patterns", {
          type: "string",
          array: true,
          describe: "Paths, wildcards, or URLs of links (those below, if they end with /)",
        })
        .option("dry-run", {
          type: "boolean",
          default: false,
          describe: "List what would go, and remove nothing",
        })
        .option("link", {
          type: "boolean",
          default: false,
          describe: "What is named are URLs, or local paths that links lead to",
        })
        .option("files", { type: "string", array: true, requiresArg: true, hidden: true })
        .example("$0 remove train/broken.jpg old", "a file, and a folder with all in it")
        .example(
          "$0 remove '*.tmp' --dry-run",
          "every file of that ending, at any depth: which would that be?",
        )
        .example("$0 remove s3://bucket/images/", "every link to what lies there"),
    (args) =>
      run(args, async ({ workspace, output, json }) => {
        const patterns = [...(args.patterns ?? []), ...(args.files ?? [])];
        if (patterns.length === 0) throw namesNothing();
        const draft = await draftOf(workspace, args.dataset);
        const { link, dryRun } = args;
        const options = { recursive: isRecursive(args) };
        if (dryRun) {
          const paths: string[] = [];
          for await (const { path } of link
            ? draft.selectExternalFiles(patterns)
            : draft.selectFiles(patterns, options))
            paths.push(path);
          if (json) output.json({ id: draft.id, wouldRemove: paths.map(jsonOf) });
          else output.data(paths.map(formatPath).join("\n"));
          output.say(`${formatCountOf(paths.length, link ? "link" : "file")} would be removed`);
        } else {
          const removed = await (link
            ? draft.removeExternalFiles(patterns)
            : draft.removeFiles(patterns, options));
          if (json) output.json({ id: draft.id, removed });
          else
            output.data(
              `${formatCountOf(removed, link ? "link" : "file")} removed; ${draft.reference}  ${draft.id}`,
            );
        }
        draft.close();
      }),
  );
}

function namesNothing(): DatasetError<"bad-input"> {
  const message = `Cannot remove: name files, folders, wildcards or URLs; '*' removes everything`;
  return new DatasetError("bad-input", { value: "" }, message);
}
