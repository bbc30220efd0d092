/** Commands that look into versions: log, ls, cat, diff. */
import { once } from "node:events";
import { askMount } from "../../daemon/client.js";
import { Dataset } from "../../dataset/dataset.js";
import { type LineageStep, lineageOf } from "../../dataset/lineage.js";
import { locateVersion } from "../../dataset/remote-reference.js";
import type { Entry } from "../../manifest/entry.js";
import type { TreeDiff } from "../../manifest/diff.js";
import { bytesOfText, jsonOf, nameOf } from "../../paths.js";
import { type Cli, type Context, run } from "../context.js";
import { entryCells, entryJson } from "../entry-format.js";
import { formatPath, printable } from "../format.js";
import { renderTable } from "../table.js";
import { addVersionsCommand } from "./list-versions.js";

export function addVersionCommands(cli: Cli): void {
  for (const command of [addVersionsCommand, log, ls, cat, diff]) command(cli);
}

function log(cli: Cli): void {
  cli.command(
    "log <reference>",
    "Show where a version comes from: it and its ancestors, newest first",
    (yargs) =>
      yargs
        .positional("reference", {
          type: "string",
          demandOption: true,
          describe: "[REMOTE#]PROJECT/NAME[@LABEL] or id",
        })
        .example("$0 log vision/cifar10@1.2.0", "that version, its parents, and theirs"),
    (args) =>
      run(args, async ({ workspace, output, json }) => {
        const located = await locateVersion(workspace, args.reference);
        const steps = await lineageOf(located.workspace, located.found);
        if (json) output.json(steps);
        else for (const step of steps) output.data(logText(step));
      }),
  );
}

function logText(step: LineageStep): string {
  const { added, modified, metadata, removed, renamed } = step.changes;
  const counts = Object.entries({ added, modified, metadata, removed, renamed })
    .filter(([, count]) => count > 0)
    .map(([kind, count]) => `${count} ${kind}`);
  const lines = [
    `${step.dataset}@${step.version}  ${step.state}  ${step.id}`,
    `    ${step.created}  ${step.createdBy}  ${counts.join(", ") || "no changes"}`,
    ...(step.parents.length > 0
      ? [`    parents ${step.parents.map((parent) => parent.name ?? parent.id).join(", ")}`]
      : []),
    ...(step.job ? [`    made by job ${printable(step.job.name)} (${printable(step.job.id)})`] : []),
    ...(step.squashedFrom.length > 0
      ? [`    squashed from ${step.squashedFrom.map(({ name }) => name).join(", ")}`]
      : []),
    ...(step.tags.length > 0 ? [`    tags ${step.tags.join(", ")}`] : []),
    ...(step.description ? [`    ${step.description}`] : []),
  ];
  return lines.join("\n");
}

function ls(cli: Cli): void {
  cli.command(
    "ls <reference> [path]",
    "List what a version holds",
    (yargs) =>
      yargs
        .positional("reference", {
          type: "string",
          demandOption: true,
          describe: "[REMOTE#]PROJECT/NAME[@LABEL] or id",
        })
        .positional("path", {
          type: "string",
          default: "",
          describe: "Folder inside the version, or a wildcard",
        })
        .option("recursive", { alias: "R", type: "boolean", default: false, describe: "Folders below too" })
        .option("long", { alias: "l", type: "boolean", default: false, describe: "Mode, size, time" })
        .example("$0 ls vision/cifar10 train", "one folder of the latest version")
        .example("$0 ls -R vision/cifar10 '*.jpg'", "every file of that ending, at any depth")
        .example("$0 ls -lR vision/cifar10@1.2.0", "everything in that version, with modes, sizes and times"),
    (args) =>
      run(args, async ({ workspace, output, json }) => {
        const dataset = await Dataset.get(args.reference, { onlyCompleted: false, workspace });
        const { recursive, long } = args;
        const entries: Entry[] = [];
        for await (const entry of dataset.listFiles(args.path, { recursive })) {
          if (json || long) entries.push(entry);
          else output.data(formatPath(recursive ? entry.path : nameOf(entry.path)));
        }
        if (json) output.json(entries.map(entryJson));
        else if (long) output.data(longListing(entries, recursive));
        dataset.close();
      }),
  );
}

