/**
 * Versions made offline. A draft goes to the bundle of its first parent, else to one of its own; a parent is one of the
 * session, or one that this machine knows and whose tree is in the cache.
 */
import { join } from "node:path";
import type { VersionRow } from "../catalog/catalog.js";
import { DatasetError } from "../errors.js";
import { ensureDir } from "../home.js";
import type { DraftOptions, ParentVersion } from "./draft.js";
import { type FoundVersion, findVersion, isFinished, nameOfVersion } from "./history.js";
import { isBundleUrl } from "./offline-home.js";
import { newVersionId } from "./reference.js";
import { locateVersion } from "./remote-reference.js";
import type { Workspace } from "./workspace.js";

/** The options for a draft in the offline session of a user. @throws {DatasetError} `not-found`, `offline`, `unsupported` */
export async function offlineOptions(workspace: Workspace, options: DraftOptions): Promise<DraftOptions> {
  if (options.remote !== undefined) throw noRemoteOffline(options.remote);
  const session = workspace.offlineSession;
  const parents: FoundVersion[] = [];
  for (const parent of options.parents ?? []) parents.push(await takeInOffline(workspace, session, parent));
  const id = options.id ?? newVersionId();
  const bundle = await bundleOf(session, parents);
  const remote = bundle ?? ensureDir(join(session.home.offlineDir, id));
  return { ...options, id, remote, parents: parents.map(({ version }) => version.id) };
}

/** The bundle that parents lie in, if any does. @throws {DatasetError} `unsupported` for several */
async function bundleOf(session: Workspace, parents: readonly FoundVersion[]): Promise<string | undefined> {
  const bundles = new Set<string>();
  for (const { version } of parents) {
    const url = await session.knownUrl(version.remoteId);
    if (url !== undefined && isBundleUrl(session.home, url)) bundles.add(url);
  }
  if (bundles.size < 2) return [...bundles][0];
  const message =
    "Cannot make a version offline whose parents lie in several bundles: import one of them first";
  throw new DatasetError("unsupported", { what: "parents in several bundles" }, message);
}

/** A parent in the catalog of the session, with what its remotes are called. */
async function takeInOffline(
  workspace: Workspace,
  session: Workspace,
  parent: ParentVersion,
): Promise<FoundVersion> {
  const text = typeof parent === "string" ? parent : parent.locator;
  const located = await locateVersion(workspace, text);
  const { found } = located;
  const [from, to] = [await located.workspace.catalog(), await session.catalog()];
  const known = await to.versionById(found.version.id);
  if (known && isFinished(known)) return findVersion(session, known.id);
  const dataset = await to.ensureDataset(found.dataset);
  if (dataset.id !== found.dataset.id) throw namesake(found);
  const { id } = found.version;
  const remotes = [...new Set([found.version.remoteId, ...(await from.remotesOfVersion(id))])];
  for (const remote of remotes) {
    const row = await from.remoteById(remote);
    if (row) await to.ensureRemote({ id: row.id, url: row.url });
  }
  const [parents, tags] = [await from.parentsOf(id), await from.versionTags(id)];
  await to.importVersion({ ...finished(found.version), parents, tags, remotes });
  return findVersion(session, id);
}

function finished(row: VersionRow) {
  return { ...row, state: row.state === "published" ? ("published" as const) : ("completed" as const) };
}

export function noRemoteOffline(place: string): DatasetError<"offline"> {
  const message = `Cannot send data to ${place}: varve is offline, and what is made goes into a bundle; varve import --remote says where it goes`;
  return new DatasetError("offline", { what: place }, message);
}

function namesake(found: FoundVersion): DatasetError<"conflict"> {
  const what = nameOfVersion(found);
  const message = `Cannot make a child of "${what}" offline: another dataset of that name was begun offline; import that first`;
  return new DatasetError("conflict", { what }, message);
}
