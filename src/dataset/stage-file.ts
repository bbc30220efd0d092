/** Stages one local file that the user named: unlike what lies in a folder, a symbolic link stands for what it leads to. */
import { EntryType } from "../manifest/entry.js";
import { RESERVED_NAME, type TreePath, nameOf, parentOf, textOf } from "../paths.js";
import type { DraftTree } from "./draft-tree.js";
import { EntryStage, type SettleOptions } from "./entry-stage.js";
import type { LocalEntry, SpecialFile } from "./local-folder.js";
import type { StageCounts } from "./stage-counts.js";
import type { Stamps } from "./stamps.js";

/** @param to Its path in the dataset. */
export async function stageFile(
  tree: DraftTree,
  stamps: Stamps,
  local: LocalEntry | SpecialFile,
  to: TreePath,
  options: SettleOptions,
): Promise<StageCounts> {
  const stage = new EntryStage(tree, stamps);
  const isReserved = to === RESERVED_NAME;
  if (local.type === "special" || isReserved) {
    const reason = local.type === "special" ? local.reason : "a reserved name at a dataset's root";
    stage.counts.skipped.push({ path: textOf(local.path), reason });
    return stage.counts;
  }
  const existing = await tree.get(to);
  await tree.makeRoomFor(to, local.type);
  const [folder, name] = [parentOf(local.path as TreePath), nameOf(local.path as TreePath)];
  const remembered = stamps.directory(folder).get(name);
  const alone = local.type === EntryType.file ? { ...local, hardLink: undefined } : local;
  tree.staging.transaction(() => stage.stage(alone, to, { existing, remembered }));
  await stage.settle(options);
  return stage.counts;
}
