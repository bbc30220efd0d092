/** Where a version comes from: it and its ancestors, each once. */
import { type FoundVersion, nameOfVersion } from "./history.js";
import { gatherLineage } from "./remote-lineage.js";
import { textOfDataset } from "./reference.js";
import type { Workspace } from "./workspace.js";

export interface LineageStep {
  id: string;
  /** `project/name`. */
  dataset: string;
  version: string;
  state: string;
  /** ISO 8601. */
  created: string;
  createdBy: string;
  /** The job that made it, where it was told so. */
  job: { id: string; name: string } | null;
  description: string;
  tags: string[];
  /** In order; `name` where the catalog knows it. */
  parents: { id: string; name: string | undefined }[];
  /** What it was squashed from, in order, by the names of then; not its parents, and they may be no more. */
  squashedFrom: { id: string; name: string }[];
  changes: { added: number; modified: number; metadata: number; removed: number; renamed: number };
}

/** A version of a lineage and the ids of its parents, in order; those the catalog does not know among them. */
export interface Descendant extends FoundVersion {
  parents: readonly string[];
}

/** A version and its ancestors by id, the version first. A parent this catalog does not know ends its branch. */
export async function ancestryOf(
  workspace: Workspace,
  version: FoundVersion,
): Promise<Map<string, Descendant>> {
  if (version.remote !== undefined) await gatherLineage(workspace, version);
  const catalog = await workspace.catalog();
  const waiting = [version];
  const found = new Map<string, Descendant>();
  for (let next = waiting.shift(); next; next = waiting.shift()) {
    if (found.has(next.version.id)) continue;
    const parents = await catalog.parentsOf(next.version.id);
    found.set(next.version.id, { ...next, parents });
    for (const id of parents) if (!found.has(id)) waiting.push(...(await find(workspace, id)));
  }
  return found;
}

/** The steps of a lineage, newest first but for the version itself, which leads. Costs a look-up or three a version. */
export async function lineageOf(workspace: Workspace, version: FoundVersion): Promise<LineageStep[]> {
  return describeLineage(workspace, await ancestryOf(workspace, version));
}

export async function describeLineage(
  workspace: Workspace,
  ancestry: ReadonlyMap<string, Descendant>,
): Promise<LineageStep[]> {
  const steps: LineageStep[] = [];
  for (const step of ancestry.values()) steps.push(await describe(workspace, step, ancestry));
  return [...steps.slice(0, 1), ...steps.slice(1).sort((a, b) => (a.created < b.created ? 1 : -1))];
}

async function describe(
  workspace: Workspace,
  { dataset, version, parents }: Descendant,
  ancestry: ReadonlyMap<string, Descendant>,
): Promise<LineageStep> {
  const catalog = await workspace.catalog();
  const nameOf = (parent: string) => ancestry.get(parent) && nameOfVersion(ancestry.get(parent)!);
  const { id, label, state, createdAtMs, createdBy, description } = version;
  const { added, modified, metadataChanged, removed, renamed } = version;
  return {
    id,
    dataset: textOfDataset(dataset),
    version: label,
    state,
    created: new Date(createdAtMs).toISOString(),
    createdBy,
    job: (await catalog.jobOfVersion(id)) ?? null,
    description,
    tags: await catalog.versionTags(id),
    parents: parents.map((parent) => ({ id: parent, name: nameOf(parent) })),
    squashedFrom: (await catalog.squashedFrom(id)).map((source) => ({
      id: source.sourceId,
      name: `${source.dataset}@${source.label}`,
    })),
    changes: {
      added: added ?? 0,
      modified: modified ?? 0,
      metadata: metadataChanged ?? 0,
      removed: removed ?? 0,
      renamed: renamed ?? 0,
    },
  };
}

async function find(workspace: Workspace, id: string): Promise<FoundVersion[]> {
  const catalog = await workspace.catalog();
  const version = await catalog.versionById(id);
  const dataset = version && (await catalog.datasetById(version.datasetId));
  return dataset ? [{ dataset, version }] : [];
}
