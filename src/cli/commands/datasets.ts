/** Commands that change what there is: rename, move, delete. */
import { createInterface } from "node:readline/promises";
import { Dataset } from "../../dataset/dataset.js";
import { deleteByReference } from "../../dataset/delete.js";
import type { Deleted } from "../../dataset/delete-version.js";
import { DatasetError } from "../../errors.js";
import { type Cli, type Context, run } from "../context.js";
import { ExitCode } from "../exit-codes.js";
import { formatBytes } from "../format.js";

export function addDatasetCommands(cli: Cli): void {
  for (const command of [rename, move, remove]) command(cli);
}

function rename(cli: Cli): void {
  cli.command(
    "rename <dataset> <name>",
    "Give a dataset another name; its versions and numbers go on under it",
    (yargs) =>
      yargs
        .positional("dataset", { type: "string", demandOption: true, describe: "PROJECT/NAME" })
        .positional("name", { type: "string", demandOption: true, describe: "Its new name, without project" })
        .example("$0 rename vision/cifar10 cifar", "vision/cifar, everywhere"),
    (args) =>
      run(args, async (context) =>
        printRenamed(context, args.dataset, await Dataset.rename(args.dataset, args.name, context)),
      ),
  );
}

function move(cli: Cli): void {
  cli.command(
    "move <dataset> <project>",
    "Move a dataset to another project; its versions and numbers go on there",
    (yargs) =>
      yargs
        .positional("dataset", { type: "string", demandOption: true, describe: "PROJECT/NAME" })
        .positional("project", { type: "string", demandOption: true, describe: "Its new project" })
        .example("$0 move vision/cifar10 archive/2024", "archive/2024/cifar10, everywhere"),
    (args) =>
      run(args, async (context) =>
        printRenamed(context, args.dataset, await Dataset.moveToProject(args.dataset, args.project, context)),
      ),
  );
}

function printRenamed({ output, json }: Context, former: string, dataset: string): void {
  if (json) output.json({ dataset, former });
  else output.data(`${former} is ${dataset}`);
}

function remove(cli: Cli): void {
  cli.command(
    "delete <reference>",
    "Delete a version, a draft or a whole dataset; children lose nothing",
    (yargs) =>
      yargs
        .positional("reference", {
          type: "string",
          demandOption: true,
          describe: "PROJECT/NAME[@LABEL] or id",
        })
        .option("entire-dataset", {
          type: "boolean",
          default: false,
          describe: "All its versions; needs --force",
        })
        .option("force", {
          type: "boolean",
          default: false,
          describe: "Also what is published, mounted or has children",
        })
        .option("delete-external-files", {
          type: "boolean",
          default: false,
          describe: "Also the sources of links that no other version has",
        })
        .option("dry-run", { type: "boolean", default: false, describe: "Only say what would go" })
        .option("yes", { alias: "y", type: "boolean", default: false, describe: "Do not ask on a terminal" })
        .example("$0 delete vision/cifar10@1.1.0", "that version, or draft")
        .example("$0 delete vision/cifar10 --entire-dataset --force", "all of it"),
    (args) =>
      run(args, async (context) => {
        const { reference, entireDataset, force, deleteExternalFiles, dryRun } = args;
        const options = { entireDataset, force, deleteExternalFiles, workspace: context.workspace };
        if (!dryRun && !args.yes && process.stdin.isTTY)
          await ask(await deleteByReference(reference, { ...options, dryRun: true }));
        printDeleted(context, await deleteByReference(reference, { ...options, dryRun }), dryRun);
      }),
  );
}

/** @throws {DatasetError} `cancelled` unless the answer is yes */
async function ask({ versions, externalFiles }: Deleted): Promise<void> {
  const what = versions.map(({ dataset, version }) => `${dataset}@${version}`).join(", ");
  const files = externalFiles.length > 0 ? ` and ${externalFiles.length} external files` : "";
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await lines.question(`Delete ${what}${files}? [y/N] `).finally(() => lines.close());
  if (/^y(es)?$/i.test(answer.trim())) return;
  throw new DatasetError("cancelled", { what: "delete" }, "Nothing was deleted");
}

function printDeleted({ output, json }: Context, deleted: Deleted, dryRun: boolean): void {
  const { versions, externalFiles } = deleted;
  if (json) output.json({ ...deleted, dryRun });
  else {
    const verb = dryRun ? "would be deleted" : "is deleted";
    for (const { dataset, version, bytes } of versions)
      output.data(`${dataset}@${version} ${verb}${bytes === null ? "" : `; it named ${formatBytes(bytes)}`}`);
    for (const { url, state, problem } of externalFiles) output.data(`${url} ${state} ${problem}`.trimEnd());
  }
  if (externalFiles.some(({ state }) => state === "failed")) process.exitCode = ExitCode.failed;
}
