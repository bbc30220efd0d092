/** A remote as the strictest collector would leave it: nothing but what one version needs. */
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

import { packKey } from "../../../src/content/chunk.js";
import { segmentKey } from "../../../src/content/segment.js";
import type { Dataset } from "../../../src/dataset/dataset.js";
import { NAMES_PREFIX } from "../../../src/dataset/names.js";
import { recordKey } from "../../../src/dataset/record.js";
import { findVersion } from "../../../src/dataset/history.js";
import type { DatasetId } from "../../../src/dataset/reference.js";
import type { Workspace } from "../../../src/dataset/workspace.js";
import { EntryType } from "../../../src/manifest/entry.js";
import { rangeKey } from "../../../src/manifest/range-ref.js";

/** Deletes from the remote in a folder every object that a version does not name, names of datasets but for its own too. */
export async function pruneTo(workspace: Workspace, version: Dataset, folder: string): Promise<void> {
  const kept = await keysOf(workspace, version);
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const key = path.slice(folder.length + 1);
    if (entry.isFile() && !kept.has(key)) rmSync(path);
  }
}

/** Keys of the objects a version needs. */
export async function keysOf(workspace: Workspace, version: Dataset): Promise<Set<string>> {
  const { dataset, version: row } = await findVersion(workspace, version.id);
  const { root } = await version.tree();
  const name = `${encodeURIComponent(version.project)}/${encodeURIComponent(version.name)}`;
  const keys = new Set(["varve.json", NAMES_PREFIX + name, row.rootKey!]);
  keys.add(recordKey(dataset.id as DatasetId, version.version));
  for (let number = 0; number < root.rangeCount; number++) keys.add(rangeKey(root.rangeAt(number).object));
  for (const { id } of root.segments) keys.add(segmentKey(id));
  for await (const entry of version.listFiles())
    if (entry.type === EntryType.file) for (const { pack } of entry.chunks) keys.add(packKey(pack));
  return keys;
}
