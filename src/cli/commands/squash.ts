/** `varve squash`: one version without parents of what several hold. */
import { Dataset } from "../../dataset/dataset.js";
import { squashVersions, squashedName } from "../../dataset/squash.js";
import { type Cli, run } from "../context.js";
import { uploadOptions, uploadOptionsOf, uploadProgress } from "../upload-options.js";
import { printCommit, printDraft } from "./drafts.js";

export function addSquashCommand(cli: Cli): void {
  cli.command(
    "squash <name> <references..>",
    "Make one version without parents of what several hold, the later over the earlier",
    (yargs) =>
      uploadOptions(yargs)
        .positional("name", {
          type: "string",
          demandOption: true,
          describe: "PROJECT/NAME it goes to; NAME alone: in the project of the first",
        })
        .positional("references", {
          type: "string",
          array: true,
          demandOption: true,
          describe: "[REMOTE#]PROJECT/NAME[@LABEL] or id, in order",
        })
        .option("version", { type: "string", requiresArg: true, describe: "Label (default: the next)" })
        .option("remote", {
          type: "string",
          requiresArg: true,
          describe: "Where it goes (default: where the first lies; elsewhere all content is copied)",
        })
        .option("tag", { type: "string", array: true, requiresArg: true, describe: "Tag of the version" })
        .option("description", { type: "string", requiresArg: true, describe: "What this version is" })
        .option("merge", {
          choices: ["ordered", "three-way"] as const,
          requiresArg: true,
          describe: "The later over the earlier (ordered, the default), or what each changed",
        })
        .option("publish", { type: "boolean", default: false, describe: "Publish it too" })
        .option("finalize", {
          type: "boolean",
          default: true,
          describe: "Complete it (--no-finalize: a draft)",
        })
        .example("$0 squash vision/pets vision/pets@1.0.0 vision/pets@1.0.7", "needs neither any more")
        .example("$0 squash vision/all vision/cats vision/dogs", "the latest of two datasets in one")
        .example("$0 squash vision/pets vision/pets --remote s3://archive/pets", "a copy in another place"),
    (args) =>
      run(args, async (context) => {
        const { workspace, signal } = context;
        const { name, references, version, merge, remote, tag: tags, description, publish } = args;
        const options = {
          references,
          version,
          merge,
          remote,
          tags,
          description,
          publish,
          ...uploadOptionsOf(args),
        };
        if (!args.finalize) {
          await printDraft(context, await Dataset.squash(name, { ...options, workspace, finalize: false }));
          return;
        }
        const named = await squashedName(workspace, name, options);
        const { onProgress, stop } = uploadProgress("Copying");
        const committing = squashVersions(workspace, named, {
          ...options,
          signal,
          onProgress,
        });
        printCommit(context, await committing.finally(stop));
      }),
  );
}
