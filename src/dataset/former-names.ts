/** Names that datasets had before: no name means two datasets, ever, so an old one still says which is meant. */
import type { Dataset as DatasetRow } from "../catalog/catalog.js";
import { DatasetError } from "../errors.js";
import { type DatasetName, textOfDataset } from "./reference.js";
import type { Workspace } from "./workspace.js";

/** @throws {DatasetError} `not-found` naming the new name, where a dataset was called so before */
export async function refuseFormerName(workspace: Workspace, name: DatasetName): Promise<void> {
  const catalog = await workspace.catalog();
  const id = await catalog.formerlyCalled(name);
  const dataset = id === undefined ? undefined : await catalog.datasetById(id);
  if (dataset) throw renamed(name, dataset);
}

/** The dataset of that id as it is now. @throws {DatasetError} `not-found` when it has another name than the one it was asked for by */
export async function calledNow(workspace: Workspace, id: string, asked: DatasetName): Promise<DatasetRow> {
  const dataset = await (await workspace.catalog()).datasetById(id);
  if (dataset?.project === asked.project && dataset.name === asked.name) return dataset;
  throw dataset ? renamed(asked, dataset) : gone(asked);
}

function renamed(asked: DatasetName, dataset: DatasetName): DatasetError<"not-found"> {
  const what = textOfDataset(asked);
  const message = `Cannot find the dataset "${what}": it is called "${textOfDataset(dataset)}" now`;
  return new DatasetError("not-found", { what }, message);
}

function gone(asked: DatasetName): DatasetError<"not-found"> {
  const what = textOfDataset(asked);
  return new DatasetError("not-found", { what }, `Cannot find the dataset "${what}": it is no more`);
}
