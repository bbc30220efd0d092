/** `Dataset.get`: what its caller may ask besides which version it is, and what is made where there is none. */
import { DatasetError, isDatasetError } from "../errors.js";
import { type Draft, openDraft } from "./draft.js";
import type { OpenedVersion } from "./dataset-version.js";
import { tellOfHeads } from "./heads.js";
import { type FoundVersion, isFinished, nameOfVersion } from "./history.js";
import { newDraft } from "./new-draft.js";
import { overrideOf, parameterOfAlias, recordUse } from "./job-use.js";
import { type OptionNames, checkOptions } from "./known-options.js";
import {
  type QueryLimits,
  type VersionQuery,
  datasetOfQuery,
  findByQuery,
  queryOfReference,
} from "./query.js";
import { namesItsRemote, textOfDataset } from "./reference.js";
import { type Located, locateVersion } from "./remote-reference.js";
import { type WithWorkspace, type Workspace, defaultWorkspace } from "./workspace.js";

export interface GetOptions extends QueryLimits {
  /**
   * Makes a draft, with the project, name, label and tags asked for, where no version fits; one made so before is found
   * again. Default false.
   */
  autoCreate?: boolean | undefined;
  /** Makes a draft whose parent is the version found, in the same dataset, with its tags. A draft is given as it is. Default false. */
  writableCopy?: boolean | undefined;
  /** Notes in the catalog that the job which runs used the version, under this name (`job-use.ts`). */
  alias?: string | undefined;
  /** With `alias`: where `varve job set JOB Datasets/<alias> REF` names another version for this job, that one. Default false. */
  overridable?: boolean | undefined;
}

/** What finds one version: a reference, or what is known of it, with the options beside. */
export type Wanted = string | (VersionQuery & GetOptions & WithWorkspace);

const OPTIONS: OptionNames<VersionQuery & GetOptions & WithWorkspace> = {
  id: true,
  project: true,
  name: true,
  version: true,
  tags: true,
  onlyCompleted: true,
  onlyPublished: true,
  includeArchived: true,
  autoCreate: true,
  writableCopy: true,
  alias: true,
  overridable: true,
  workspace: true,
};

/** @throws {DatasetError} `not-found`, `version-unfinished`, `bad-input` */
export async function getVersion(what: Wanted, given: GetOptions & WithWorkspace): Promise<OpenedVersion> {
  const options = typeof what === "string" ? given : { ...what, ...given };
  checkOptions("Dataset.get", options, OPTIONS);
  const asking = options.workspace ?? defaultWorkspace();
  const wanted = typeof what === "string" ? what : queryIn(what);
  const asked = (await overrideIn(asking, options)) ?? wanted;
  return openVersion(asking, asked, options);
}

type Made = Awaited<ReturnType<typeof newDraft>>;

async function openVersion(
  asking: Workspace,
  asked: string | VersionQuery,
  options: GetOptions,
): Promise<OpenedVersion> {
  const note = ({ dataset, version }: FoundVersion | Draft) =>
    noteUse(asking, options.alias, { dataset, version });
  const located = await locate(asking, asked, options, options.autoCreate ?? false);
  if (!located) {
    const made = await createAsked(asking, asked);
    await note(made.draft);
    return opened(made.workspace, made.draft);
  }
  await note(located.found);
  const { workspace, found } = located;
  const reference = referenceOf(asked);
  const unmerged = reference === undefined ? [] : await tellOfHeads(workspace, reference, found.dataset);
  if (!isFinished(found.version)) return opened(workspace, await openDraft(workspace, found));
  if (options.writableCopy) {
    const made = await createChild(asking, located);
    return opened(made.workspace, made.draft);
  }
  return { workspace, ...found, unmerged };
}

