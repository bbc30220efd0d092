/**
 * Drafts that one process makes and either finishes or throws away, as `sync` does. When it is killed nobody will go on
 * with them: the next throws them away, which frees their labels. Packs they have sent are found in the remote and not
 * sent again.
 */
import { existsSync } from "node:fs";
import type { Dataset as DatasetRow } from "../catalog/catalog.js";
import { forgetDraft } from "./draft.js";
import { refresh } from "./history.js";
import { Staging } from "./staging.js";
import { hasLostItsProcess } from "./transient-mark.js";
import type { Workspace } from "./workspace.js";

/** Throws away the transient drafts of a dataset whose processes were killed on this machine. */
export async function discardCutOff(workspace: Workspace, dataset: DatasetRow): Promise<void> {
  if ((await cutOffDrafts(workspace, dataset)).length === 0) return;
  await refresh(workspace, dataset); // One that had come to its record is a version.
  for (const id of await cutOffDrafts(workspace, dataset)) await forgetDraft(workspace, id);
}

async function cutOffDrafts(workspace: Workspace, dataset: DatasetRow): Promise<string[]> {
  const catalog = await workspace.catalog();
  const drafts = await catalog.listVersions(dataset.id, { states: ["draft", "committing"] });
  return drafts.map(({ id }) => id).filter((id) => isCutOff(workspace.draftFile(id)));
}

function isCutOff(file: string): boolean {
  if (!existsSync(file)) return false;
  const staging = Staging.open(file);
  try {
    return hasLostItsProcess(staging);
  } finally {
    staging.close();
  }
}
