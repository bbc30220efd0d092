/** A draft: a reserved label, the parents' tree, and the edits staged so far. Made, opened again, thrown away. */
import { existsSync } from "node:fs";
import type { Dataset as DatasetRow, VersionRow } from "../catalog/catalog.js";
import { parseLabel } from "../catalog/label.js";
import { isFinished } from "../catalog/version-row.js";
import type { RemoteId } from "../content/chunk.js";
import type { SegmentRef } from "../content/segment.js";
import { DatasetError } from "../errors.js";
import type { Tree } from "../manifest/tree.js";
import { ROOT } from "../paths.js";
import { forgetDraft, withDraftFile } from "./draft-file.js";
import { DraftTree } from "./draft-tree.js";
import { inheritMetadata } from "./metadata.js";
import { currentJob } from "./job-of-process.js";
import { type FoundVersion, refresh } from "./history.js";
import { calledNow, refuseFormerName } from "./former-names.js";
import { type Layer, type MergeMode, type Squash, mergeLayers, openLayers, stageLayers } from "./layers.js";
import { type NamedDataset, claimName } from "./names.js";
import { type DatasetName, type VersionId, newDatasetId, newVersionId, textOfDataset } from "./reference.js";
import { takeIn } from "./remote-reference.js";
import { stageCopy } from "./stage-copy.js";
import { type StagedFacts, Staging } from "./staging.js";
import { discardCutOff } from "./transient-drafts.js";
import { isTransient, unmarkTransient } from "./transient-mark.js";
import type { LoadedTree } from "./version-tree.js";
import type { OpenedRemote, Workspace } from "./workspace.js";

export interface CreateOptions {
  /** Default: the highest label of the dataset, incremented; 1.0.0 for the first. */
  version?: string | undefined;
  /** References, ids or datasets, in order; a later parent wins where several hold a path. */
  parents?: readonly ParentVersion[] | undefined;
  /** How several parents become one tree. Default `ordered`: a later one wins wherever it has a path. */
  merge?: MergeMode | undefined;
  /** URL or absolute path. Default: where the first parent lies, else the user's default remote. */
  remote?: string | undefined;
  tags?: readonly string[] | undefined;
  description?: string | undefined;
  /** The version belongs to the job that runs (`job.ts`), and `varve log` names it. Default false. */
  useCurrentJob?: boolean | undefined;
  /** Id of the new version, for who must know it before there is anything of it. Default: a new one. */
  id?: VersionId | undefined;
  /** Id of the version whose tree the staged edits are laid over. Default: the first parent. For later commits of one mount. */
  base?: string | undefined;
  /** Whether the metadata of the parents is taken over; a later parent wins where several have a name. Default false. */
  inheritMetadata?: boolean | undefined;
  /** Take over of the one parent only files of which this expression over their metadata holds. Default: all. */
  where?: string | undefined;
  /** Take over of the one parent only files that one of these patterns matches. Default: all. */
  globs?: readonly string[] | undefined;
  /** Whether this process finishes the draft or throws it away (`transient-drafts.ts`). Default false. */
  transient?: boolean | undefined;
  /** Whether the caller has just looked in remotes for new versions of the dataset, so that nobody need again. Default false. */
  refreshed?: boolean | undefined;
}

export interface DraftOptions extends CreateOptions {
  /** The job that made it, where it is not made by one now. */
  job?: { id: string; name: string } | undefined;
  /** What it starts from though it is no parent of it. Default: nothing. */
  squash?: Squash | undefined;
}

/** A reference, an id, or a `Dataset`. */
export type ParentVersion = string | { readonly locator: string };

export interface Draft {
  dataset: DatasetRow;
  version: VersionRow;
  parents: readonly FoundVersion[];
  remote: OpenedRemote;
  tree: DraftTree;
  /** What its tree is made of before anything is staged: its parents, or what it is squashed from. */
  layers: readonly Layer[];
  merge: MergeMode;
  squash: Squash | undefined;
  /** Index segments of all layers: what the lineage holds. */
  segments: readonly SegmentRef[];
}

