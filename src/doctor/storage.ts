/**
 * Where a user's data lies: folders, catalog, default remote, cache. Looking makes nothing that is not there yet.
 * The catalog is loaded only when it is looked at, so that a machine where SQLite does not load is still examined.
 */
import { accessSync, constants, existsSync, statfsSync } from "node:fs";
import { dirname, isAbsolute } from "node:path";

import { openFolder } from "../cache/folder.js";
import type { RemoteRow } from "../catalog/catalog.js";
import { shownUrl } from "../catalog/postgres/url.js";
import { formatBytes } from "../cli/format.js";
import type { RemoteId } from "../content/chunk.js";
import { errnoOf, messageOf } from "../errors.js";
import type { Home } from "../home.js";
import { IDENTITY_KEY, requireIdentity } from "../remote/identity.js";
import { isRemoteName } from "../remote/name.js";
import { openRemote } from "../remote/open.js";
import { MiB } from "../units.js";
import { type Finding, finding } from "./finding.js";

/** Below this a writable mount refuses to grow files. */
const LEAST_FREE_BYTES = 256 * MiB;
/** A remote that answers later than this is of no use to a reader. */
const REMOTE_DEADLINE_MS = 10_000;

const NOT_YET = "none yet; it is made at first use";

export async function examineStorage(home: Home): Promise<Finding[]> {
  return [
    folderFinding("Data folder", home.dataDir),
    folderFinding("State folder", home.stateDir),
    folderFinding("Cache folder", home.cacheDir),
    cacheFinding(home.cacheDir),
    await catalogFinding(home.catalogPath),
    await remoteFinding(home.defaultRemote, home.catalogPath),
    ...(await usedRemoteFindings(home)),
  ];
}

/** Whether a folder, or the nearest one above it that exists, may be written and has room. */
export function folderFinding(name: string, path: string): Finding {
  try {
    const existing = nearestExisting(path);
    accessSync(existing, constants.W_OK | constants.X_OK);
    const { bavail, bsize } = statfsSync(existing);
    const free = bavail * bsize;
    const advice = `Free space there, or set VARVE_HOME to a folder with more than ${formatBytes(LEAST_FREE_BYTES)}`;
    return finding(name, free >= LEAST_FREE_BYTES, `${path}, ${formatBytes(free)} free`, { advice });
  } catch (error) {
    const advice = "Make it yours, or set VARVE_HOME to a folder that is";
    return finding(name, false, `${path} cannot be written (${errnoOf(error) ?? messageOf(error)})`, {
      advice,
    });
  }
}

/** A private cache is trusted without hashing what is read again. */
export function cacheFinding(path: string): Finding {
  const name = "Cache of its own";
  if (!existsSync(path)) return finding(name, true, NOT_YET, { needed: false });
  try {
    const { isPrivate } = openFolder(path);
    const advice = `For faster reads, let nobody else write there: chmod 700 ${path}, on a local disk`;
    return finding(name, isPrivate, isPrivate ? "private" : "shared with others", { advice, needed: false });
  } catch (error) {
    const advice = "Set VARVE_CACHE_DIR to a folder of your own";
    return finding(name, false, messageOf(error), { advice });
  }
}

export async function catalogFinding(path: string): Promise<Finding> {
  const name = "Catalog";
  if (isAbsolute(path) && !existsSync(path)) return finding(name, true, `${path}, ${NOT_YET}`);
  try {
    const { openCatalog } = await import("../catalog/catalog.js");
    await (await openCatalog(path)).close();
    return finding(name, true, shownUrl(path));
  } catch (error) {
    const advice = "Set VARVE_CATALOG to another file; varve catalog rebuild URL makes it anew from a remote";
    return finding(name, false, messageOf(error), { advice });
  }
}

export async function remoteFinding(place: string, catalogPath: string): Promise<Finding> {
  const name = "Default remote";
  const named = isRemoteName(place) ? await remotesOf(catalogPath) : [];
  const url = named.find((row) => row.name === place)?.url ?? place;
  if (isAbsolute(url) && !existsSync(url)) return finding(name, true, `${url}, ${NOT_YET}`);
  try {
    const remote = await openRemote(url);
    const identity = await remote.stat(IDENTITY_KEY, { signal: AbortSignal.timeout(REMOTE_DEADLINE_MS) });
    await remote.close();
    return finding(name, true, `${url}${identity ? "" : ", not used by varve yet"}`);
  } catch (error) {
    const advice = "Check its URL, the network and your credentials, or set VARVE_REMOTE to another";
    return finding(name, false, messageOf(error), { advice });
  }
}

/** The remotes that versions of the catalog lie in: each must still be there, and be the one it was. */
export async function usedRemoteFindings(home: Home): Promise<Finding[]> {
  const remotes = await remotesOf(home.catalogPath);
  return Promise.all(remotes.map(({ id, url }) => usedRemoteFinding(id, url)));
}

/** None where the catalog cannot be read: that is a finding of its own. */
async function remotesOf(path: string): Promise<RemoteRow[]> {
  if (isAbsolute(path) && !existsSync(path)) return [];
  const { openCatalog } = await import("../catalog/catalog.js");
  try {
    const catalog = await openCatalog(path);
    return await catalog.listRemotes().finally(() => catalog.close());
  } catch {
    return [];
  }
}

async function usedRemoteFinding(id: string, url: string): Promise<Finding> {
  const name = "Remote in use";
  try {
    const remote = await openRemote(url);
    const signal = AbortSignal.timeout(REMOTE_DEADLINE_MS);
    await requireIdentity(remote, id as RemoteId, { signal }).finally(() => remote.close());
    return finding(name, true, url);
  } catch (error) {
    const advice = "Bring it back: versions in it cannot be read, but for what the cache holds";
    return finding(name, false, messageOf(error), { advice });
  }
}

function nearestExisting(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : nearestExisting(dirname(path));
}
