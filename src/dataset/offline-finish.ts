/** How a draft ends: completed, and where it was made offline packed with its bundle; or thrown away, its bundle with it. */
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { BUNDLE_KEY, type BundledVersion, noteVersion } from "./bundle.js";
import { type CommitOptions, type CommitResult, commitDraft } from "./commit.js";
import { type Draft, discardDraft } from "./draft.js";
import { nameOfVersion } from "./history.js";
import type { Workspace } from "./workspace.js";

/** @throws {DatasetError} as `commitDraft` */
export async function finalizeDraft(
  workspace: Workspace,
  draft: Draft,
  options: CommitOptions,
): Promise<CommitResult> {
  if (!workspace.isOffline) return commitDraft(workspace, draft, options);
  const { remote } = draft.remote;
  await noteVersion(remote, bundled(draft));
  const result = await commitDraft(workspace, draft, options);
  const folder = fileURLToPath(remote.url);
  const { zipBundle } = await import("./bundle-zip.js");
  return { ...result, bundle: { folder, zip: await zipBundle(folder) } };
}

/** A bundle in which no version was finished holds nothing but this draft's. */
export async function discardWithBundle(workspace: Workspace, draft: Draft): Promise<void> {
  await discardDraft(workspace, draft);
  if (!workspace.isOffline) return;
  const folder = fileURLToPath(draft.remote.remote.url);
  if (!existsSync(join(folder, BUNDLE_KEY))) await rm(folder, { recursive: true, force: true });
}

function bundled({ version, parents, tree }: Draft): BundledVersion {
  return {
    id: version.id,
    labelIsAutomatic: tree.staging.fact("labelAutomatic") === true,
    parents: parents.map((parent) => ({
      id: parent.version.id,
      reference: nameOfVersion(parent),
      digest: parent.version.treeDigest ?? "",
    })),
  };
}
