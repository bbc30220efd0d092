/** Renames a dataset, or moves it to another project: its new name is claimed in all its remotes, then it is amended. */
import type { Dataset as DatasetRow } from "../catalog/catalog.js";
import { DatasetError } from "../errors.js";
import { amend, remotesOfDataset } from "./amend.js";
import { findDataset, refresh } from "./history.js";
import { type NamedDataset, claimName, readName } from "./names.js";
import { type DatasetId, type DatasetName, parseDatasetName, textOfDataset } from "./reference.js";
import { type OpenedRemote, type WithWorkspace, type Workspace, defaultWorkspace } from "./workspace.js";

/**
 * Gives a dataset another name: its versions, their labels and its numbering go on under it. The old name is never given to
 * another dataset; who asks for it is told the new one. All remotes of the dataset must be in reach.
 *
 * @returns The dataset under its new name.
 * @throws {DatasetError} `conflict` when another dataset has the name, or had it; `bad-input`; `remote-failed`
 */
export async function renameDataset(
  workspace: Workspace,
  dataset: DatasetRow,
  to: DatasetName,
): Promise<DatasetRow> {
  const name = parseDatasetName(textOfDataset(to));
  await refresh(workspace, dataset);
  const catalog = await workspace.catalog();
  const namesake = await catalog.findDataset(name.project, name.name);
  if (namesake && namesake.id !== dataset.id && (await catalog.listVersions(namesake.id)).length > 0)
    throw taken(dataset, name, "in this catalog");
  const ours: NamedDataset = { id: dataset.id as DatasetId, createdAtMs: dataset.createdAtMs };
  const remotes: OpenedRemote[] = [];
  for (const id of await remotesOfDataset(workspace, dataset))
    remotes.push({ id, remote: await workspace.remote(id) });
  for (const { remote } of remotes) expectOurs(dataset, name, await readName(remote, name), remote.url);
  for (const { remote } of remotes)
    expectOurs(dataset, name, await claimName(remote, name, ours), remote.url);
  await amend(workspace, dataset, { kind: "rename", ...name });
  return (await catalog.datasetById(dataset.id)) ?? dataset;
}

/**
 * Renames the dataset of a name to what `change` makes of that.
 *
 * @returns `project/name`.
 * @throws {DatasetError} as `renameDataset`; `not-found`
 */
export async function renameByName(
  { workspace = defaultWorkspace() }: WithWorkspace,
  text: string,
  change: (former: DatasetName) => DatasetName,
): Promise<string> {
  const former = parseDatasetName(text);
  const dataset = await findDataset(workspace, former);
  return textOfDataset(await renameDataset(workspace, dataset, change(former)));
}

/** @throws {DatasetError} `bad-input` for one with a project, which would take the dataset into a project below */
export function newNameOf(name: unknown): string {
  if (typeof name === "string" && !name.includes("/")) return name;
  const shown = typeof name === "string" ? JSON.stringify(name) : typeof name;
  const message = `Cannot rename a dataset to ${shown}: give its new name without a project; varve move takes it to another`;
  throw new DatasetError("bad-input", { value: shown }, message);
}

/** @throws {DatasetError} `bad-input` */
export function newProjectOf(project: unknown): string {
  if (typeof project === "string") return project;
  const message = "Cannot move a dataset: name its new project";
  throw new DatasetError("bad-input", { value: typeof project }, message);
}

function expectOurs(
  dataset: DatasetRow,
  name: DatasetName,
  named: NamedDataset | undefined,
  url: string,
): void {
  if (named && (named.id as string) !== dataset.id) throw taken(dataset, name, `in ${url}`);
}

function taken(dataset: DatasetName, name: DatasetName, where: string): DatasetError<"conflict"> {
  const what = textOfDataset(name);
  const message = `Cannot call "${textOfDataset(dataset)}" "${what}": another dataset has that name ${where}, or had it`;
  return new DatasetError("conflict", { what }, message);
}
