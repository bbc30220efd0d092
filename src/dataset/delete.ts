/** `Dataset.delete`: what is to go, by id or by name, and how sure its caller is. */
import { DatasetError } from "../errors.js";
import {
  type Deleted,
  type DeleteOptions,
  deleteDataset,
  deleteVersion,
  refuseSeveral,
} from "./delete-version.js";
import { findDataset, findVersion, refresh } from "./history.js";
import { type DatasetName, parseDatasetName, parseReference, textOfDataset } from "./reference.js";
import { type WithWorkspace, type Workspace, defaultWorkspace } from "./workspace.js";

export interface DeleteQuery extends DeleteOptions, WithWorkspace {
  /** Of a version; stands alone. */
  id?: string | undefined;
  project?: string | undefined;
  /** `project/name` says both. */
  name?: string | undefined;
  /** The label. May be left out where there is one version. */
  version?: string | undefined;
  /** All versions of the dataset; needs `force`. Default false. */
  entireDataset?: boolean | undefined;
}

/** @throws {DatasetError} `not-found`; `conflict` with what is in the way; `bad-input` for a query that names nothing */
export async function deleteByQuery(query: DeleteQuery): Promise<Deleted> {
  const workspace = query.workspace ?? defaultWorkspace();
  const { id, version, entireDataset = false } = query;
  if (id !== undefined) {
    if (query.project !== undefined || query.name !== undefined || version !== undefined || entireDataset)
      throw badQuery("an id says which version, so leave out all else");
    return deleteVersion(workspace, await findVersion(workspace, id, { drafts: true }), query);
  }
  const name = nameIn(query);
  if (entireDataset && version !== undefined)
    throw badQuery("a version and entireDataset contradict each other");
  if (entireDataset) return deleteDataset(workspace, await findDataset(workspace, name), query);
  if (version === undefined) return deleteOnly(workspace, name, query);
  const reference = `${textOfDataset(name)}@${version}`;
  return deleteVersion(workspace, await findVersion(workspace, reference, { drafts: true }), query);
}

/**
 * Deletes what a reference of the command line means: `project/name@label`, an id, or a name where there is one version.
 *
 * @throws {DatasetError} as `deleteByQuery`
 */
export async function deleteByReference(text: string, query: DeleteQuery): Promise<Deleted> {
  if (query.entireDataset) return deleteByQuery({ ...query, ...parseDatasetName(text) });
  const reference = parseReference(text);
  if ("id" in reference) return deleteByQuery({ ...query, id: reference.id });
  const { project, name, label } = reference;
  return deleteByQuery({ ...query, project, name, version: label });
}

/** Deletes the one version a dataset has. */
async function deleteOnly(workspace: Workspace, name: DatasetName, options: DeleteOptions): Promise<Deleted> {
  const dataset = await findDataset(workspace, name);
  await refresh(workspace, dataset);
  const versions = await (await workspace.catalog()).listVersions(dataset.id);
  const found = versions.map((version) => ({ dataset, version }));
  refuseSeveral(found);
  const what = textOfDataset(name);
  if (!found[0]) throw new DatasetError("not-found", { what }, `Cannot delete "${what}": it has no version`);
  return deleteVersion(workspace, found[0], options);
}

function nameIn({ project, name }: DeleteQuery): DatasetName {
  if (project !== undefined && name !== undefined) return parseDatasetName(`${project}/${name}`);
  if (name !== undefined) return parseDatasetName(name);
  throw badQuery("give an id, or a project and a name");
}

function badQuery(problem: string): DatasetError<"bad-input"> {
  return new DatasetError("bad-input", { value: "delete" }, `Cannot tell what to delete: ${problem}`);
}
