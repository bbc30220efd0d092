/**
 * Finding a version with no remote to ask: in the user's catalog, among what was made offline, and among what the cache
 * was told of when it was fetched.
 */
import { compareLabels } from "../catalog/label.js";
import { DatasetError, isDatasetError } from "../errors.js";
import { findVersion } from "./history.js";
import { splitReference } from "./reference.js";
import { locateRemembered } from "./remembered-versions.js";
import type { Located } from "./remote-reference.js";
import type { Workspace } from "./workspace.js";

/** @throws {DatasetError} `not-found`, `version-unfinished` */
export async function locateOffline(
  workspace: Workspace,
  text: string,
  options: { drafts?: boolean },
): Promise<Located> {
  const { place } = splitReference(text);
  const known = place === undefined ? await locateKnown(workspace, text, options) : undefined;
  if (known) return known;
  const remembered = await locateRemembered(workspace, text);
  if (remembered) return remembered;
  const message = `Cannot find "${text}" offline: neither the catalog nor the cache knows it; varve prefetch fetches it`;
  throw new DatasetError("not-found", { what: text }, message);
}

/** Where both the catalog and what was made offline have a version that is meant, the one with the higher label. */
async function locateKnown(
  workspace: Workspace,
  text: string,
  options: { drafts?: boolean },
): Promise<Located | undefined> {
  const ours = await findKnown(workspace, text, options);
  const session = workspace.offlineSession;
  if (session === workspace) return ours;
  const made = await findKnown(session, text, options);
  if (!ours || !made) return ours ?? made;
  return compareLabels(made.found.version.label, ours.found.version.label) > 0 ? made : ours;
}

async function findKnown(
  workspace: Workspace,
  text: string,
  options: { drafts?: boolean },
): Promise<Located | undefined> {
  try {
    return { workspace, found: await findVersion(workspace, text, options) };
  } catch (error) {
    if (isDatasetError(error, "not-found")) return undefined;
    throw error;
  }
}
