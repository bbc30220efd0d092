/**
 * Who fills a draft and who ends it keep out of each other's way, in one process or in several: any number fill it at once,
 * one alone completes it or throws it away. A version thus holds all of what an `addFiles` said it added, or the call fails.
 */
import { rmSync } from "node:fs";
import { DatasetError } from "../errors.js";
import { tryLock } from "../file-lock.js";
import { type Draft, notADraft } from "./draft.js";
import { draftLockOf } from "./draft-file.js";
import { textOfDataset } from "./reference.js";
import type { Workspace } from "./workspace.js";

/** Beside others who fill it. @throws {DatasetError} `conflict` while somebody ends it; `version-final` when that was done */
export function whileFilling<T>(workspace: Workspace, draft: Draft, work: () => Promise<T>): Promise<T> {
  return locked(workspace, draft, { shared: true }, work);
}

/** Alone. @throws {DatasetError} `conflict` while anybody else fills or ends it; `version-final` when it was ended */
export function whileEnding<T>(workspace: Workspace, draft: Draft, work: () => Promise<T>): Promise<T> {
  return locked(workspace, draft, { shared: false }, work);
}

async function locked<T>(
  workspace: Workspace,
  draft: Draft,
  kind: { shared: boolean },
  work: () => Promise<T>,
): Promise<T> {
  const path = draftLockOf(draft.tree.staging.file);
  const lock = tryLock(path, kind);
  if (!lock) throw inUse(draft, kind);
  try {
    await expectDraft(workspace, draft, path);
    return await work();
  } finally {
    lock.release();
  }
}

/** It may have been ended since it was opened; what would be staged now would be in no version. */
async function expectDraft(workspace: Workspace, draft: Draft, lockPath: string): Promise<void> {
  const catalog = await workspace.catalog();
  const version = await catalog.versionById(draft.version.id);
  if (version?.state === "draft" || version?.state === "committing") return;
  rmSync(lockPath, { force: true });
  throw notADraft({ dataset: draft.dataset, version: version ?? { ...draft.version, state: "failed" } });
}

function inUse({ dataset, version }: Draft, { shared }: { shared: boolean }): DatasetError<"conflict"> {
  const what = `${textOfDataset(dataset)}@${version.label}`;
  const message = shared
    ? `Cannot change "${what}": it is being completed or thrown away just now`
    : `Cannot complete "${what}" or throw it away: something else works on it just now; try again when that has ended`;
  return new DatasetError("conflict", { what }, message);
}
