/** Taking a version, or all versions of a dataset, out of the cache. */
import { Missing } from "../cache/block.js";
import type { Cache } from "../cache/cache.js";
import type { Cleared } from "../cache/housekeeping.js";
import type { VersionRow } from "../catalog/catalog.js";
import type { Sha256 } from "../content/chunk.js";
import { DatasetError } from "../errors.js";
import { openRoot } from "../manifest/root.js";
import { ROOT } from "../paths.js";
import { isFinished } from "./history.js";
import { type Reference, parseReference, textOfReference } from "./reference.js";
import { filesIn, slicesOf } from "./version-blocks.js";
import { rootBlockOf, treeOf } from "./version-tree.js";
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
  return workspace.housekeeping().clearBlocks(localHashes(cache, versions));
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

async function* localHashes(
  cache: Cache,
  versions: readonly VersionRow[],
): AsyncGenerator<readonly Sha256[]> {
  for (const version of versions) {
    const root = rootBlockOf(version);
    const bytes = cache.local.get(root.hash);
    if (!bytes) continue;
    for await (const { block, ...slice } of slicesOf(treeOf(cache, openRoot(bytes)), [ROOT], ifHere)) {
      const files = [...filesIn({ block, ...slice }, () => false)];
      yield [block, ...files.flat()].map(({ hash }) => hash);
    }
    yield [root.hash];
  }
}

function ifHere<T>(operation: () => T): Promise<T | undefined> {
  try {
    return Promise.resolve(operation());
  } catch (thrown) {
    if (thrown instanceof Missing) return Promise.resolve(undefined);
    throw thrown;
  }
}

function known<T>(version: T | undefined): T[] {
  return version === undefined ? [] : [version];
}