/** Reserves a label and lays out the parents' tree. @throws {DatasetError} `conflict` when the label is taken */
export async function createDraft(
  workspace: Workspace,
  name: DatasetName,
  options: DraftOptions = {},
): Promise<Draft> {
  if (options.version !== undefined) parseLabel(options.version);
  const catalog = await workspace.catalog();
  const parents = await Promise.all((options.parents ?? []).map((parent) => takeInParent(workspace, parent)));
  const remote = await chooseRemote(
    workspace,
    options.remote,
    parents.map(({ version }) => version),
  );
  const claimed = await claimDataset(workspace, name, remote);
  if (!options.refreshed) await refresh(workspace, claimed, { remote });
  const dataset = await calledNow(workspace, claimed.id, name);
  await discardCutOff(workspace, dataset);
  const job = options.useCurrentJob ? await currentJob(workspace) : options.job;
  const version = await withDraftFile(workspace, options.id ?? newVersionId(), factsOf(options), (id) =>
    catalog.reserveVersion({
      id,
      dataset: dataset.id,
      label: options.version,
      parents: parents.map((parent) => parent.version.id),
      tags: [...(options.tags ?? [])],
      description: options.description ?? "",
      createdBy: workspace.user,
      remoteId: remote.id,
      job,
    }),
  );
  const draft = await openDraft(workspace, { dataset, version });
  await stageFirst(workspace, draft);
  if (options.inheritMetadata) await inheritMetadata(workspace, draft);
  if (!options.transient) unmarkTransient(draft.tree.staging);
  return draft;
}

/** Facts that must outlive the process which makes the draft. */
function factsOf({ version, base, merge, squash }: DraftOptions): StagedFacts {
  return {
    labelAutomatic: version === undefined,
    ...(base !== undefined && { base }),
    ...(merge !== undefined && { merge }),
    ...(squash && { squash }),
  };
}

/** The version of a parent, in the user's catalog. @throws {DatasetError} `not-found`, `version-unfinished` */
export function takeInParent(workspace: Workspace, parent: ParentVersion): Promise<FoundVersion> {
  return takeIn(workspace, typeof parent === "string" ? parent : parent.locator);
}

/** Opens a draft made earlier. @throws {DatasetError} `version-final`; `not-found` when it was made on another machine */
export async function openDraft(
  workspace: Workspace,
  found: { dataset: DatasetRow; version: VersionRow },
): Promise<Draft> {
  const { dataset, version } = found;
  if (version.state !== "draft" && version.state !== "committing") throw notADraft(found);
  if (!existsSync(workspace.draftFile(version.id))) throw stagedElsewhere(found);
  const staging = Staging.open(workspace.draftFile(version.id));
  try {
    const parents = await openLayers(workspace, await (await workspace.catalog()).parentsOf(version.id));
    const squash = staging.fact("squash") as Squash | undefined;
    const layers = squash ? await openLayers(workspace, squash.layers) : parents;
    const base = await baseOf(workspace, staging, layers);
    return {
      dataset,
      version,
      parents,
      remote: await remoteOf(workspace, version),
      tree: new DraftTree(staging, squash?.copies ? undefined : base, await workspace.cache()),
      layers,
      merge: (staging.fact("merge") as MergeMode | undefined) ?? "ordered",
      squash,
      // Offline those of parents may not be at hand; chunks that they know are then sent again.
      segments: workspace.isOffline ? [] : uniqueSegments(layers),
    };
  } catch (error) {
    staging.close();
    throw error;
  }
}

/**
 * The draft this user made last on this machine, for commands that name none; also one whose completion was cut off, and
 * never one that a process such as `sync` has for itself.
 *
 * @throws {DatasetError} `not-found`
 */
export async function lastDraft(workspace: Workspace): Promise<Draft> {
  const catalog = await workspace.catalog();
  const drafts = await catalog.draftsOf(workspace.user);
  const version = drafts.find(({ id }) => isForCommands(workspace.draftFile(id)));
  const dataset = version && (await catalog.datasetById(version.datasetId));
  if (!dataset) {
    const message =
      "Cannot tell which dataset is meant: there is no draft; varve create makes one, --dataset names one";
    throw new DatasetError("not-found", { what: "draft" }, message);
  }
  workspace.notice(`Using the draft ${textOfDataset(dataset)}@${version.label}`);
  return openDraft(workspace, { dataset, version });
}

