/** Commands that make versions from files: create, add, remove, upload, finalize, sync. */
import type { Argv } from "yargs";
import { Dataset } from "../../dataset/dataset.js";
import type { CommitResult } from "../../dataset/commit.js";
import type { StageCounts } from "../../dataset/stage-counts.js";
import { syncVersion } from "../../dataset/sync.js";
import { DatasetError } from "../../errors.js";
import { type Cli, type Context, run } from "../context.js";
import { formatBytes, formatCountOf } from "../format.js";
import { uploadOptions, uploadOptionsOf, uploadProgress, workersOption } from "../upload-options.js";

export function addDraftCommands(cli: Cli): void {
  for (const command of [create, add, remove, upload, finalize, sync]) command(cli);
}

function create(cli: Cli): void {
  cli.command(
    "create <name>",
    "Start a new version of a dataset (a draft)",
    (yargs) =>
      newVersionOptions(yargs)
        .positional("name", { type: "string", demandOption: true, describe: "PROJECT/NAME" })
        .example("$0 create vision/cifar10", "a new dataset, or its next version, empty")
        .example("$0 create vision/cifar10 --parent vision/cifar10", "a child of the latest version"),
    (args) =>
      run(args, async (context) => {
        const { workspace } = context;
        printDraft(context, await Dataset.create(args.name, { ...versionOptionsOf(args), workspace }));
      }),
  );
}

function add(cli: Cli): void {
  cli.command(
    "add <paths..>",
    "Stage files or folders into a draft, or links to external ones",
    (yargs) =>
      workersOption(draftOption(yargs))
        .positional("paths", {
          type: "string",
          array: true,
          demandOption: true,
          describe: "Files or folders; with --link URLs of them",
        })
        .option("to", { type: "string", describe: "Folder inside the dataset" })
        .option("wildcard", {
          type: "string",
          array: true,
          requiresArg: true,
          describe: "Take only what matches, e.g. '*.jpg' (names) or 'train/*.jpg' (paths)",
        })
        .option("recursive", {
          type: "boolean",
          default: true,
          describe: "Walk folders below (--no-recursive)",
        })
        .option("link", {
          type: "boolean",
          describe: "Leave the bytes where they are, and read them from there",
        })
        .option("unpinned", {
          type: "boolean",
          describe: "With --link: take sources too of which a change would go unseen",
        })
        .option("hash", {
          type: "boolean",
          describe: "With --link: read all bytes once, and keep their SHA-256",
        })
        .implies({ unpinned: "link", hash: "link" })
        .example("$0 add images --to train", "the contents of images, below train/")
        .example("$0 add . --wildcard '*.jpg' --wildcard '*.png'", "only pictures")
        .example("$0 add --link s3://bucket/images/ --to train", "what lies in a bucket, without a copy"),
    (args) =>
      run(args, async ({ workspace, output, json, signal }) => {
        if (!args.link && args.paths.some((path) => URL_LIKE.test(path))) throw needsLink();
        const draft = await draftOf(workspace, args.dataset);
        const { paths, to, wildcard: wildcards, recursive, unpinned, hash } = args;
        const options = { to, wildcards, recursive, signal };
        const counts = await (args.link
          ? draft.addExternalFiles(paths, { ...options, unpinned, hash })
          : draft.addFiles(paths, options));
        if (json) output.json({ id: draft.id, ...counts });
        else output.data(`${formatCountOf(counts.added, "file")} added, ${counts.modified} modified`);
        warnOfSkipped(output, counts);
        draft.close();
      }),
  );
}

const URL_LIKE = /^[a-z][a-z0-9+.-]*:\/\//i;

/** The URL is not repeated: it may hold credentials. */
function needsLink(): DatasetError<"bad-input"> {
  const message = "Cannot add a URL as a file: --link puts it into the version without a copy";
  return new DatasetError("bad-input", { value: "URL" }, message);
}

function remove(cli: Cli): void {
  cli.command(
    "remove <patterns..>",
    "Stage the removal of files, folders or what a wildcard matches",
    (yargs) =>
      draftOption(yargs)
        .positional("patterns", {
          type: "string",
          array: true,
          demandOption: true,
          describe: "Paths or wildcards; with --link URLs",
        })
        .option("link", {
          type: "boolean",
          default: false,
          describe: "Remove the links that lead to these URLs, or below those that end with /",
        })
        .example("$0 remove train/broken.jpg old", "a file, and a folder with all in it")
        .example("$0 remove '*.tmp'", "every file of that ending, at any depth")
        .example("$0 remove --link s3://bucket/images/", "every link to what lies there"),
    (args) =>
      run(args, async ({ workspace, output, json }) => {
        const draft = await draftOf(workspace, args.dataset);
        const { patterns, link } = args;
        const removed = await (link ? draft.removeExternalFiles(patterns) : draft.removeFiles(patterns));
        if (json) output.json({ id: draft.id, removed });
        else output.data(`${formatCountOf(removed, link ? "link" : "file")} removed`);
        draft.close();
      }),
  );
}

