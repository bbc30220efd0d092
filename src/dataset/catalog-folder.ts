/** What the catalog holds at a path: projects and datasets below it, and the versions of a dataset. */
import type { Catalog, Dataset as DatasetRow, VersionRow } from "../catalog/catalog.js";
import type { CatalogFolder, CatalogVersion } from "../fs/questions.js";
import { isDatasetError } from "../errors.js";
import { bytesOfText, textOf } from "../paths.js";
import { nameOfVersion } from "./history.js";
import { expectedTree, rootBlockOf } from "./version-tree.js";
import type { Workspace } from "./workspace.js";

/**
 * Costs a few queries and no manifest. A path that is nothing holds nothing.
 *
 * @param path A byte string; the empty one is above all projects.
 * @param onDataset Told of the dataset that the path is, if it is one.
 */
export async function catalogFolder(
  workspace: Workspace,
  path: string,
  onDataset: (dataset: DatasetRow) => void,
): Promise<CatalogFolder> {
  const catalog = await workspace.catalog();
  const text = textOf(path);
  const [folders, dataset] = await Promise.all([foldersIn(catalog, text), datasetAt(catalog, text)]);
  if (!dataset) return { folders, versions: [], latest: undefined };
  onDataset(dataset);
  const finished = await catalog.listVersions(dataset.id, { states: ["completed", "published"] });
  const latest = await catalog.latestVersion(dataset.id);
  const versions: CatalogVersion[] = [];
  for (const version of finished)
    if (version.archived === 0) versions.push(...(await versionIn(workspace, dataset, version)));
  const isShown = versions.some(({ id }) => id === latest?.id);
  return { folders, versions, latest: isShown ? latest?.label : undefined };
}

/** The projects that begin so, by their next component, and the datasets of the project itself. */
async function foldersIn(catalog: Catalog, path: string): Promise<CatalogFolder["folders"]> {
  const prefix = path === "" ? "" : `${path}/`;
  const projects = (await catalog.listProjects()).filter((project) => project.startsWith(prefix));
  const names = projects.map((project) => project.slice(prefix.length).split("/")[0]!);
  const datasets = path === "" ? [] : await catalog.listDatasets({ project: path });
  const created = new Map<string, number | undefined>(names.map((name) => [name, undefined]));
  for (const { name, createdAtMs } of datasets) created.set(name, createdAtMs);
  return [...created].map(([name, createdAtMs]) => ({ name: bytesOfText(name), createdAtMs }));
}

function datasetAt(catalog: Catalog, path: string): Promise<DatasetRow | undefined> {
  const slash = path.lastIndexOf("/");
  if (slash < 1) return Promise.resolve(undefined);
  return catalog.findDataset(path.slice(0, slash), path.slice(slash + 1));
}

/** One that must be signed and is not is not there. */
async function versionIn(
  workspace: Workspace,
  dataset: DatasetRow,
  version: VersionRow,
): Promise<CatalogVersion[]> {
  const { id, label, rootKey, completedAtMs, createdAtMs } = version;
  if (rootKey === null) return [];
  const reference = nameOfVersion({ dataset, version });
  const root = rootBlockOf(version);
  try {
    const expected = await expectedTree(workspace, version);
    return [{ id, label, reference, completedAtMs: completedAtMs ?? createdAtMs, root, expected }];
  } catch (error) {
    if (isDatasetError(error, "untrusted")) return [];
    throw error;
  }
}
