/** Commands that make versions from files: create, upload, finalize, sync; `add.ts` and `remove.ts` have what fills a draft. */
import type { Argv } from "yargs";
import { Dataset } from "../../dataset/dataset.js";
import type { CommitResult } from "../../dataset/commit.js";
import type { MergeMode } from "../../dataset/layers.js";
import { syncVersion } from "../../dataset/sync.js";
import { draftOf, draftOption, walkOptions, walkOptionsOf, warnOfSkipped } from "../draft-options.js";
import { type Cli, type Context, offlineOption, run } from "../context.js";
import { formatBytes, formatCountOf } from "../format.js";
import { addAddCommand } from "./add.js";
import { addRemoveCommand } from "./remove.js";
import { wordsOnOverridden } from "./compare.js";
import { remoteOption, uploadOptions, uploadOptionsOf, uploadProgress } from "../upload-options.js";

export function addDraftCommands(cli: Cli): void {
  for (const command of [create, addAddCommand, addRemoveCommand, upload, finalize, sync]) command(cli);
}

function create(cli: Cli): void {
  cli.command(
    "create <name>",
    "Start a new version of a dataset (a draft)",
    (yargs) =>
      newVersionOptions(yargs)
        .positional("name", { type: "string", demandOption: true, describe: "PROJECT/NAME" })
        .option("where", {
          type: "string",
          requiresArg: true,
          describe: "Only files of the parent of which this holds, e.g. \"label = 'cat'\"",
        })
        .option("glob", {
          type: "string",
          array: true,
          requiresArg: true,
          describe: "Only files of the parent that this matches, e.g. '*.jpg'",
        })
        .example("$0 create vision/cifar10", "a new dataset, or its next version, empty")
        .example("$0 create vision/cifar10 --parent vision/cifar10", "a child of the latest version"),
    (args) =>
      run(args, async (context) => {
        const { workspace } = context;
        const { where, glob: globs } = args;
        const options = { ...versionOptionsOf(args), where, globs, workspace };
        await printDraft(context, await Dataset.create(args.name, options));
      }),
  );
}

function upload(cli: Cli): void {
  cli.command(
    "upload",
    "Send the staged content of a draft",
    (yargs) =>
      remoteOption(uploadOptions(draftOption(yargs)))
        .example("$0 upload", "the draft you created last")
        .example("$0 upload --dataset vision/cifar10@1.3.0 --max-workers 4", "that draft, with four threads"),
    (args) =>
      run(args, async ({ workspace, output, json, signal }) => {
        const draft = await draftOf(workspace, args.dataset);
        const progress = uploadProgress();
        const { onProgress } = progress;
        const result = await draft
          .upload({ ...uploadOptionsOf(args), remote: args.remote, signal, onProgress })
          .finally(progress.stop);
        if (json) output.json({ id: draft.id, ...result });
        else
          output.data(
            `${formatCountOf(result.files, "file")} uploaded, ${formatBytes(result.contentBytesSent)} sent`,
          );
        draft.close();
      }),
  );
}

function finalize(cli: Cli): void {
  cli.command(
    ["finalize", "close"],
    "Complete a draft: from then on it never changes",
    (yargs) =>
      remoteOption(uploadOptions(draftOption(yargs)))
        .option("publish", { type: "boolean", default: false, describe: "Publish it too" })
        .option("upload", {
          type: "boolean",
          default: true,
          describe: "Upload what is left first (--no-upload)",
        })
        .example("$0 finalize", "the draft you created last")
        .example("$0 finalize --dataset vision/cifar10@1.3.0 --publish", "that draft, and publish it"),
    (args) =>
      run(args, async (context) => {
        const draft = await draftOf(context.workspace, args.dataset);
        const progress = uploadProgress();
        const { publish, upload: autoUpload, remote } = args;
        const { onProgress } = progress;
        const { signal } = context;
        const result = await draft
          .finalize({ ...uploadOptionsOf(args), remote, publish, autoUpload, signal, onProgress })
          .finally(progress.stop);
        printCommit(context, result);
      }),
  );
}