function longListing(entries: readonly Entry[], recursive: boolean): string {
  const columns = [
    { title: "mode" },
    { title: "size", align: "right" as const },
    { title: "modified" },
    { title: "name" },
  ];
  const rows = entries.map((entry) => entryCells(entry, recursive ? entry.path : nameOf(entry.path)));
  return renderTable(columns, rows);
}

function cat(cli: Cli): void {
  cli.command(
    "cat <reference> <path>",
    "Print a file of a version",
    (yargs) =>
      yargs
        .positional("reference", {
          type: "string",
          demandOption: true,
          describe: "[REMOTE#]PROJECT/NAME[@LABEL] or id",
        })
        .positional("path", { type: "string", demandOption: true, describe: "File inside the version" })
        .example("$0 cat vision/cifar10 labels.csv | head", "a file of the latest version"),
    (args) =>
      run(args, async ({ workspace }) => {
        const dataset = await Dataset.get(args.reference, { workspace });
        for await (const bytes of dataset.readFile(args.path))
          if (!process.stdout.write(bytes)) await once(process.stdout, "drain");
      }),
  );
}

function diff(cli: Cli): void {
  cli.command(
    "diff <from> [to]",
    "Show what changed: between two versions, or in a writable mount",
    (yargs) =>
      yargs
        .positional("from", {
          type: "string",
          demandOption: true,
          describe: "A version, or the folder of a mount",
        })
        .positional("to", { type: "string", describe: "Another version" })
        .example("$0 diff vision/cifar10@1.0.0 vision/cifar10@1.1.0", "two versions")
        .example("$0 diff /data", "what unmounting would commit"),
    (args) =>
      run(args, async ({ workspace, output, json }) => {
        const { from, to } = args;
        const result = diffJson(
          to === undefined ? await mountDiff(workspace, from) : await versionDiff(workspace, from, to),
        );
        if (json) output.json(result);
        else output.data(diffText(result));
      }),
  );
}

async function versionDiff(workspace: Context["workspace"], from: string, to: string): Promise<TreeDiff> {
  const [a, b] = await Promise.all([Dataset.get(from, { workspace }), Dataset.get(to, { workspace })]);
  return a.diff(b);
}

/** What the process of a writable mount says has changed in it. */
async function mountDiff({ home }: Context["workspace"], path: string): Promise<TreeDiff> {
  return (await askMount(home, path, { operation: "diff", arguments: {} })) as TreeDiff;
}

type JsonPath = ReturnType<typeof jsonOf>;

export interface DiffJson {
  added: JsonPath[];
  modified: JsonPath[];
  metadata: JsonPath[];
  removed: JsonPath[];
  renamed: { from: JsonPath; to: JsonPath }[];
}

/** A diff for programs. */
export function diffJson({ added, modified, metadata, removed, renamed }: TreeDiff): DiffJson {
  return {
    added: added.map(jsonOf),
    modified: modified.map(jsonOf),
    metadata: metadata.map(jsonOf),
    removed: removed.map(jsonOf),
    renamed: renamed.map(({ from, to }) => ({ from: jsonOf(from), to: jsonOf(to) })),
  };
}

function bytesOfJson(path: JsonPath): string {
  return typeof path === "string" ? bytesOfText(path) : Buffer.from(path.bytes, "base64").toString("latin1");
}

export function diffText({ added, modified, metadata, removed, renamed }: DiffJson): string {
  const show = (path: JsonPath) => formatPath(bytesOfJson(path)) || "."; // the root has no name
  const lines = [
    ...added.map((path) => `A  ${show(path)}`),
    ...modified.map((path) => `M  ${show(path)}`),
    ...metadata.map((path) => `m  ${show(path)}`),
    ...removed.map((path) => `D  ${show(path)}`),
    ...renamed.map(({ from, to }) => `R  ${show(from)} -> ${show(to)}`),
  ];
  return lines.length > 0 ? lines.join("\n") : "No difference";
}