function isForCommands(file: string): boolean {
  if (!existsSync(file)) return false;
  const staging = Staging.open(file);
  try {
    return !isTransient(staging);
  } finally {
    staging.close();
  }
}

/** Throws a draft away: its label is free again. What it uploaded is left to the collector. */
export async function discardDraft(workspace: Workspace, draft: Draft): Promise<void> {
  closeDraft(draft);
  await forgetDraft(workspace, draft.version.id);
}

export function closeDraft(draft: Draft): void {
  draft.tree.staging.close();
}

async function chooseRemote(
  workspace: Workspace,
  url: string | undefined,
  parents: readonly VersionRow[],
): Promise<OpenedRemote> {
  if (url !== undefined) return workspace.openRemote(url);
  const first = parents[0];
  return first ? remoteOf(workspace, first) : workspace.defaultRemote();
}

async function remoteOf(workspace: Workspace, { remoteId }: VersionRow): Promise<OpenedRemote> {
  const id = remoteId as RemoteId;
  return { id, remote: await workspace.remote(id) };
}

/** The dataset's row, under the id the remote knows it by. @throws {DatasetError} `conflict` where another has its name there */
export async function claimDataset(
  workspace: Workspace,
  name: DatasetName,
  { remote }: OpenedRemote,
): Promise<DatasetRow> {
  const catalog = await workspace.catalog();
  const known = await catalog.findDataset(name.project, name.name);
  if (!known) await refuseFormerName(workspace, name);
  const proposed = known ?? { id: newDatasetId(), createdAtMs: Date.now() };
  const claimed = await claimName(remote, name, proposed as NamedDataset);
  if (known && known.id !== claimed.id) {
    const text = textOfDataset(name);
    const message = `Cannot use "${text}" in ${remote.url}: another dataset of that name lives there already`;
    throw new DatasetError("conflict", { what: text }, message);
  }
  return known ?? (await catalog.datasetById(claimed.id)) ?? catalog.ensureDataset({ ...name, ...claimed });
}

/** The tree that staged edits are laid over: of a later commit of one mount, that of an earlier one. */
async function baseOf(
  workspace: Workspace,
  staging: Staging,
  layers: readonly Layer[],
): Promise<Tree | undefined> {
  const base = staging.fact("base") as string | undefined;
  return base === undefined ? layers[0]?.tree : (await openLayers(workspace, [base]))[0]!.tree;
}

/** Stages what a draft holds from its start on beside its base. */
async function stageFirst(workspace: Workspace, draft: Draft): Promise<void> {
  const { staging } = draft.tree;
  if (draft.squash?.copies) await stageCopy(staging, await layersTree(workspace, draft));
  else if (draft.layers.length === 0) await draft.tree.ensureDirectory(ROOT);
  else if (draft.layers.length > 1)
    await stageLayers(staging, draft.layers[0], await layersTree(workspace, draft));
}

/** The layers' merged tree, as it was before anything was staged: what a version's changes are counted against. */
export function layersTree(workspace: Workspace, { layers, remote, merge }: Draft): Promise<LoadedTree> {
  return mergeLayers(workspace, layers, remote.id, merge);
}

function uniqueSegments(layers: readonly Layer[]): SegmentRef[] {
  return [...new Map(layers.flatMap(({ tree }) => tree.root.segments).map((ref) => [ref.id, ref])).values()];
}

/** What is staged lies beside the catalog only where that is a file of this machine. */
function stagedElsewhere({ dataset, version }: { dataset: DatasetRow; version: VersionRow }): DatasetError {
  const what = `draft ${textOfDataset(dataset)}@${version.label}`;
  const message = `Cannot go on with the ${what} here: what is staged for it lies where ${version.createdBy} made it; go on there`;
  return new DatasetError("not-found", { what }, message);
}

export function notADraft({ dataset, version }: { dataset: DatasetRow; version: VersionRow }): DatasetError {
  const name = `${textOfDataset(dataset)}@${version.label}`;
  const advice = isFinished(version) ? `; create a child with --parent ${name}` : "";
  const state = isFinished(version) ? version.state : "a draft no more";
  const message = `Cannot change "${name}": it is ${state}${advice}`;
  return new DatasetError("version-final", { version: name }, message);
}
