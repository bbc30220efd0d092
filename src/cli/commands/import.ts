/** `varve import`: what was made offline, brought into the catalog and its remote. */
import { Dataset } from "../../dataset/dataset.js";
import type { ImportedBundleVersion } from "../../dataset/import-bundle.js";
import { type Cli, run } from "../context.js";
import { uploadOptions, uploadOptionsOf, uploadProgress } from "../upload-options.js";
import { commitLine } from "./drafts.js";

export function addImportCommand(cli: Cli): void {
  cli.command(
    "import <bundle>",
    "Bring in a bundle that was made offline: each of its versions, once",
    (yargs) =>
      uploadOptions(yargs)
        .positional("bundle", { type: "string", demandOption: true, describe: "Its zip, or its folder" })
        .option("remote", { type: "string", requiresArg: true, describe: "Where data goes [VARVE_REMOTE]" })
        .option("upload", { type: "boolean", default: true, describe: "Send its content (always so)" })
        .option("finalize", {
          type: "boolean",
          default: true,
          describe: "Complete the versions (--no-finalize: the last stays a draft)",
        })
        .example("$0 import 4f0c.zip", "the versions in it, under free labels where none was asked for")
        .example("$0 import 4f0c.zip --remote s3://bucket/prefix", "their data goes to that bucket"),
    (args) =>
      run(args, async ({ workspace, output, json, signal }) => {
        const progress = uploadProgress("Importing");
        const { remote, upload, finalize } = args;
        const { onProgress } = progress;
        const options = { ...uploadOptionsOf(args), remote, upload, finalize, signal, onProgress };
        const imported = await Dataset.importOfflineSession(args.bundle, { ...options, workspace }).finally(
          progress.stop,
        );
        if (json) output.json(imported);
        else for (const version of imported) output.data(lineOf(version));
      }),
  );
}

function lineOf({ id, reference, was, outcome, committed }: ImportedBundleVersion): string {
  const before = was === reference ? "" : ` (${was} in the bundle)`;
  if (committed) return `${commitLine(committed)}${before}  ${id}`;
  const what = outcome === "draft" ? "a draft; varve finalize completes it" : "imported before";
  return `${reference}  ${what}${before}  ${id}`;
}
