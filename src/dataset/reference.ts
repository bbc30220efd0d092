/**
 * References as people write them: `project/name@label`, `project/name` (the latest), or a version id; and, to read
 * without a catalog, `REMOTE#project/name@label`.
 */
import { randomUUID } from "node:crypto";
import { DatasetError } from "../errors.js";
import { parseLabel } from "../catalog/label.js";

/** 32 hex characters, made once. */
export type VersionId = string & { readonly brand: "VersionId" };
export type DatasetId = string & { readonly brand: "DatasetId" };

export interface DatasetName {
  /** May hold `/`. */
  project: string;
  /** May not. */
  name: string;
}

export type Reference = { id: VersionId } | (DatasetName & { label: string | undefined });

const ID = /^[0-9a-f]{32}$/;
const NAME_MAX_CHARS = 200;

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
  const slash = text.lastIndexOf("/");
  const [project, name] = [text.slice(0, Math.max(0, slash)), text.slice(slash + 1)];
  const parts = text.split("/");
  const problem =
    slash < 1
      ? "has no project"
      : parts.some((part) => part.trim() === "" || part === "." || part === "..")
        ? "has an empty component, `.` or `..`"
        : /[\u0000-\u001f@#\\]/.test(text)
          ? "has a control character, `@`, `#` or a backslash"
          : text.length > NAME_MAX_CHARS
            ? `is over ${NAME_MAX_CHARS} characters`
            : undefined;
  if (problem === undefined) return { project, name };
  const shown = JSON.stringify(text.slice(0, 80));
  throw new DatasetError(
    "bad-input",
    { value: text },
    `Cannot read ${shown} as a dataset: it ${problem}; write PROJECT/NAME, such as vision/cifar10`,
  );
}

/** Whether this is a name that `parseDatasetName` would give: for names that come from a remote. */
export function isDatasetName({ project, name }: DatasetName): boolean {
  try {
    return parseDatasetName(`${project}/${name}`).name === name;
  } catch {
    return false;
  }
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
