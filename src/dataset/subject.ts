/** What an annotation is about: a version, or a whole dataset, each where its catalog knows it or in a remote. */
import type { Dataset as DatasetRow, VersionRow } from "../catalog/catalog.js";
import { findDataset, nameOfVersion } from "./history.js";
import { parseDatasetName, splitReference, textOfDataset } from "./reference.js";
import { locateDataset, locateVersion } from "./remote-reference.js";
import type { Workspace } from "./workspace.js";

/** A version, or without one a whole dataset. */
export interface Subject {
  dataset: DatasetRow;
  version?: VersionRow | undefined;
}

/**
 * Finds what a reference means, drafts too, and the workspace to change it with.
 *
 * @param options.dataset Whether the reference is the name of a dataset.
 * @throws {DatasetError} `not-found`, `bad-input`
 */
export async function locateSubject(
  workspace: Workspace,
  text: string,
  { dataset: isDataset }: { dataset: boolean },
): Promise<{ workspace: Workspace; subject: Subject }> {
  if (!isDataset) {
    const { workspace: located, found } = await locateVersion(workspace, text, { drafts: true });
    return { workspace: located, subject: found };
  }
  if (splitReference(text).place === undefined)
    return { workspace, subject: { dataset: await findDataset(workspace, parseDatasetName(text)) } };
  const { workspace: located, dataset } = await locateDataset(workspace, text);
  return { workspace: located, subject: { dataset } };
}

/** As the catalog knows it now. */
export async function lookAgainAt(workspace: Workspace, { dataset, version }: Subject): Promise<Subject> {
  const catalog = await workspace.catalog();
  return {
    dataset: (await catalog.datasetById(dataset.id)) ?? dataset,
    version: version && ((await catalog.versionById(version.id)) ?? version),
  };
}

/** What a message calls it. */
export function nameOfSubject({ dataset, version }: Subject): string {
  return version ? nameOfVersion({ dataset, version }) : textOfDataset(dataset);
}
