/**
 * What killed processes left of drafts: of those that one process makes and either finishes or throws away, as `sync`
 * does, of those it had not yet made, and files without a draft. The next who makes a draft throws them away, which
 * frees their labels. Packs they have sent are found in the remote and not sent again.
 */
import { existsSync } from "node:fs";
import type { Dataset as DatasetRow } from "../catalog/catalog.js";
import { namesIn } from "../daemon/state-file.js";
import { isDatasetError } from "../errors.js";
import { tryLock } from "../file-lock.js";
import { ensureDir } from "../home.js";
import { draftLockOf, forgetDraft, isLeftBehind, removeDraftFile } from "./draft-file.js";
import { isFinished, refresh } from "./history.js";
import { Staging } from "./staging.js";
import { hasLostItsProcess } from "./transient-mark.js";
import type { Workspace } from "./workspace.js";

/** Throws away what was cut off on this machine: drafts of a dataset, and files of drafts that are no more or not yet. */
export async function discardCutOff(workspace: Workspace, dataset: DatasetRow): Promise<void> {
  if ((await cutOffDrafts(workspace, dataset)).length > 0) {
    await refresh(workspace, dataset); // One that had come to its record is a version.
    for (const id of await cutOffDrafts(workspace, dataset)) await forgetDraft(workspace, id);
  }
  for (const id of new Set(namesIn(ensureDir(workspace.home.draftsDir)).flatMap(idOfFile)))
    await sweepFile(workspace, id);
}

async function cutOffDrafts(workspace: Workspace, dataset: DatasetRow): Promise<string[]> {
  const catalog = await workspace.catalog();
  const drafts = await catalog.listVersions(dataset.id, { states: ["draft", "committing"] });
  return drafts.map(({ id }) => id).filter((id) => isCutOff(workspace.draftFile(id)));
}

function isCutOff(file: string): boolean {
  return existsSync(file) && inFile(file, hasLostItsProcess);
}

/** Whoever makes a draft has its lock until there is a row; that of a draft which is there is not touched. */
async function sweepFile(workspace: Workspace, id: string): Promise<void> {
  if (await isDraft(workspace, id)) return;
  const file = workspace.draftFile(id);
  const lock = tryLock(draftLockOf(file));
  try {
    if (lock && !(await isDraft(workspace, id)) && (await isOfNoUse(workspace, id))) removeDraftFile(file);
  } finally {
    lock?.release();
  }
}

async function isDraft(workspace: Workspace, id: string): Promise<boolean> {
  const version = await (await workspace.catalog()).versionById(id);
  return version !== undefined && !isFinished(version);
}

async function isOfNoUse(workspace: Workspace, id: string): Promise<boolean> {
  const file = workspace.draftFile(id);
  if (!existsSync(file) || (await (await workspace.catalog()).versionById(id))) return true;
  return inFile(file, (staging) => isLeftBehind(staging, workspace.home));
}

/** Of the file itself, and of those that lie beside it. */
function idOfFile(name: string): string[] {
  const [, id] = /^([0-9a-f]{32})\.db(-\w+)?$/.exec(name) ?? [];
  return id === undefined ? [] : [id];
}

/** False for a file that cannot be read: who wants the draft is told so. */
function inFile(file: string, ask: (staging: Staging) => boolean): boolean {
  let staging: Staging | undefined;
  try {
    staging = Staging.open(file);
    return ask(staging);
  } catch (error) {
    if (isDatasetError(error)) return false;
    throw error;
  } finally {
    staging?.close();
  }
}
