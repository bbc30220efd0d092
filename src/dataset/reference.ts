/**
 * References as people write them: `project/name@label`, `project/name` (the latest), or a version id; and, to read
 * without a catalog, `REMOTE#project/name@label`.
 */
import { randomUUID } from "node:crypto";
import { DatasetError } from "../errors.js";
import { type DatasetName, datasetNameProblem, splitDatasetName } from "../catalog/dataset-name.js";
import { parseLabel } from "../catalog/label.js";

export { type DatasetName, isDatasetName } from "../catalog/dataset-name.js";

/** 32 hex characters, made once. */
export type VersionId = string & { readonly brand: "VersionId" };
export type DatasetId = string & { readonly brand: "DatasetId" };

export type Reference = { id: VersionId } | (DatasetName & { label: string | undefined });

const ID = /^[0-9a-f]{32}$/;

export function newVersionId(): VersionId {
  return newId() as VersionId;
}

export function newDatasetId(): DatasetId {
  return newId() as DatasetId;
}

/** Parses a reference. @throws {DatasetError} `bad-input` */
export function parseReference(text: string): Reference {
  if (ID.test(text)) return { id: text as VersionId };
  const at = text.lastIndexOf("@");
  const label = at < 0 ? "latest" : text.slice(at + 1);
  const dataset = parseDatasetName(at < 0 ? text : text.slice(0, at));
  if (label !== "latest") parseLabel(label);
  return { ...dataset, label: label === "latest" ? undefined : label };
}

/**
 * What names the remote in a reference (a URL, a path or a name), and the reference in it. A dataset's name holds no `#`,
 * so the last one parts them.
 */
export function splitReference(text: string): { place: string | undefined; reference: string } {
  const at = text.lastIndexOf("#");
  return at < 0
    ? { place: undefined, reference: text }
    : { place: text.slice(0, at), reference: text.slice(at + 1) };
}

export function namesItsRemote(text: string): boolean {
  return splitReference(text).place !== undefined;
}

/** Parses `project/name`; the last slash parts them. @throws {DatasetError} `bad-input` */
export function parseDatasetName(text: string): DatasetName {
  const problem = datasetNameProblem(text);
  if (problem === undefined) return splitDatasetName(text);
  const shown = JSON.stringify(text.slice(0, 80));
  throw new DatasetError(
    "bad-input",
    { value: text },
    `Cannot read ${shown} as a dataset: it ${problem}; write PROJECT/NAME, such as vision/cifar10`,
  );
}

export function textOfDataset({ project, name }: DatasetName): string {
  return `${project}/${name}`;
}

export function textOfReference(reference: Reference): string {
  if ("id" in reference) return reference.id;
  return `${textOfDataset(reference)}@${reference.label ?? "latest"}`;
}

function newId(): string {
  return randomUUID().replaceAll("-", "");
}
