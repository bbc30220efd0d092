/** `varve versions`: the versions of a dataset, or all datasets, of the catalog or of a remote. */
import type { Dataset as DatasetRow, VersionRow } from "../../catalog/catalog.js";
import { tellOfHeads } from "../../dataset/heads.js";
import { findDataset, nameOfVersion, refresh } from "../../dataset/history.js";
import { readAll } from "../../dataset/rebuild.js";
import { parseDatasetName, splitReference, textOfDataset } from "../../dataset/reference.js";
import { locateDataset } from "../../dataset/remote-reference.js";
import type { Workspace } from "../../dataset/workspace.js";
import { isRemoteName, isRemotePlace } from "../../remote/name.js";
import { type Cli, type Context, run } from "../context.js";
import { formatBytes, formatCount, formatTime } from "../format.js";
import { renderTable } from "../table.js";

export function addVersionsCommand(cli: Cli): void {
  cli.command(
    "versions [name]",
    "List the versions of a dataset, or all datasets",
    (yargs) =>
      yargs
        .positional("name", { type: "string", describe: "PROJECT/NAME, or a remote" })
        .option("archived", { type: "boolean", default: false, describe: "Archived ones too" })
        .example("$0 versions", "every dataset")
        .example("$0 versions vision/cifar10", "the versions of one, drafts too")
        .example("$0 versions s3://bucket/prefix", "every dataset in that remote, without a catalog")
        .example("$0 versions 's3://bucket/prefix#vision/cifar10'", "the versions of one there"),
    (args) => run(args, (context) => listNamed(context, args.name, args)),
  );
}

interface Shown {
  /** Whether archived ones are shown too. */
  archived: boolean;
}

/** @param name A dataset, one in a remote, a remote, or nothing for all datasets of the catalog. */
async function listNamed(context: Context, name: string | undefined, shown: Shown): Promise<void> {
  const { workspace } = context;
  if (name === undefined) return listDatasets(context, shown);
  if (splitReference(name).place !== undefined)
    return listVersions(context, await locateDataset(workspace, name), shown);
  if (isRemotePlace(name) || (await isNameOfRemote(workspace, name))) {
    const { reader, problems } = await readAll(workspace, name);
    for (const { what, problem } of problems) context.output.warn(`Left out "${what}": ${problem}`);
    return listDatasets({ ...context, workspace: reader }, shown);
  }
  const dataset = await findDataset(workspace, parseDatasetName(name));
  await refresh(workspace, dataset);
  return listVersions(context, { workspace, dataset }, shown);
}

async function isNameOfRemote(workspace: Workspace, text: string): Promise<boolean> {
  return isRemoteName(text) && (await (await workspace.catalog()).remoteByName(text)) !== undefined;
}

async function listVersions(
  { output, json }: Context,
  { workspace, dataset }: { workspace: Workspace; dataset: DatasetRow },
  { archived }: Shown,
): Promise<void> {
  const catalog = await workspace.catalog();
  const rows = (await catalog.listVersions(dataset.id)).filter((row) => archived || row.archived === 0);
  const unmerged = await tellOfHeads(workspace, textOfDataset(dataset), dataset);
  if (json) {
    output.json(
      await Promise.all(
        rows.map(async (row) => ({
          ...versionJson(row, await catalog.parentsOf(row.id)),
          tags: await catalog.versionTags(row.id),
          archived: row.archived === 1,
          unmerged: unmerged.includes(nameOfVersion({ dataset, version: row })),
        })),
      ),
    );
    return;
  }
  const cells = rows.map((row) => [
    row.label,
    row.archived ? `${row.state}, archived` : row.state,
    formatTime(row.createdAtMs),
    formatCount(row.files ?? 0),
    formatBytes(row.bytes ?? 0),
    row.id,
    row.description,
  ]);
  const columns = [
    { title: "version" },
    { title: "state" },
    { title: "created" },
    { title: "files", align: "right" as const },
    { title: "size", align: "right" as const },
    { title: "id" },
    { title: "description", shrinks: true },
  ];
  output.data(renderTable(columns, cells, { widthColumns: output.widthColumns, style: output.style.data }));
}

function versionJson(row: VersionRow, parents: readonly string[]): Record<string, unknown> {
  const { id, label, state, createdAtMs, files, bytes, description, treeDigest, contentDigest } = row;
  return {
    id,
    version: label,
    state,
    parents,
    created: new Date(createdAtMs).toISOString(),
    files,
    bytes,
    description,
    digest: treeDigest,
    contentDigest,
  };
}

async function listDatasets({ workspace, output, json }: Context, { archived }: Shown): Promise<void> {
  const catalog = await workspace.catalog();
  const datasets = await catalog.listDatasets({ archived });
  const rows = await Promise.all(
    datasets.map(async (dataset) => ({
      dataset: textOfDataset(dataset),
      id: dataset.id,
      versions: (await catalog.listVersions(dataset.id)).length,
      latest: (await catalog.latestVersion(dataset.id))?.label ?? null,
    })),
  );
  if (json) {
    output.json(rows);
    return;
  }
  const columns = [{ title: "dataset" }, { title: "latest" }, { title: "versions", align: "right" as const }];
  const cells = rows.map((row) => [row.dataset, row.latest ?? "-", formatCount(row.versions)]);
  output.data(renderTable(columns, cells, { widthColumns: output.widthColumns, style: output.style.data }));
}