function upload(cli: Cli): void {
  cli.command(
    "upload",
    "Send the staged content of a draft",
    (yargs) =>
      uploadOptions(draftOption(yargs))
        .example("$0 upload", "the draft you created last")
        .example("$0 upload --dataset vision/cifar10@1.3.0 --max-workers 4", "that draft, with four threads"),
    (args) =>
      run(args, async ({ workspace, output, json, signal }) => {
        const draft = await draftOf(workspace, args.dataset);
        const progress = uploadProgress();
        const { onProgress } = progress;
        const result = await draft
          .upload({ ...uploadOptionsOf(args), signal, onProgress })
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
      uploadOptions(draftOption(yargs))
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
        const { publish, upload: autoUpload } = args;
        const { onProgress } = progress;
        const { signal } = context;
        const result = await draft
          .finalize({ ...uploadOptionsOf(args), publish, autoUpload, signal, onProgress })
          .finally(progress.stop);
        printCommit(context, result);
      }),
  );
}

function sync(cli: Cli): void {
  cli.command(
    "sync <folder> <name>",
    "Make a new version that holds what a folder holds",
    (yargs) =>
      uploadOptions(newVersionOptions(yargs))
        .positional("folder", { type: "string", demandOption: true, describe: "Local folder" })
        .positional("name", { type: "string", demandOption: true, describe: "PROJECT/NAME" })
        .option("to", { type: "string", describe: "Folder inside the dataset" })
        .option("metadata", {
          type: "boolean",
          default: false,
          describe: "Changed times or modes alone make a version",
        })
        .option("publish", { type: "boolean", default: false, describe: "Publish it too" })
        .example("$0 sync ./data vision/cifar10", "its parent is the latest version; no change, no version"),
    (args) =>
      run(args, async (context) => {
        const { workspace, output, json, signal } = context;
        const progress = uploadProgress();
        const { to, metadata, publish } = args;
        const { onProgress } = progress;
        const options = {
          ...versionOptionsOf(args),
          ...uploadOptionsOf(args),
          to,
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
export function printDraft({ output, json }: Context, draft: Dataset): void {
  const { id, version } = draft;
  if (json) output.json({ id, dataset: `${draft.project}/${draft.name}`, version });
  else output.data(`${id}  ${draft.reference}`);
  draft.close();
}

/** One line for people, everything for programs. */
export function printCommit({ output, json }: Context, result: CommitResult): void {
  if (json) output.json(result);
  else output.data(commitLine(result));
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

async function draftOf(workspace: Context["workspace"], reference: string | undefined): Promise<Dataset> {
  return reference === undefined
    ? Dataset.lastDraft({ workspace })
    : Dataset.get(reference, { onlyCompleted: false, workspace });
}

function warnOfSkipped(output: Context["output"], { skipped }: StageCounts): void {
  for (const { path, reason } of skipped) output.warn(`Left out "${path}": it is ${reason}`);
}

interface NewVersionArguments {
  "version-label"?: string;
  parent?: string[] | undefined;
  remote?: string | undefined;
  tag?: string[] | undefined;
  description?: string | undefined;
  label?: string | undefined;
  inheritMetadata?: boolean | undefined;
}

function newVersionOptions<T>(yargs: Argv<T>) {
  return yargs
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
    .option("remote", { type: "string", requiresArg: true, describe: "Where data goes [VARVE_REMOTE]" })
    .option("tag", { type: "string", array: true, requiresArg: true, describe: "Tag of the version" })
    .option("description", { type: "string", requiresArg: true, describe: "What this version is" })
    .option("inherit-metadata", { type: "boolean", describe: "Take over the metadata of the parents" });
}

function versionOptionsOf(args: NewVersionArguments & { version?: string | undefined }) {
  const { version, parent: parents, remote, tag: tags, description, inheritMetadata } = args;
  return { version, parents, remote, tags, description, inheritMetadata };
}

function draftOption<T>(yargs: Argv<T>) {
  return yargs.option("dataset", {
    type: "string",
    requiresArg: true,
    describe: "Draft to work on (default: the one you created last)",
  });
}
