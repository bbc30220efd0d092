/**
 * The moment in which objects that no record names become needed: the creation of a record or an amendment. What is created
 * names only objects that stay: an intent stands meanwhile, so that a collection which begins to delete waits; and of
 * collections that have begun already, whatever they list and this needs is looked at once they are done.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { RemoteId } from "../../content/chunk.js";
import { DatasetError, isDatasetError, messageOf } from "../../errors.js";
import type { ObjectKey, Remote } from "../../remote/remote.js";
import type { OpenedRemote, Workspace } from "../workspace.js";
import { type Collection, collectionsIn, readLists, readProgress } from "./collection.js";
import { type DecidingObject, declareIntent, leaseTimeMs } from "./intents.js";
import { type Lease, isLeased, readLease } from "./leases.js";

/** Keys by the remote they lie in. */
export type Needs = ReadonlyMap<RemoteId, ReadonlySet<ObjectKey>>;

export interface CommitPoint {
  /** Where anything it names may lie; first the one in which `point` is created. */
  remotes: readonly [OpenedRemote, ...OpenedRemote[]];
  point: DecidingObject;
  /** The lease under which what is needed was put or looked for. Undefined: none was. */
  lease: string | undefined;
  /** Whether that had run out in between: then all that is needed is looked for. Default false. */
  hasLapsed?: boolean | undefined;
  /** All that nothing else holds yet. Asked only where a collection has begun. */
  needs: () => Promise<Needs>;
}

const STATS_AT_ONCE = 32;
const ASK_AGAIN_MS = 500;

/**
 * Runs `create`, which creates `point`, when all it needs is there to stay.
 *
 * @throws {DatasetError} `collected` where something was deleted already; `conflict` where a collection stopped midway;
 *   what `create` throws
 */
export async function atCommitPoint<T>(
  workspace: Workspace,
  commit: CommitPoint,
  create: () => Promise<T>,
): Promise<T> {
  const remotes = commit.remotes.map(({ remote }) => remote);
  const [own] = commit.remotes;
  for (;;) {
    const withdraw = await declareIntent(remotes, own, commit.point, workspace.user);
    let obstacle: Obstacle | undefined;
    try {
      obstacle = await obstacleTo(commit);
      if (!obstacle) return await create();
    } finally {
      await withdraw().catch((error: unknown) => workspace.notice(messageOf(error)));
    }
    await waitFor(obstacle);
  }
}

/** Each time something had been sent before that the collector deleted just then. */
const ATTEMPTS = 3;

/** Runs `work`, which begins and ends a version by itself, anew where what it had sent or found there was collected meanwhile. */
export async function anewWhenCollected<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++)
    try {
      return await work();
    } catch (error) {
      if (attempt === ATTEMPTS || !isDatasetError(error, "collected")) throw error;
    }
}

interface Obstacle {
  remote: Remote;
  collection: Collection;
}

/** A collection that is deleting what is needed. @throws {DatasetError} `collected` for what is gone */
async function obstacleTo(commit: CommitPoint): Promise<Obstacle | undefined> {
  const found = await Promise.all(commit.remotes.map((opened) => obstacleIn(commit, opened)));
  return found.find((one) => one !== undefined);
}

async function obstacleIn(
  { lease: id, hasLapsed = false, needs }: CommitPoint,
  { id: remoteId, remote }: OpenedRemote,
): Promise<Obstacle | undefined> {
  const [collections, hasLease] = await Promise.all([
    collectionsIn(remote),
    id !== undefined && isLeased(remote, id),
  ]);
  const begun = collections.filter(({ deleters }) => deleters > 0);
  const hasLost = hasLapsed || (id !== undefined && !hasLease);
  if (begun.length === 0 && !hasLost) return undefined;
  const lease = hasLease && id !== undefined ? await readLease(remote, id) : undefined;
  const wanted = (await needs()).get(remoteId) ?? new Set<ObjectKey>();
  const doubtful = new Set<ObjectKey>(hasLost ? wanted : []);
  for (const collection of begun.filter((one) => mayHaveTaken(one, lease))) {
    const hits = (await readLists(remote, collection)).filter((key) => wanted.has(key));
    if (hits.length > 0 && collection.doneMs === undefined) return { remote, collection };
    for (const key of hits) doubtful.add(key);
  }
  await requireThere(remote, [...doubtful]);
  return undefined;
}

/** One that was done before the lease began has taken nothing of what was put since. */
function mayHaveTaken({ doneMs }: Collection, lease: Lease | undefined): boolean {
  return doneMs === undefined || !lease || doneMs >= lease.sinceMs;
}

async function requireThere(remote: Remote, keys: readonly ObjectKey[]): Promise<void> {
  const missing: ObjectKey[] = [];
  for (let at = 0; at < keys.length; at += STATS_AT_ONCE) {
    const batch = keys.slice(at, at + STATS_AT_ONCE);
    const infos = await Promise.all(batch.map((key) => remote.stat(key)));
    missing.push(...batch.filter((_, index) => infos[index] === undefined));
  }
  if (missing.length === 0) return;
  const message = `Cannot complete this: ${missing.length} objects that it had sent to ${remote.url} were collected as garbage meanwhile, "${missing[0]}" among them`;
  throw new DatasetError("collected", { remote: remote.url, keys: missing }, message);
}

/** Until a collection is done. @throws {DatasetError} `conflict` where it gives no sign of life for a lease time */
async function waitFor({ remote, collection: { id } }: Obstacle): Promise<void> {
  const patienceMs = leaseTimeMs();
  let sign: string | undefined;
  let sinceMs = performance.now();
  while (performance.now() - sinceMs < patienceMs) {
    const now = (await collectionsIn(remote)).find((one) => one.id === id);
    if (!now || now.doneMs !== undefined) return;
    const newSign = `${now.deleters} ${await readProgress(remote, id)}`;
    if (newSign !== sign) sinceMs = performance.now();
    sign = newSign;
    await sleep(ASK_AGAIN_MS);
  }
  const message = `Cannot complete this now: a collection of garbage in ${remote.url} has stopped midway and lists what this needs; varve gc finishes it, then try again`;
  throw new DatasetError("conflict", { what: remote.url }, message);
}
