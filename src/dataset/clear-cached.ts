/** Taking a version, or all versions of a dataset, out of the cache. */
import type { Cleared } from "../cache/housekeeping.js";
import type { VersionRow } from "../catalog/catalog.js";
import type { Sha256 } from "../content/chunk.js";
import { DatasetError } from "../errors.js";
import { isFinished } from "./history.js";
import { localHashes } from "./local-content.js";
import { type Reference, parseReference, textOfReference } from "./reference.js";
import type { Workspace } from "./workspace.js";

/**
 * Removes what the cache holds of a version, or of all versions when no label is given, but for what is pinned. Content
 * that other versions share goes too. Fetches nothing: where a listing is not in the cache, what it lists stays.
 *
 * @throws {DatasetError} `not-found`, `bad-input`
 */
export async function clearCached(workspace: Workspace, text: string): Promise<Cleared> {
  const versions = await knownVersions(workspace, parseReference(text));
  const cache = await workspace.cache();
  return workspace.housekeeping().clearBlocks(allHashes());

  async function* allHashes(): AsyncGenerator<readonly Sha256[]> {
    for (const version of versions) yield* localHashes(cache, version);
  }
}

async function knownVersions(workspace: Workspace, reference: Reference): Promise<VersionRow[]> {
  const catalog = await workspace.catalog();
  const versions = await versionsMeant();
  if (versions.length > 0) return versions.filter(isFinished);
  const what = textOfReference(reference);
  throw new DatasetError("not-found", { what }, `Cannot find "${what}": this catalog does not know it`);

  async function versionsMeant(): Promise<VersionRow[]> {
    if ("id" in reference) return known(await catalog.versionById(reference.id));
    const dataset = await catalog.findDataset(reference.project, reference.name);
    if (!dataset) return [];
    if (reference.label === undefined) return catalog.listVersions(dataset.id);
    return known(await catalog.versionByLabel(dataset.id, reference.label));
  }
}

function known<T>(version: T | undefined): T[] {
  return version === undefined ? [] : [version];
}
