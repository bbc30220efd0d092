/** Remotes that a version needs besides the one it was found in, and that cannot be read from here. */
import type { RemoteId } from "../content/chunk.js";
import { isDatasetError, messageOf } from "../errors.js";
import { requireIdentity } from "../remote/identity.js";
import { openRemote } from "../remote/open.js";
import type { FoundVersion } from "./history.js";
import type { Workspace } from "./workspace.js";

export interface MissingRemote {
  id: string;
  url: string;
  problem: string;
}

/** A remote that answers later is of no use to a reader. */
const ANSWER_WITHIN_MS = 5_000;

/** Asks each of them once, at the same time. Nothing is asked for a version that the user's catalog knows. */
export async function missingRemotes(
  workspace: Workspace,
  { version, remote }: FoundVersion,
): Promise<MissingRemote[]> {
  if (remote === undefined || workspace.isOffline) return [];
  const others = (await (await workspace.catalog()).remotesOfVersion(version.id)).filter(
    (id) => id !== version.remoteId,
  );
  return (await Promise.all(others.map((id) => askFor(workspace, id)))).flat();
}

async function askFor(workspace: Workspace, id: string): Promise<MissingRemote[]> {
  const url = (await workspace.knownUrl(id)) ?? id;
  try {
    const remote = await openRemote(url);
    const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
    await requireIdentity(remote, id as RemoteId, { signal }).finally(() => remote.close());
    return [];
  } catch (error) {
    if (!isDatasetError(error)) throw error;
    return [{ id, url, problem: messageOf(error) }];
  }
}

export function wordsOnMissing({ url, problem }: MissingRemote): string {
  return `Some of its files lie in ${url}, which cannot be read from here: ${problem}. If it has moved, varve remote add NAME URL tells where it is`;
}
