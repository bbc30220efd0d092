/** Stages one path the user named: a file under its own name, or else whatever `folder` does with a folder. */
import { EntryType } from "../manifest/entry.js";
import { RESERVED_NAME, type TreePath, checkName, joinPath, textOf } from "../paths.js";
import type { DraftTree } from "./draft-tree.js";
import { attributesOf, readLocalRoot } from "./local-folder.js";
import type { StageCounts } from "./stage-folder.js";

/** @throws {DatasetError} `not-found`, `source-unreadable` */
export async function stageFile(
  tree: DraftTree,
  from: string,
  to: TreePath,
  folder: () => Promise<StageCounts>,
): Promise<StageCounts> {
  const local = readLocalRoot(from);
  if (local.type === EntryType.directory) return folder();
  const counts: StageCounts = { added: 0, modified: 0, removed: 0, files: 0, skipped: [] };
  const path = joinPath(to, checkName(from.slice(from.lastIndexOf("/") + 1)));
  if (local.type !== EntryType.file || path === RESERVED_NAME) return { ...counts, skipped: [textOf(from)] };
  const existing = await tree.get(path);
  const entry = { type: local.type, path, ...attributesOf(local), sizeBytes: local.sizeBytes };
  await tree.putPending(entry, { kind: "file", path: local.path, stamp: local.stamp });
  return { ...counts, files: 1, added: existing ? 0 : 1, modified: existing ? 1 : 0 };
}