function sync(cli: Cli): void {
  cli.command(
    "sync <folder> [name]",
    "Make a new version that holds what a folder holds",
    (yargs) =>
      walkOptions(uploadOptions(newVersionOptions(yargs)))
        .positional("folder", { type: "string", demandOption: true, describe: "Local folder" })
        .positional("name", {
          type: "string",
          describe: "PROJECT/NAME; may be left out for a folder that varve get made",
        })
        .option("metadata", {
          type: "boolean",
          default: false,
          describe: "Changed times or modes alone make a version",
        })
        .option("publish", { type: "boolean", default: false, describe: "Publish it too" })
        .example("$0 sync ./cifar10", "a folder that varve get made: a child of the version it is a copy of")
        .example("$0 sync ./data vision/cifar10", "its parent is the latest version; no change, no version"),
    (args) =>
      run(args, async (context) => {
        const { workspace, output, json, signal } = context;
        const progress = uploadProgress();
        const { metadata, publish } = args;
        const { onProgress } = progress;
        const options = {
          ...versionOptionsOf(args),
          ...uploadOptionsOf(args),
          ...walkOptionsOf(args),
          metadata,
          publish,
          signal,
          onProgress,
          workspace,
        };
        const { committed, equal, staged } = await syncVersion(args.folder, args.name, options).finally(
          progress.stop,
        );
        warnOfSkipped(output, staged);
        if (committed) printCommit(context, committed);
        else if (json) output.json({ committed: null, ...(equal !== undefined && { equal }) });
        else if (equal !== undefined) output.data(`Nothing changed since ${equal}`);
        else output.data(`No change: ${formatCountOf(staged.files, "file")} as in the latest version`);
      }),
  );
}

/** A draft that was just made; it is closed. */
export async function printDraft({ output, json }: Context, draft: Dataset): Promise<void> {
  const { id, version, bundleFolder: bundle } = draft;
  const dataset = `${draft.project}/${draft.name}`;
  if (json) output.json({ id, dataset, version, ...(bundle !== undefined && { bundle }) });
  else output.data([id, draft.reference, ...(bundle === undefined ? [] : [bundle])].join("  "));
  const lost = wordsOnOverridden((await draft.overridden()).length, draft.reference);
  if (lost !== undefined) output.say(lost);
  draft.close();
}

/** One line for people, everything for programs. */
export function printCommit({ output, json }: Context, result: CommitResult): void {
  if (json) output.json(result);
  else output.data(commitLine(result));
  if (!json && result.bundle) output.data(`${result.id}  ${result.bundle.zip}  ${result.bundle.folder}`);
  const lost = wordsOnOverridden(result.overridden ?? 0, `${result.dataset}@${result.version}`);
  if (lost !== undefined) output.say(lost);
}

export function commitLine(result: CommitResult): string {
  const { added, modified, metadata, removed, renamed } = result;
  const changes = Object.entries({ added, modified, metadata, removed, renamed })
    .filter(([, count]) => count > 0)
    .map(([kind, count]) => `${count} ${kind}`);
  const size = `${formatCountOf(result.files, "file")}, ${formatBytes(result.bytes)}`;
  const sent = `${formatBytes(result.bytesSent)} sent`;
  return `${result.dataset}@${result.version}  ${[changes.join(", ") || "no changes", size, sent].join("; ")}`;
}

interface NewVersionArguments {
  "version-label"?: string;
  parent?: string[] | undefined;
  merge?: MergeMode | undefined;
  remote?: string | undefined;
  tag?: string[] | undefined;
  description?: string | undefined;
  label?: string | undefined;
  inheritMetadata?: boolean | undefined;
}

function newVersionOptions<T>(yargs: Argv<T>) {
  return offlineOption(yargs)
    .option("version", {
      type: "string",
      requiresArg: true,
      describe: "Label, such as 1.2.0 (default: the next)",
    })
    .option("parent", {
      type: "string",
      array: true,
      requiresArg: true,
      describe: "Parent version; of several the later wins where two have a path",
    })
    .option("merge", {
      choices: ["ordered", "three-way"] as const,
      requiresArg: true,
      describe: "Of several parents: the later over the earlier (ordered, the default), or what each changed",
    })
    .option("remote", { type: "string", requiresArg: true, describe: "Where data goes [VARVE_REMOTE]" })
    .option("tag", { type: "string", array: true, requiresArg: true, describe: "Tag of the version" })
    .option("description", { type: "string", requiresArg: true, describe: "What this version is" })
    .option("inherit-metadata", { type: "boolean", describe: "Take over the metadata of the parents" });
}

function versionOptionsOf(args: NewVersionArguments & { version?: string | undefined }) {
  const { version, parent: parents, merge, remote, tag: tags, description, inheritMetadata } = args;
  return { version, parents, merge, remote, tags, description, inheritMetadata };
}
