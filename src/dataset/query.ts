/**
 * One version, found by what is known of it: its id, or project, name, label and tags. Where several fit, the highest
 * label of a dataset wins as `latest` does, and of several datasets the version that was completed last.
 */
import type { VersionRow } from "../catalog/catalog.js";
import { compareLabels, isPrerelease } from "../catalog/label.js";
import { DatasetError, isDatasetError } from "../errors.js";
import { type FoundVersion, findDataset, findVersion, refresh } from "./history.js";
import { type DatasetName, parseDatasetName, parseReference } from "./reference.js";
import { type VersionFilter, datasetsOf, versionsIn } from "./version-filter.js";
import type { Workspace } from "./workspace.js";

export interface VersionQuery {
  /** Of a version; stands alone. */
  id?: string | undefined;
  /** Exactly. */
  project?: string | undefined;
  /** Exactly; `project/name` says both. */
  name?: string | undefined;
  /** A label; `2.0` finds `2.0.0`. */
  version?: string | undefined;
  /** All of them, each a tag of the version or of its dataset; one that starts with `-` must be missing. */
  tags?: readonly string[] | undefined;
}

/** Which versions count. */
export type QueryLimits = Pick<VersionFilter, "onlyCompleted" | "onlyPublished" | "includeArchived">;

/**
 * Remotes are asked where a name is given; without one the catalog alone.
 *
 * @throws {DatasetError} `not-found`; `bad-input` for a query that says nothing, or contradicts itself
 */
export async function findByQuery(
  workspace: Workspace,
  query: VersionQuery,
  limits: QueryLimits = {},
): Promise<FoundVersion> {
  const asked = checkQuery(query);
  const found =
    asked.id === undefined ? await best(workspace, asked, limits) : await byId(workspace, asked.id, limits);
  if (found) return found;
  const what = textOfQuery(asked, limits);
  const hint = limits.onlyCompleted === false ? "" : "; with onlyCompleted: false drafts count too";
  throw new DatasetError("not-found", { what }, `Cannot find a version with ${what}${hint}`);
}

/** The query that a reference stands for. @throws {DatasetError} `bad-input` */
export function queryOfReference(text: string): VersionQuery {
  const reference = parseReference(text);
  if ("id" in reference) return reference;
  const { project, name, label } = reference;
  return { project, name, version: label };
}

/** The dataset a query names, if it names one. @throws {DatasetError} `bad-input` */
export function datasetOfQuery(query: VersionQuery): DatasetName | undefined {
  const { project, name } = splitName(query);
  return project === undefined || name === undefined ? undefined : parseDatasetName(`${project}/${name}`);
}

/** @throws {DatasetError} `bad-input` */
function checkQuery(query: VersionQuery): VersionQuery {
  const asked = splitName(query);
  const { id, project, name, version, tags = [] } = asked;
  const hasOthers = project !== undefined || name !== undefined || version !== undefined || tags.length > 0;
  if (id !== undefined && hasOthers) throw badQuery(asked, "an id says which version, so leave out all else");
  if (id === undefined && project === undefined && name === undefined && tags.length === 0)
    throw badQuery(asked, "give an id, or a project, a name or tags");
  datasetOfQuery(asked);
  return asked;
}

/** A name that holds a slash is the project's too. */
function splitName(query: VersionQuery): VersionQuery {
  const { project, name } = query;
  return project === undefined && name?.includes("/") ? { ...query, ...parseDatasetName(name) } : query;
}

async function byId(
  workspace: Workspace,
  id: string,
  limits: QueryLimits,
): Promise<FoundVersion | undefined> {
  const found = await findVersion(workspace, id, { drafts: limits.onlyCompleted === false });
  return limits.onlyPublished && found.version.state !== "published" ? undefined : found;
}

async function best(
  workspace: Workspace,
  query: VersionQuery,
  limits: QueryLimits,
): Promise<FoundVersion | undefined> {
  const catalog = await workspace.catalog();
  const named = datasetOfQuery(query);
  const datasets = named
    ? await knownDataset(workspace, named)
    : await datasetsOf(catalog, { ...query, ...limits, recursiveProjectSearch: false });
  if (query.name !== undefined) for (const dataset of datasets) await refresh(workspace, dataset);
  const highest = new Map<string, FoundVersion>();
  // Who asks for a label gets it, as by a reference.
  const includeArchived = limits.includeArchived ?? query.version !== undefined;
  const filter = { ...limits, includeArchived, version: query.version, tags: query.tags };
  for await (const next of versionsIn(catalog, datasets, filter)) {
    const found = highest.get(next.dataset.id);
    if (!found || isHigher(next.version, found.version)) highest.set(next.dataset.id, next);
  }
  return [...highest.values()].sort((a, b) => timeOf(b.version) - timeOf(a.version))[0];
}

async function knownDataset(workspace: Workspace, name: DatasetName) {
  try {
    return [await findDataset(workspace, name)];
  } catch (error) {
    if (isDatasetError(error, "not-found")) return [];
    throw error;
  }
}

/** A pre-release is lower than any release, as for `latest`. */
function isHigher(next: VersionRow, found: VersionRow): boolean {
  const [a, b] = [isPrerelease(next.label), isPrerelease(found.label)];
  return a === b ? compareLabels(next.label, found.label) > 0 : b;
}

/** When it was completed; a draft: when it was made. */
function timeOf({ completedAtMs, createdAtMs }: VersionRow): number {
  return completedAtMs ?? createdAtMs;
}

function badQuery(query: VersionQuery, problem: string): DatasetError<"bad-input"> {
  const value = textOfQuery(query);
  return new DatasetError(
    "bad-input",
    { value },
    `Cannot look for a version with ${value || "nothing"}: ${problem}`,
  );
}

function textOfQuery(query: VersionQuery, limits: QueryLimits = {}): string {
  const { id, project, name, version, tags = [] } = query;
  const parts = [
    id !== undefined && `id "${id}"`,
    project !== undefined && `project "${project}"`,
    name !== undefined && `name "${name}"`,
    version !== undefined && `version "${version}"`,
    tags.length > 0 && `tags ${tags.map((tag) => JSON.stringify(tag)).join(", ")}`,
    limits.onlyPublished && "published",
  ];
  return parts.filter((part) => part !== false && part !== undefined).join(", ");
}