/** What `varve job set` chose for the alias. @throws {DatasetError} `bad-input` for an alias that is none, or is missing */
async function overrideIn(
  workspace: Workspace,
  { alias, overridable }: GetOptions,
): Promise<string | undefined> {
  if (alias !== undefined) parameterOfAlias(alias);
  if (!overridable) return undefined;
  if (alias !== undefined) return overrideOf(workspace, alias);
  const message = "Cannot take overridable without an alias: the alias says which version may be overridden";
  throw new DatasetError("bad-input", { value: "overridable" }, message);
}

async function noteUse(workspace: Workspace, alias: string | undefined, found: FoundVersion): Promise<void> {
  const { id } = found.version;
  if (alias !== undefined) await recordUse(workspace, alias, { id, reference: nameOfVersion(found) });
}

/** @returns Undefined where nothing fits and something may be made. */
async function locate(
  workspace: Workspace,
  asked: string | VersionQuery,
  limits: QueryLimits,
  mayCreate: boolean,
): Promise<Located | undefined> {
  try {
    return await locateWanted(workspace, asked, limits);
  } catch (error) {
    if (!mayCreate || !isNothing(error)) throw error;
  }
  try {
    return await locateWanted(workspace, asked, { onlyCompleted: false });
  } catch (error) {
    if (!isNothing(error)) throw error;
    return undefined;
  }
}

function isNothing(error: unknown): boolean {
  return isDatasetError(error, "not-found") || isDatasetError(error, "version-unfinished");
}

async function locateWanted(
  workspace: Workspace,
  asked: string | VersionQuery,
  limits: QueryLimits,
): Promise<Located> {
  if (typeof asked !== "string") return { workspace, found: await findByQuery(workspace, asked, limits) };
  const { onlyCompleted = true, onlyPublished = false, includeArchived = false } = limits;
  if ((onlyPublished || includeArchived) && !namesItsRemote(asked))
    return { workspace, found: await findByQuery(workspace, queryOfReference(asked), limits) };
  const located = await locateVersion(workspace, asked, { drafts: !onlyCompleted });
  if (onlyPublished && located.found.version.state !== "published") throw notPublished(located.found);
  return located;
}

async function createAsked(workspace: Workspace, asked: string | VersionQuery): Promise<Made> {
  const query = typeof asked === "string" ? queryOfReference(asked) : asked;
  const dataset = datasetOfQuery(query);
  const { version, tags } = query;
  if (dataset) return newDraft(workspace, dataset, { version, tags: tags?.filter(isWanted) });
  const message =
    "Cannot make the dataset asked for, which is not there: autoCreate needs its project and name";
  throw new DatasetError("bad-input", { value: "autoCreate" }, message);
}

async function createChild(asking: Workspace, { workspace, found }: Located): Promise<Made> {
  const { dataset, version, remote } = found;
  const parent = remote === undefined ? version.id : `${remote}#${nameOfVersion(found)}`;
  const tags = await (await workspace.catalog()).versionTags(version.id);
  return newDraft(asking, dataset, { parents: [parent], tags });
}

function opened(workspace: Workspace, draft: Draft): OpenedVersion {
  const { dataset, version } = draft;
  return { workspace, dataset, version, draft };
}

function queryIn({ id, project, name, version, tags }: VersionQuery): VersionQuery {
  return { id, project, name, version, tags };
}

function isWanted(tag: string): boolean {
  return !tag.startsWith("-");
}

/** What `tellOfHeads` can judge: a query says as much as a reference where it names a dataset and nothing else. */
function referenceOf(asked: string | VersionQuery): string | undefined {
  if (typeof asked === "string") return asked;
  const dataset = datasetOfQuery(asked);
  return dataset && asked.version === undefined && asked.tags === undefined
    ? textOfDataset(dataset)
    : undefined;
}

function notPublished(found: FoundVersion): DatasetError<"not-found"> {
  const what = nameOfVersion(found);
  const message = `Cannot take the version "${what}": it is ${found.version.state}, and only a published one is asked for`;
  return new DatasetError("not-found", { what }, message);
}
