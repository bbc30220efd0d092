/** `varve list` and `varve search`: datasets, and versions across them, by what they are called and their tags. */
import type { Argv } from "yargs";
import { Dataset } from "../../dataset/dataset.js";
import type { ListOfVersionsOptions, ListedDataset, ListedVersion } from "../../dataset/list-datasets.js";
import { DatasetError } from "../../errors.js";
import { type Cli, type Context, run } from "../context.js";
import { formatBytes, formatCount, formatTime, printable } from "../format.js";
import { type Column, renderTable } from "../table.js";

export function addSearchCommands(cli: Cli): void {
  for (const command of [list, search]) command(cli);
}

function list(cli: Cli): void {
  cli.command(
    "list",
    "List datasets: the latest version of each, and how many there are",
    (yargs) =>
      filterOptions(yargs)
        .example("$0 list", "every dataset of the catalog")
        .example(
          "$0 list --project vision --tag clean",
          "those with a version, or of a kind, that is tagged",
        ),
    (args) =>
      run(args, async ({ workspace, output, json }) => {
        const datasets = await Dataset.listDatasets({ ...filterOf(args), workspace });
        if (json) output.json(datasets);
        else printTable(output, DATASET_COLUMNS, datasets.map(datasetCells));
      }),
  );
}

function search(cli: Cli): void {
  cli.command(
    "search",
    "Search versions by project, name, label, tags or ids",
    (yargs) =>
      filterOptions(yargs)
        .option("id", {
          alias: "ids",
          type: "string",
          array: true,
          requiresArg: true,
          describe: "Version of this id (several: one option each)",
        })
        .option("version", { type: "string", requiresArg: true, describe: "Label; 2.0 finds 2.0.0" })
        .example("$0 search --name '^cifar' --tag clean", "finished versions so named and tagged")
        .example("$0 search --project vision --drafts", "every version below a project, drafts too"),
    (args) =>
      run(args, async ({ workspace, output, json }) => {
        const { id: ids, version } = args;
        const versions = await Dataset.listVersions({ ...filterOf(args), ids, version, workspace });
        if (json) output.json(versions);
        else printTable(output, VERSION_COLUMNS, versions.map(versionCells));
      }),
  );
}

function filterOptions<T>(yargs: Argv<T>) {
  return yargs
    .option("project", { type: "string", requiresArg: true, describe: "In this project and those below it" })
    .option("recursive", {
      type: "boolean",
      default: true,
      describe: "Projects below too (--no-recursive)",
    })
    .option("non-recursive-project-search", { type: "boolean", default: false, hidden: true })
    .option("name", {
      type: "string",
      requiresArg: true,
      describe: "Regular expression that is found in the name",
    })
    .option("tag", {
      alias: "tags",
      type: "string",
      array: true,
      requiresArg: true,
      describe: "Tag of the version or its dataset; --tag=-NAME: without it",
    })
    .option("drafts", {
      alias: "not-only-completed",
      type: "boolean",
      default: false,
      describe: "Drafts too",
    })
    .option("published", { type: "boolean", default: false, describe: "Only what is published" })
    .option("archived", { type: "boolean", default: false, describe: "Archived ones too" })
    .option("limit", { type: "number", requiresArg: true, coerce: count, describe: "Most lines" })
    .option("offset", {
      type: "number",
      requiresArg: true,
      coerce: count,
      describe: "Lines to leave out at the start",
    });
}

interface FilterArguments {
  project?: string | undefined;
  recursive: boolean;
  nonRecursiveProjectSearch: boolean;
  name?: string | undefined;
  tag?: string[] | undefined;
  drafts: boolean;
  published: boolean;
  archived: boolean;
  limit?: number | undefined;
  offset?: number | undefined;
}

function filterOf(args: FilterArguments): ListOfVersionsOptions {
  const {
    project,
    recursive,
    nonRecursiveProjectSearch,
    name,
    tag,
    drafts,
    published,
    archived,
    limit,
    offset,
  } = args;
  return {
    project,
    recursiveProjectSearch: recursive && !nonRecursiveProjectSearch,
    partialName: name,
    tags: tag,
    onlyCompleted: !drafts,
    onlyPublished: published,
    includeArchived: archived,
    limit,
    offset,
  };
}

const DATASET_COLUMNS: readonly Column[] = [
  { title: "dataset" },
  { title: "latest" },
  { title: "versions", align: "right" },
  { title: "files", align: "right" },
  { title: "size", align: "right" },
  { title: "updated" },
  { title: "tags", shrinks: true },
];

function datasetCells({ project, name, latest, versions, updated, tags }: ListedDataset): string[] {
  return [
    printable(`${project}/${name}`),
    latest?.version ?? "-",
    formatCount(versions),
    formatCount(latest?.files ?? 0),
    formatBytes(latest?.bytes ?? 0),
    formatTime(Date.parse(updated)),
    printable(tags.join(", ")),
  ];
}

const VERSION_COLUMNS: readonly Column[] = [
  { title: "version" },
  { title: "state" },
  { title: "created" },
  { title: "files", align: "right" },
  { title: "size", align: "right" },
  { title: "id" },
  { title: "tags", shrinks: true },
];

function versionCells({ project, name, version, state, created, files, bytes, id, tags }: ListedVersion) {
  return [
    printable(`${project}/${name}@${version}`),
    state,
    formatTime(Date.parse(created)),
    formatCount(files ?? 0),
    formatBytes(bytes ?? 0),
    id,
    printable(tags.join(", ")),
  ];
}

function printTable(output: Context["output"], columns: readonly Column[], rows: string[][]): void {
  if (rows.length === 0) output.say("Nothing found");
  else
    output.data(renderTable(columns, rows, { widthColumns: output.widthColumns, style: output.style.data }));
}

/** @throws {DatasetError} `bad-input` */
function count(value: number | undefined): number | undefined {
  if (value === undefined || (Number.isInteger(value) && value >= 0)) return value;
  const message = "Cannot take --limit or --offset: each is a whole number of at least 0";
  throw new DatasetError("bad-input", { value: String(value) }, message);
}
