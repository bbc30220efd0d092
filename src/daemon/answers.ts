/** Answers what the file system of a mount asks of the catalog. */
import { isFinished, findVersion, nameOfVersion } from "../dataset/history.js";
import { type Descendant, ancestryOf, describeLineage } from "../dataset/lineage.js";
import { rootBlockOf } from "../dataset/version-tree.js";
import type { Workspace } from "../dataset/workspace.js";
import type { Answerer, Lineage, LineageVersion } from "../fs/questions.js";

export function answererOf(workspace: Workspace): Answerer {
  return ({ version }) => lineageFacts(workspace, version);
}

async function lineageFacts(workspace: Workspace, version: string): Promise<Lineage> {
  const ancestry = await ancestryOf(workspace, await findVersion(workspace, version));
  const steps = await describeLineage(workspace, ancestry);
  return { versions: [...ancestry.values()].map(lineageVersion), json: JSON.stringify(steps, null, 2) };
}

function lineageVersion(found: Descendant): LineageVersion {
  const { version, parents } = found;
  const root = isFinished(version) ? rootBlockOf(version) : undefined;
  return { id: version.id, reference: nameOfVersion(found), parents, root };
}
