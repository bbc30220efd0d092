/** `referrers/<id>`: remotes with versions some of whose bytes lie here. Their records say what they need. */
import * as z from "zod";
import type { RemoteId } from "../../content/chunk.js";
import { DatasetError, isDatasetError, messageOf } from "../../errors.js";
import type { Remote } from "../../remote/remote.js";
import { damaged, parseJson } from "../stored-json.js";
import type { OpenedRemote, Workspace } from "../workspace.js";

const REFERRERS_PREFIX = "referrers/";
const referrerSchema = z.object({ format: z.literal(1), url: z.string() });

/** Tells a remote that versions in `own` need it, before the first does. */
export async function noteReferrer(remote: Remote, own: OpenedRemote): Promise<void> {
  const content = JSON.stringify({ format: 1, url: own.remote.url });
  try {
    await remote.create(REFERRERS_PREFIX + own.id, Buffer.from(content));
  } catch (error) {
    if (!isDatasetError(error, "object-exists")) throw error;
  }
}

/**
 * The other remotes that need one: those it names, and those that this catalog knows of.
 *
 * @throws {DatasetError} `remote-failed` for one that cannot be reached: what it needs is not known then
 */
export async function referrersOf(
  workspace: Workspace,
  { id, remote }: OpenedRemote,
): Promise<OpenedRemote[]> {
  const urls = new Map<string, string | undefined>();
  for (const each of await (await workspace.catalog()).remotesThatNeed(id)) urls.set(each, undefined);
  for await (const { key } of remote.list(REFERRERS_PREFIX)) {
    const each = key.slice(REFERRERS_PREFIX.length);
    urls.set(each, await urlAt(remote, key));
  }
  urls.delete(id);
  return Promise.all([...urls].map(([each, url]) => open(workspace, each as RemoteId, url)));
}

async function urlAt(remote: Remote, key: string): Promise<string> {
  const what = `${remote.url}/${key}`;
  const parsed = referrerSchema.safeParse(parseJson(await remote.readWhole(key), what));
  if (parsed.success) return parsed.data.url;
  throw damaged(what, parsed.error);
}

/** A URL that stands in a remote is not gone to by itself: who may write there could choose to whom this user's credentials go. */
async function open(workspace: Workspace, id: RemoteId, url: string | undefined): Promise<OpenedRemote> {
  try {
    return { id, remote: await workspace.remote(id) };
  } catch (error) {
    const where = url ?? `the remote ${id}`;
    const advice = isDatasetError(error, "not-found")
      ? `this catalog does not know it; varve remote add NAME ${url ?? "URL"}, if it is yours`
      : messageOf(error);
    const message = `Cannot collect: versions in ${where} need some of it, and what they need cannot be seen: ${advice}`;
    throw new DatasetError("remote-failed", { key: where }, message, { cause: error });
  }
}
