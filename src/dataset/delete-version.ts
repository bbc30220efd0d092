/**
 * Deletes versions. An amendment tells it first, the point of truth; then the catalog's row and the record go (a stone takes
 * its place, so that the label is never given again). Root, ranges, packs and segments stay: descendants share them, drafts
 * and mounts elsewhere may use them, and what nobody needs is freed by collection.
 */
import type { Dataset as DatasetRow } from "../catalog/catalog.js";
import type { RemoteId } from "../content/chunk.js";
import { DatasetError } from "../errors.js";
import { amend } from "./amend.js";
import { checkDeletable } from "./deletable.js";
import { forgetDraft } from "./draft-file.js";
import { type DeletedSource, deleteSources, ownLinks } from "./external-sources.js";
import { type FoundVersion, isFinished, nameOfVersion, refresh } from "./history.js";
import { buryRecord } from "./record.js";
import { type DatasetId, textOfDataset } from "./reference.js";
import type { Workspace } from "./workspace.js";

export interface DeleteOptions {
  /** Deletes what is published, mounted to be read, or has finished children, which lose nothing. Default false. */
  force?: boolean | undefined;
  /** Deletes also the sources of links that no other version has, where they are still what was linked. Default false. */
  deleteExternalFiles?: boolean | undefined;
  /** Only tells what would go. Default false. */
  dryRun?: boolean | undefined;
}

export interface Deleted {
  /** In the order of their labels. `bytes` counts content it named, most of which others may name too; null for a draft. */
  versions: { id: string; dataset: string; version: string; state: string; bytes: number | null }[];
  /** What became of the sources of links; with `dryRun` those that would be tried, as `kept`. */
  externalFiles: DeletedSource[];
}

/** @throws {DatasetError} `conflict` with what is in the way; `offline`, `remote-failed`, `remote-refused` */
export async function deleteVersion(
  workspace: Workspace,
  found: FoundVersion,
  options: DeleteOptions = {},
): Promise<Deleted> {
  await refresh(workspace, found.dataset);
  return deleteAll(workspace, [found], options);
}

/**
 * Deletes all versions of a dataset, drafts too. Its name stays its own: who makes a version under it goes on with the next label.
 *
 * @throws {DatasetError} as `deleteVersion`; `conflict` without `force`
 */
export async function deleteDataset(
  workspace: Workspace,
  dataset: DatasetRow,
  options: DeleteOptions = {},
): Promise<Deleted> {
  await refresh(workspace, dataset);
  const versions = await (await workspace.catalog()).listVersions(dataset.id);
  if (!options.force && !options.dryRun) throw needsForce(dataset, versions.length);
  return deleteAll(
    workspace,
    versions.map((version) => ({ dataset, version })),
    options,
  );
}

async function deleteAll(
  workspace: Workspace,
  all: readonly FoundVersion[],
  { force, deleteExternalFiles = false, dryRun = false }: DeleteOptions,
): Promise<Deleted> {
  const together = new Set(all.map(({ version }) => version.id));
  for (const found of all) await checkDeletable(workspace, found, { force, together });
  const finished = all.map(({ version }) => version).filter(isFinished);
  const links = deleteExternalFiles ? await ownLinks(workspace, finished) : [];
  if (!dryRun) for (const found of all.toReversed()) await deleteOne(workspace, found);
  const externalFiles = dryRun
    ? links.map(({ url }) => ({ url, state: "kept" as const, problem: "only looked at" }))
    : await deleteSources(workspace, links);
  return { versions: all.map(describe), externalFiles };
}

async function deleteOne(workspace: Workspace, { dataset, version }: FoundVersion): Promise<void> {
  const { id, label, remoteId } = version;
  if (!isFinished(version)) return forgetDraft(workspace, id);
  await amend(workspace, dataset, { kind: "delete", version: id, label });
  const remote = await workspace.remote(remoteId as RemoteId);
  await buryRecord(remote, dataset.id as DatasetId, { id, label, by: workspace.user, atMs: Date.now() });
}

function describe(found: FoundVersion): Deleted["versions"][number] {
  const { dataset, version } = found;
  const { id, label, state, bytes } = version;
  return { id, dataset: textOfDataset(dataset), version: label, state, bytes };
}

function needsForce(dataset: DatasetRow, count: number): DatasetError<"conflict"> {
  const what = textOfDataset(dataset);
  const message = `Cannot delete "${what}" with all its ${count} versions: --force says that this is meant`;
  return new DatasetError("conflict", { what }, message);
}

/** @throws {DatasetError} `conflict` where a name stands for several versions */
export function refuseSeveral(found: readonly FoundVersion[]): void {
  if (found.length < 2) return;
  const what = textOfDataset(found[0]!.dataset);
  const names = found.map(nameOfVersion).join(", ");
  const message = `Cannot tell which version of "${what}" to delete: there are ${names}; name one, or --entire-dataset`;
  throw new DatasetError("conflict", { what }, message);
}
