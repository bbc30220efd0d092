/** What a version consists of, as far as its listing is in the cache. Fetches nothing. */
import { setImmediate } from "node:timers/promises";

import { Missing } from "../cache/block.js";
import type { Cache } from "../cache/cache.js";
import type { VersionRow } from "../catalog/catalog.js";
import type { Sha256 } from "../content/chunk.js";
import { openRoot } from "../manifest/root.js";
import { ROOT } from "../paths.js";
import { filesIn, slicesOf } from "./version-blocks.js";
import { rootBlockOf, treeOf } from "./version-tree.js";

/** Hashes of the blocks, range by range; the root's comes last. Others get their turn between ranges. */
export async function* localHashes(cache: Cache, version: VersionRow): AsyncGenerator<readonly Sha256[]> {
  const root = rootBlockOf(version);
  const bytes = cache.local.get(root.hash);
  if (!bytes) return;
  for await (const slice of slicesOf(treeOf(cache, openRoot(bytes)), [ROOT], ifHere)) {
    const files = [...filesIn(slice, () => false)];
    yield [slice.block, ...files.flat()].map(({ hash }) => hash);
    await setImmediate();
  }
  yield [root.hash];
}

function ifHere<T>(operation: () => T): Promise<T | undefined> {
  try {
    return Promise.resolve(operation());
  } catch (thrown) {
    if (thrown instanceof Missing) return Promise.resolve(undefined);
    throw thrown;
  }
}
