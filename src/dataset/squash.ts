/**
 * Squashing: one version without parents that holds what several hold, merged in order. What lies in its remote already
 * is named, not copied; what lies elsewhere is copied there, so that it survives the end of all it was made from.
 */
import { DatasetError } from "../errors.js";
import { ancestryOfIds, selfAndAncestors } from "./ancestry.js";
import { type CommitOptions, type CommitResult, commitDraft } from "./commit.js";
import {
  type CreateOptions,
  type Draft,
  type ParentVersion,
  createDraft,
  discardDraft,
  takeInParent,
} from "./draft.js";
import type { FoundVersion } from "./history.js";
import type { Squash } from "./layers.js";
import { checkLists, checkOptions } from "./known-options.js";
import { type DatasetName, parseDatasetName, textOfDataset } from "./reference.js";
import type { WithWorkspace, Workspace } from "./workspace.js";

/** What to squash, in order, named in one of three ways. */
export type SquashSources =
  | { ids: readonly string[] }
  /** As everywhere: `project/name@label`, `project/name` for the latest, an id, each also `REMOTE#…`; or datasets. */
  | { references: readonly ParentVersion[] }
  /** The latest version of each dataset. */
  | { pairs: readonly (DatasetName | readonly [project: string, name: string])[] };

export type SquashOptions = SquashSources &
  Pick<CreateOptions, "version" | "remote" | "tags" | "description" | "merge"> &
  Omit<CommitOptions, "unlessEqual" | "openOverlaid"> & {
    /** Default true. */
    finalize?: boolean | undefined;
  };

type KeysOf<Union> = Union extends unknown ? keyof Union : never;

const OPTIONS: Readonly<Record<KeysOf<SquashOptions & WithWorkspace>, true>> = {
  ids: true,
  references: true,
  pairs: true,
  version: true,
  merge: true,
  remote: true,
  tags: true,
  description: true,
  publish: true,
  finalize: true,
  maxWorkers: true,
  packBytes: true,
  compression: true,
  preview: true,
  retries: true,
  signal: true,
  onProgress: true,
  workspace: true,
};

/**
 * The dataset that a squashed version goes to. A name alone, as `clearml-data` takes it, is in the project of the first source.
 *
 * @throws {DatasetError} `bad-input`; as finding that source
 */
export async function squashedName(
  workspace: Workspace,
  text: string,
  options: SquashOptions,
): Promise<DatasetName> {
  const [first] = text.includes("/") ? [] : referencesOf(options);
  if (first === undefined) return parseDatasetName(text);
  const { dataset } = await takeInParent(workspace, first);
  return parseDatasetName(`${dataset.project}/${text}`);
}

/** Makes the squashed version. Nothing is left behind where that fails. @throws {DatasetError} as `createSquash` and `commitDraft` */
export async function squashVersions(
  workspace: Workspace,
  name: DatasetName,
  options: SquashOptions,
): Promise<CommitResult> {
  const draft = await createSquash(workspace, name, options, { transient: true });
  try {
    return await commitDraft(workspace, draft, options);
  } catch (error) {
    await discardDraft(workspace, draft);
    throw error;
  }
}

/**
 * A draft that holds what the sources hold, laid over one another in order. A source that a later one descends from is
 * contained in it, with all that was removed since, and laid nowhere.
 *
 * @throws {DatasetError} `bad-input` for no sources; `not-found`, `version-unfinished` for one; as `createDraft`
 */
export async function createSquash(
  workspace: Workspace,
  name: DatasetName,
  options: SquashOptions,
  { transient = false } = {},
): Promise<Draft> {
  checkOptions("Dataset.squash", options, OPTIONS);
  checkLists("Dataset.squash", options, ["ids", "references", "pairs", "tags"]);
  const found: FoundVersion[] = [];
  for (const reference of referencesOf(options)) found.push(await takeInParent(workspace, reference));
  if (found.length === 0) throw nothingToSquash();
  const layers = await notContained(workspace, found);
  const remoteId = layers[0]!.version.remoteId;
  const remote = options.remote ?? (await workspace.knownUrl(remoteId));
  const target = remote === undefined ? remoteId : (await workspace.openRemote(remote)).id;
  const squash: Squash = {
    sources: found.map(sourceOf),
    layers: layers.map(({ version }) => version.id),
    copies: await liesElsewhere(workspace, layers, target),
  };
  const { version, tags, description, merge } = options;
  return createDraft(workspace, name, { version, tags, description, merge, remote, transient, squash });
}

function sourceOf({ dataset, version: { id, label } }: FoundVersion): Squash["sources"][number] {
  return { id, dataset: textOfDataset(dataset), label };
}

function referencesOf(sources: SquashSources): readonly ParentVersion[] {
  const given = ["ids", "references", "pairs"].filter((kind) => kind in sources);
  if (given.length !== 1) throw oneKind(given);
  if ("ids" in sources) return sources.ids;
  if ("references" in sources) return sources.references;
  return sources.pairs.map((pair) => {
    const [project, name] = "project" in pair ? [pair.project, pair.name] : pair;
    return textOfDataset(parseDatasetName(`${project}/${name}`));
  });
}

/** The sources that no later one descends from, in order; of one that is named twice the last. */
async function notContained(workspace: Workspace, found: readonly FoundVersion[]): Promise<FoundVersion[]> {
  const ids = found.map(({ version }) => version.id);
  const ancestry = await ancestryOfIds(workspace, ids);
  const within = ids.map((id) => selfAndAncestors(ancestry, id));
  return found.filter((_, at) => !within.slice(at + 1).some((later) => later.has(ids[at]!)));
}

/** Whether any of their bytes may lie in another remote. */
async function liesElsewhere(
  workspace: Workspace,
  layers: readonly FoundVersion[],
  target: string,
): Promise<boolean> {
  const catalog = await workspace.catalog();
  for (const { version } of layers) {
    const remotes = [version.remoteId, ...(await catalog.remotesOfVersion(version.id))];
    if (remotes.some((remote) => remote !== target)) return true;
  }
  return false;
}

function nothingToSquash(): DatasetError<"bad-input"> {
  return new DatasetError("bad-input", { value: "" }, "Cannot squash nothing: name at least one version");
}

function oneKind(given: readonly string[]): DatasetError<"bad-input"> {
  const what = given.length === 0 ? "nothing" : given.join(" and ");
  const message = `Cannot squash ${what}: name the sources by one of ids, references and pairs`;
  return new DatasetError("bad-input", { value: given.join(", ") }, message);
}
