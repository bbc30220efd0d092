/** Commands that say something of a finished version or a dataset: publish, archive, unarchive, tag, set-description. */
import type { Argv } from "yargs";
import {
  changeTags,
  describeVersion,
  publishVersion,
  setArchived,
  setTags,
  tagsOf,
} from "../../dataset/annotate.js";
import { parseReference, splitReference } from "../../dataset/reference.js";
import { locateVersion } from "../../dataset/remote-reference.js";
import { type Subject, locateSubject, lookAgainAt, nameOfSubject } from "../../dataset/subject.js";
import type { Workspace } from "../../dataset/workspace.js";
import { DatasetError } from "../../errors.js";
import { type Cli, type Context, run } from "../context.js";

export function addAnnotateCommands(cli: Cli): void {
  for (const command of [publish, archive, unarchive, tag, setDescription]) command(cli);
}

function publish(cli: Cli): void {
  cli.command(
    "publish <reference>",
    "Publish a completed version: it can be relied on from then on",
    (yargs) => version(yargs).example("$0 publish vision/cifar10@1.2.0", "that version"),
    (args) =>
      run(args, async (context) => {
        const { workspace, found } = await locateVersion(context.workspace, args.reference, { drafts: true });
        await publishVersion(workspace, found);
        await print(context, workspace, found, "is published");
      }),
  );
}

function archive(cli: Cli): void {
  cli.command(
    "archive <reference>",
    "Leave a version, or a whole dataset, out of lists and of latest",
    (yargs) =>
      subject(yargs)
        .example("$0 archive vision/cifar10@1.1.0", "a version; it can still be read by its label")
        .example("$0 archive vision/cifar10 --dataset", "the dataset"),
    (args) => run(args, (context) => archiveSubject(context, args, true)),
  );
}

function unarchive(cli: Cli): void {
  cli.command(
    "unarchive <reference>",
    "Take an archived version or dataset into lists again",
    (yargs) => subject(yargs).example("$0 unarchive vision/cifar10@1.1.0", "that version"),
    (args) => run(args, (context) => archiveSubject(context, args, false)),
  );
}

async function archiveSubject(
  context: Context,
  { reference, dataset }: { reference: string; dataset: boolean },
  isArchived: boolean,
): Promise<void> {
  if (!dataset) requireVersion(reference, isArchived ? "archive" : "unarchive");
  const { workspace, subject } = await locateSubject(context.workspace, reference, { dataset });
  await setArchived(workspace, subject, isArchived);
  await print(context, workspace, subject, isArchived ? "is archived" : "is in lists again");
}

function tag(cli: Cli): void {
  cli.command(
    "tag <reference>",
    "Add, remove and list tags of a version or a dataset",
    (yargs) =>
      subject(yargs)
        .option("add", { type: "string", array: true, requiresArg: true, describe: "Tag to add" })
        .option("remove", { type: "string", array: true, requiresArg: true, describe: "Tag to remove" })
        .option("set", {
          type: "string",
          array: true,
          requiresArg: true,
          conflicts: ["add", "remove"],
          describe: "Make this (and each further --set) the only tag",
        })
        .option("list", { type: "boolean", default: false, describe: "List the tags, one a line" })
        .example("$0 tag vision/cifar10@1.2.0 --add golden --remove candidate", "of a version")
        .example("$0 tag vision/cifar10 --dataset --add vision", "of the dataset, for all its versions")
        .example("$0 tag vision/cifar10 --list", "the tags of the latest version"),
    (args) =>
      run(args, async (context) => {
        const { reference, dataset, add, remove, set } = args;
        const { workspace, subject } = await locateSubject(context.workspace, reference, { dataset });
        if (set) await setTags(workspace, subject, set);
        else await changeTags(workspace, subject, { add, remove });
        const tags = await tagsOf(workspace, subject);
        if (args.list && !context.json) for (const word of tags) context.output.data(word);
        else await print(context, workspace, subject, `has ${tags.join(", ") || "no tags"}`);
      }),
  );
}

function setDescription(cli: Cli): void {
  cli.command(
    "set-description <reference> <description>",
    "Say what a version is",
    (yargs) =>
      version(yargs)
        .positional("description", { type: "string", demandOption: true, describe: "Any text" })
        .example("$0 set-description vision/cifar10@1.2.0 'Relabelled by hand'", "replaces what it said"),
    (args) =>
      run(args, async (context) => {
        const { workspace, found } = await locateVersion(context.workspace, args.reference, { drafts: true });
        await describeVersion(workspace, found, args.description);
        await print(context, workspace, found, "is described anew");
      }),
  );
}

/** One line for people, what there is to know for programs. */
async function print(
  { output, json }: Context,
  workspace: Workspace,
  about: Subject,
  words: string,
): Promise<void> {
  const subject = await lookAgainAt(workspace, about);
  const name = nameOfSubject(subject);
  if (!json) output.data(`${name} ${words}`);
  else output.json({ ...factsOf(subject), tags: await tagsOf(workspace, subject) });
}

function factsOf({ dataset, version }: Subject) {
  const { id, project, name, archived } = dataset;
  const named = { dataset: `${project}/${name}` };
  if (!version) return { id, ...named, archived: archived === 1 };
  const { label, state, description } = version;
  return { id: version.id, ...named, version: label, state, description, archived: version.archived === 1 };
}

/** What takes something away is not left to what happens to be the latest. @throws {DatasetError} `bad-input` */
function requireVersion(text: string, attempt: string): void {
  const reference = parseReference(splitReference(text).reference);
  if ("id" in reference || reference.label !== undefined) return;
  const message = `Cannot tell what to ${attempt}: ${text}@LABEL names a version, --dataset means the whole dataset`;
  throw new DatasetError("bad-input", { value: text }, message);
}

function version<T>(yargs: Argv<T>) {
  const describe = "[REMOTE#]PROJECT/NAME[@LABEL] or id";
  return yargs.positional("reference", { type: "string", demandOption: true, describe });
}

function subject<T>(yargs: Argv<T>) {
  const describe = "The reference is the name of a dataset, and means all of it";
  return version(yargs).option("dataset", { type: "boolean", default: false, describe });
}
