/** Where a draft is made: in the catalog of its user, or while offline in the session that only bundles know. */
import { fileURLToPath } from "node:url";
import { type Draft, type DraftOptions, createDraft } from "./draft.js";
import { offlineOptions } from "./offline-create.js";
import type { DatasetName } from "./reference.js";
import type { Workspace } from "./workspace.js";

/** The workspace that drafts of a user are made and found in. */
export function workspaceOfDrafts(workspace: Workspace): Workspace {
  return workspace.isOffline ? workspace.offlineSession : workspace;
}

/** @throws {DatasetError} as `createDraft`; `offline` for what only a remote could answer */
export async function newDraft(
  workspace: Workspace,
  name: DatasetName,
  options: DraftOptions,
): Promise<{ workspace: Workspace; draft: Draft }> {
  const own = workspaceOfDrafts(workspace);
  const given = workspace.isOffline ? await offlineOptions(workspace, options) : options;
  return { workspace: own, draft: await createDraft(own, name, given) };
}

/** The folder of the bundle a draft goes to, if it was made offline. */
export function bundleFolderOf(workspace: Workspace, { remote }: Draft): string | undefined {
  return workspace.isOffline ? fileURLToPath(remote.remote.url) : undefined;
}
