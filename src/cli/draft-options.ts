/** What commands that fill a draft have in common: which draft, what of a local folder to take, and what was left out. */
import type { Argv } from "yargs";
import { Dataset } from "../dataset/dataset.js";
import type { SyncFolderOptions } from "../dataset/addition.js";
import type { StageCounts } from "../dataset/stage-counts.js";
import type { Workspace } from "../dataset/workspace.js";
import { offlineOption } from "./context.js";
import type { Output } from "./output.js";

export function draftOption<T>(yargs: Argv<T>) {
  return offlineOption(yargs).option("dataset", {
    alias: "id",
    type: "string",
    requiresArg: true,
    describe: "Draft to work on (default: the one you created last)",
  });
}

export async function draftOf(workspace: Workspace, reference: string | undefined): Promise<Dataset> {
  return reference === undefined
    ? Dataset.lastDraft({ workspace })
    : Dataset.get(reference, { onlyCompleted: false, workspace });
}

/** What of a folder to take, and where it goes. */
export function walkOptions<T>(yargs: Argv<T>) {
  return recursiveOption(yargs)
    .option("to", {
      alias: ["dataset-folder", "dataset-path"],
      type: "string",
      requiresArg: true,
      describe: "Folder inside the dataset",
    })
    .option("wildcard", {
      type: "string",
      array: true,
      requiresArg: true,
      describe: "Take only what matches, e.g. '*.jpg' (names) or 'train/*.jpg' (paths)",
    })
    .option("follow-links", {
      type: "boolean",
      default: false,
      describe: "Take what symbolic links lead to (default: keep them as they are)",
    })
    .option("ignore", {
      type: "boolean",
      default: true,
      describe: "Leave out what a .varveignore file names (--no-ignore)",
    });
}

export function recursiveOption<T>(yargs: Argv<T>) {
  return yargs
    .option("recursive", {
      type: "boolean",
      default: true,
      describe: "Folders below too (--no-recursive)",
    })
    .option("non-recursive", { type: "boolean", hidden: true });
}

export function walkOptionsOf(args: {
  to?: string | undefined;
  wildcard?: string[] | undefined;
  recursive: boolean;
  nonRecursive?: boolean | undefined;
  followLinks: boolean;
  ignore: boolean;
}): Pick<SyncFolderOptions, "to" | "wildcards" | "recursive" | "symlinks" | "ignoreFiles"> {
  const { to, wildcard: wildcards, followLinks, ignore: ignoreFiles } = args;
  return {
    to,
    wildcards,
    recursive: isRecursive(args),
    symlinks: followLinks ? "follow" : "keep",
    ignoreFiles,
  };
}

export function isRecursive(args: { recursive: boolean; nonRecursive?: boolean | undefined }): boolean {
  return args.recursive && args.nonRecursive !== true;
}

export function warnOfSkipped(output: Output, { skipped }: StageCounts): void {
  for (const { path, reason } of skipped) output.warn(`Left out "${path}": it is ${reason}`);
}
