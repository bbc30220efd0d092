/** Where a version comes from: it and its ancestors, each once, newest first. */
import { type FoundVersion, nameOfVersion } from "./history.js";
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
  description: string;
  tags: string[];
  /** In order; `name` where the catalog knows it. */
  parents: { id: string; name: string | undefined }[];
  changes: { added: number; modified: number; metadata: number; removed: number; renamed: number };
}

/** Costs one look-up a version; a parent this catalog does not know ends its branch. */
export async function lineageOf(workspace: Workspace, version: FoundVersion): Promise<LineageStep[]> {
  const found = new Map<string, FoundVersion>([[version.version.id, version]]);
  const steps: LineageStep[] = [];
  for (const step of found.values()) {
    const { described, parents } = await stepOf(workspace, step);
    steps.push(described);
    for (const parent of parents) if (!found.has(parent.version.id)) found.set(parent.version.id, parent);
  }
  return [steps[0]!, ...steps.slice(1).sort((a, b) => (a.created < b.created ? 1 : -1))];
}

async function stepOf(
  workspace: Workspace,
  { dataset, version }: FoundVersion,
): Promise<{ described: LineageStep; parents: FoundVersion[] }> {
  const catalog = await workspace.catalog();
  const ids = await catalog.parentsOf(version.id);
  const known = await Promise.all(ids.map((id) => find(workspace, id)));
  const { id, label, state, createdAtMs, createdBy, description } = version;
  const { added, modified, metadataChanged, removed, renamed } = version;
  const described: LineageStep = {
    id,
    dataset: textOfDataset(dataset),
    version: label,
    state,
    created: new Date(createdAtMs).toISOString(),
    createdBy,
    description,
    tags: await catalog.versionTags(id),
    parents: ids.map((parent, index) => ({ id: parent, name: known[index] && nameOfVersion(known[index]) })),
    changes: {
      added: added ?? 0,
      modified: modified ?? 0,
      metadata: metadataChanged ?? 0,
      removed: removed ?? 0,
      renamed: renamed ?? 0,
    },
  };
  return { described, parents: known.filter((parent) => parent !== undefined) };
}

async function find(workspace: Workspace, id: string): Promise<FoundVersion | undefined> {
  const catalog = await workspace.catalog();
  const version = await catalog.versionById(id);
  const dataset = version && (await catalog.datasetById(version.datasetId));
  return dataset && { dataset, version };
}
