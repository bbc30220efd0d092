/** What there is: datasets with what they hold, and versions across them. The catalog answers; no remote is asked. */
import type { Catalog } from "../catalog/catalog.js";
import { isPrerelease } from "../catalog/label.js";
import { type FoundVersion, isFinished } from "./history.js";
import { type OptionNames, checkOptions } from "./known-options.js";
import { type VersionFilter, datasetsOf, versionsIn } from "./version-filter.js";
import type { Workspace } from "./workspace.js";

export interface ListOfVersionsOptions extends VersionFilter {
  /** Most items. Default: all. */
  limit?: number | undefined;
  /** Items left out at the start. Default 0. */
  offset?: number | undefined;
}

/** A version in a list. Times are ISO 8601. */
export interface ListedVersion {
  id: string;
  project: string;
  name: string;
  /** The label. */
  version: string;
  state: string;
  archived: boolean;
  /** Its own, and those of its dataset. */
  tags: string[];
  created: string;
  completed: string | null;
  description: string;
  /** Null for a draft. */
  files: number | null;
  /** Null for a draft. */
  bytes: number | null;
}

/** A dataset in a list: of its versions those that fit the filter. */
export interface ListedDataset {
  id: string;
  project: string;
  name: string;
  archived: boolean;
  /** Its own, not those of its versions. */
  tags: string[];
  /** How many. */
  versions: number;
  /** The highest label of a release; of a pre-release where there is nothing else; null while all are drafts. */
  latest: ListedVersion | null;
  /** When a version was last made or completed; ISO 8601. */
  updated: string;
}

const OPTIONS: OptionNames<ListOfVersionsOptions> = {
  project: true,
  recursiveProjectSearch: true,
  name: true,
  partialName: true,
  version: true,
  tags: true,
  ids: true,
  onlyCompleted: true,
  onlyPublished: true,
  includeArchived: true,
  limit: true,
  offset: true,
};

/** Sorted by project and name, then by label, the lowest first. @throws {DatasetError} `bad-input` */
export async function listVersions(
  workspace: Workspace,
  options: ListOfVersionsOptions = {},
): Promise<ListedVersion[]> {
  checkOptions("listVersions", options, OPTIONS);
  const catalog = await workspace.catalog();
  const datasets = await datasetsOf(catalog, options);
  return describeVersions(catalog, await page(versionsIn(catalog, datasets, options), options));
}

/** Datasets that have a version which fits, sorted by project and name. @throws {DatasetError} `bad-input` */
export async function listDatasets(
  workspace: Workspace,
  options: ListOfVersionsOptions = {},
): Promise<ListedDataset[]> {
  checkOptions("listDatasets", options, OPTIONS);
  const catalog = await workspace.catalog();
  const datasets = await datasetsOf(catalog, options);
  const groups = await page(byDataset(versionsIn(catalog, datasets, options)), options);
  return Promise.all(groups.map((versions) => describeDataset(catalog, versions)));
}

async function* byDataset(versions: AsyncIterable<FoundVersion>): AsyncIterable<FoundVersion[]> {
  let group: FoundVersion[] = [];
  for await (const next of versions) {
    if (group[0] && group[0].dataset.id !== next.dataset.id) {
      yield group;
      group = [];
    }
    group.push(next);
  }
  if (group.length > 0) yield group;
}

async function page<Item>(
  items: AsyncIterable<Item>,
  { limit = Infinity, offset = 0 }: ListOfVersionsOptions,
): Promise<Item[]> {
  const taken: Item[] = [];
  let position = 0;
  for await (const item of items) {
    if (taken.length >= limit) break;
    if (position++ >= offset) taken.push(item);
  }
  return taken;
}

async function describeDataset(catalog: Catalog, found: readonly FoundVersion[]): Promise<ListedDataset> {
  const { id, project, name, archived } = found[0]!.dataset;
  const times = found.map(({ version }) => version.completedAtMs ?? version.createdAtMs);
  const latest = latestOf(found);
  return {
    id,
    project,
    name,
    archived: archived === 1,
    tags: await catalog.datasetTags(id),
    versions: found.length,
    latest: latest ? (await describeVersions(catalog, [latest]))[0]! : null,
    updated: isoOf(times.reduce((a, b) => Math.max(a, b))),
  };
}

/** They come with the lowest label first. */
function latestOf(found: readonly FoundVersion[]): FoundVersion | undefined {
  const finished = found.filter(({ version }) => isFinished(version));
  return finished.findLast(({ version }) => !isPrerelease(version.label)) ?? finished.at(-1);
}

async function describeVersions(catalog: Catalog, found: readonly FoundVersion[]): Promise<ListedVersion[]> {
  const ids = found.map(({ version }) => version.id);
  const own = await catalog.tagsOfVersions(ids);
  const ofDatasets = new Map<string, string[]>();
  for (const { dataset } of found)
    if (!ofDatasets.has(dataset.id)) ofDatasets.set(dataset.id, await catalog.datasetTags(dataset.id));
  return found.map((one) => {
    const tags = [...(own.get(one.version.id) ?? []), ...(ofDatasets.get(one.dataset.id) ?? [])];
    return describeVersion(one, [...new Set(tags)].sort());
  });
}

function describeVersion({ dataset, version }: FoundVersion, tags: string[]): ListedVersion {
  const { id, label, state, createdAtMs, completedAtMs, description, files, bytes } = version;
  return {
    id,
    project: dataset.project,
    name: dataset.name,
    version: label,
    state,
    archived: version.archived === 1,
    tags,
    created: isoOf(createdAtMs),
    completed: completedAtMs === null ? null : isoOf(completedAtMs),
    description,
    files,
    bytes,
  };
}

function isoOf(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
