/** Stages what `addFiles` is told: local files, and what local folders hold. */
import { EntryType } from "../manifest/entry.js";
import { type AddOptions, additionOf } from "./addition.js";
import type { DraftTree } from "./draft-tree.js";
import { type StageCounts, addCounts, newCounts } from "./stage-counts.js";
import { stageFile } from "./stage-file.js";
import { type StageOptions, stageFolder } from "./stage-folder.js";
import type { Stamps } from "./stamps.js";

/**
 * Stages files and the contents of folders.
 *
 * @throws {DatasetError} `not-found`, `source-unreadable`, `bad-input`; nothing is staged then
 */
export async function addFiles(
  tree: DraftTree,
  stamps: Stamps,
  paths: readonly string[],
  { leaveOut, ...options }: AddOptions & Pick<StageOptions, "leaveOut">,
): Promise<StageCounts> {
  const additions = paths.map((path) => additionOf(path, paths.length === 1, options));
  const total = newCounts();
  const { onProgress } = options;
  for (const { from, local, to, options } of additions) {
    const before = total.files;
    const given = {
      ...options,
      leaveOut,
      onProgress: onProgress && ((files: number) => onProgress(before + files)),
    };
    const isFolder = local.type === EntryType.directory;
    addCounts(
      total,
      await (isFolder
        ? stageFolder(tree, stamps, from, to, given)
        : stageFile(tree, stamps, local, to, given)),
    );
  }
  return total;
}
