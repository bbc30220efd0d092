/** Remotes by the names a user gives them. Versions know a remote by its identity, so a bucket that moved is one setting. */
import type { RemoteRow } from "../catalog/catalog.js";
import type { RemoteId } from "../content/chunk.js";
import { DatasetError } from "../errors.js";
import { requireIdentity } from "../remote/identity.js";
import { isRemoteName } from "../remote/name.js";
import { openRemote } from "../remote/open.js";
import { withRetry } from "../remote/with-retry.js";
import type { Workspace } from "./workspace.js";

/**
 * Names a remote; one that has another name has this one from now on. A place that is no remote yet becomes one.
 *
 * @param place A URL or an absolute path.
 * @throws {DatasetError} `conflict` when another remote has the name; `bad-input`
 */
export async function addRemote(workspace: Workspace, name: string, place: string): Promise<RemoteRow> {
  checkName(name);
  const url = await workspace.urlOf(place);
  const catalog = await workspace.catalog();
  const known = await catalog.remoteByName(name);
  if (known && known.url !== url) throw nameTaken(name, known.url);
  const { id } = await workspace.openRemote(url);
  return catalog.ensureRemote({ id, url, name });
}

/**
 * Tells where a remote lies now. Nothing is copied, and what is there must be that remote.
 *
 * @param remote Its name, its id or the place it was known by.
 * @throws {DatasetError} `not-found`; `remote-failed` when another remote, or none, is there
 */
export async function moveRemote(workspace: Workspace, remote: string, place: string): Promise<RemoteRow> {
  const { id } = await findRemote(workspace, remote);
  const url = await workspace.urlOf(place);
  const there = withRetry(await openRemote(url));
  await requireIdentity(there, id as RemoteId).finally(() => there.close());
  return (await workspace.catalog()).ensureRemote({ id, url });
}

/** Forgets a remote; nothing in it changes. @throws {DatasetError} `not-found`; `conflict` while versions need it */
export async function removeRemote(workspace: Workspace, remote: string): Promise<RemoteRow> {
  const row = await findRemote(workspace, remote);
  await (await workspace.catalog()).removeRemote(row.id);
  return row;
}

async function findRemote(workspace: Workspace, remote: string): Promise<RemoteRow> {
  const catalog = await workspace.catalog();
  const byName = (await catalog.remoteByName(remote)) ?? (await catalog.remoteById(remote));
  if (byName) return byName;
  const url = await workspace.urlOf(remote);
  const byUrl = (await catalog.listRemotes()).find((row) => row.url === url);
  if (byUrl) return byUrl;
  const what = `remote "${remote}"`;
  throw new DatasetError(
    "not-found",
    { what },
    `Cannot find the ${what}: varve remote list shows those there are`,
  );
}

function checkName(name: string): void {
  if (isRemoteName(name)) return;
  const message = `Cannot name a remote "${name}": write up to 64 letters, digits, dots, dashes and underscores, a letter or digit first`;
  throw new DatasetError("bad-input", { value: name }, message);
}

function nameTaken(name: string, url: string): DatasetError<"conflict"> {
  const message = `Cannot name a remote "${name}": the remote ${url} has that name; varve remote set ${name} URL tells where it has moved`;
  return new DatasetError("conflict", { what: `remote "${name}"` }, message);
}
