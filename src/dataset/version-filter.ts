/** Which versions somebody looks for, as callers say it, made a search of the catalog. */
import type { Catalog, Dataset as DatasetRow, VersionRow, VersionState } from "../catalog/catalog.js";
import { DatasetError, messageOf } from "../errors.js";
import type { FoundVersion } from "./history.js";

export interface VersionFilter {
  /** Exactly, or (`recursiveProjectSearch`) with the projects below it. */
  project?: string | undefined;
  /** Default true: `vision` finds `vision/raw` too. */
  recursiveProjectSearch?: boolean | undefined;
  /** Exactly. */
  name?: string | undefined;
  /** A regular expression that is found somewhere in the name. */
  partialName?: string | RegExp | undefined;
  /** A label; `2.0` finds `2.0.0`. */
  version?: string | undefined;
  /** All of them, each a tag of the version or of its dataset; one that starts with `-` must be missing. */
  tags?: readonly string[] | undefined;
  /** Ids of versions. */
  ids?: readonly string[] | undefined;
  /** Default true: no drafts. */
  onlyCompleted?: boolean | undefined;
  /** Default false. */
  onlyPublished?: boolean | undefined;
  /** Default false: neither archived versions nor those of archived datasets. */
  includeArchived?: boolean | undefined;
}

/** Datasets asked about at once; a database takes a bounded number of values. */
const DATASETS_AT_ONCE = 500;
const FINISHED: readonly VersionState[] = ["completed", "published"];
const UNFINISHED: readonly VersionState[] = ["draft", "committing"];

/** The datasets a filter names, sorted by project and name. The catalog alone is asked. @throws {DatasetError} `bad-input` */
export async function datasetsOf(catalog: Catalog, filter: VersionFilter): Promise<DatasetRow[]> {
  const { project, recursiveProjectSearch = true, name, partialName, includeArchived } = filter;
  const pattern = partialName === undefined ? undefined : regExpOf(partialName);
  const isIn = (own: string) =>
    project === undefined || own === project || (recursiveProjectSearch && own.startsWith(`${project}/`));
  return (await catalog.listDatasets({ archived: includeArchived })).filter(
    (dataset) =>
      isIn(dataset.project) &&
      (name === undefined || dataset.name === name) &&
      (pattern === undefined || dataset.name.search(pattern) >= 0),
  );
}

/** The versions of these datasets that a filter lets through, in the order of the datasets, the lowest label first. */
export async function* versionsIn(
  catalog: Catalog,
  datasets: readonly DatasetRow[],
  filter: VersionFilter,
): AsyncIterable<FoundVersion> {
  const { version: label, ids, includeArchived: archived } = filter;
  const search = { label, ids, archived, states: statesOf(filter), ...tagsOf(filter) };
  for (let start = 0; start < datasets.length; start += DATASETS_AT_ONCE) {
    const batch = datasets.slice(start, start + DATASETS_AT_ONCE);
    const rows = await catalog.searchVersions({ ...search, datasets: batch.map(({ id }) => id) });
    const found = new Map<string, VersionRow[]>(batch.map(({ id }) => [id, []]));
    for (const row of rows) found.get(row.datasetId)?.push(row);
    for (const dataset of batch)
      for (const version of found.get(dataset.id) ?? []) yield { dataset, version };
  }
}

function statesOf({ onlyCompleted = true, onlyPublished = false }: VersionFilter): readonly VersionState[] {
  if (onlyPublished) return ["published"];
  return onlyCompleted ? FINISHED : [...FINISHED, ...UNFINISHED];
}

function tagsOf({ tags = [] }: VersionFilter): { tags: string[]; withoutTags: string[] } {
  return {
    tags: tags.filter((tag) => !tag.startsWith("-")),
    withoutTags: tags.filter((tag) => tag.startsWith("-")).map((tag) => tag.slice(1)),
  };
}

/** @throws {DatasetError} `bad-input` */
function regExpOf(pattern: string | RegExp): RegExp {
  try {
    return typeof pattern === "string" ? new RegExp(pattern, "u") : pattern;
  } catch (cause) {
    const value = String(pattern);
    const message = `Cannot look for names like ${JSON.stringify(value)}: ${messageOf(cause)}`;
    throw new DatasetError("bad-input", { value }, message, { cause });
  }
}
