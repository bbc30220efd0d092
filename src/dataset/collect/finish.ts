/**
 * The second pass: deletes what a collection published, if nobody needs it still. From its first object on, whoever is about
 * to complete a version sees it and waits for what it lists; whoever was about to before that is waited for.
 */
import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { DatasetError } from "../../errors.js";
import type { ObjectInfo, ObjectKey, Remote } from "../../remote/remote.js";
import type { OpenedRemote, Workspace } from "../workspace.js";
import {
  type Collection,
  type Published,
  amountOf,
  beginDeletion,
  endDeletion,
  isTakenOver,
  putProgress,
  readLists,
  readProgress,
} from "./collection.js";
import { settleIntents } from "./intents.js";
import { neededIn } from "./needed-in.js";
import { storeTimeMs } from "./store-time.js";

export interface FinishOptions {
  /** How long somebody may give no sign of life before he is taken to have stopped. */
  leaseMs: number;
  dryRun?: boolean | undefined;
  signal?: AbortSignal | undefined;
  onStep?: ((what: string) => void) | undefined;
}

const DELETES_AT_ONCE = 16;
/** Between two looks at whether the deletion is still the caller's. */
const BATCH = 128;
/** A deletion is taken over after that many lease times: what its owner had under way has long arrived. */
const TAKE_OVER_LEASES = 10;

/** Deletes what is published and not needed; gives how much. Nothing where another process is at it. */
export async function finishCollection(
  workspace: Workspace,
  opened: OpenedRemote,
  collection: Collection,
  options: FinishOptions,
): Promise<Published> {
  const { remote } = opened;
  const nowMs = Date.now();
  if (options.dryRun) return amountOf(await doomedOf(workspace, opened, collection, { ...options, nowMs }));
  const deleter = await takeDeletion(workspace, remote, collection, options);
  if (deleter === undefined) return { objects: 0, bytes: 0 };
  const alive = new SignsOfLife(remote, collection.id, deleter, options.leaseMs);
  try {
    options.onStep?.("Waiting for commits that are under way");
    await settleIntents(workspace, remote, options.leaseMs, options.signal);
    options.onStep?.("Reading what versions need now");
    const storeMs = await storeTimeMs(remote, collection.id);
    const doomed = await doomedOf(workspace, opened, collection, { ...options, nowMs: storeMs });
    options.onStep?.(`Deleting ${doomed.length} objects`);
    await deleteAll(remote, doomed, alive, options.signal);
    await endDeletion(remote, collection.id, amountOf(doomed));
    return amountOf(doomed);
  } finally {
    alive.end();
  }
}

/** The number under which the deletion is the caller's. */
async function takeDeletion(
  { user, notice }: Workspace,
  remote: Remote,
  { id, deleters }: Collection,
  { leaseMs, signal, onStep }: FinishOptions,
): Promise<number | undefined> {
  if (deleters > 0) {
    onStep?.("Looking whether another collector is still at work");
    if (await givesSigns(remote, id, leaseMs * TAKE_OVER_LEASES, signal)) return undefined;
  }
  if (await beginDeletion(remote, id, deleters + 1, `${user}@${hostname()}`)) return deleters + 1;
  notice(`Another collector finishes what was published in ${remote.url}`);
  return undefined;
}

/** Watches a deletion, by this process's own clock. */
async function givesSigns(remote: Remote, id: string, forMs: number, signal?: AbortSignal): Promise<boolean> {
  const sinceMs = performance.now();
  const first = await readProgress(remote, id);
  while (performance.now() - sinceMs < forMs) {
    await sleep(Math.min(5_000, forMs / 20), undefined, { signal });
    if ((await readProgress(remote, id)) !== first) return true;
  }
  return false;
}

/** What is published, still there as it was, and needed by nobody. */
async function doomedOf(
  workspace: Workspace,
  opened: OpenedRemote,
  collection: Collection,
  { nowMs, signal }: { nowMs: number; signal?: AbortSignal | undefined },
): Promise<ObjectInfo[]> {
  const { keys: needed, leases } = await neededIn(workspace, opened, { nowMs, signal });
  const firstLeaseMs = Math.min(...leases.map(({ sinceMs }) => sinceMs));
  const listed = new Set((await readLists(opened.remote, collection)).filter((key) => !needed.has(key)));
  const doomed: ObjectInfo[] = [];
  for (const prefix of new Set([...listed].map((key) => key.slice(0, key.indexOf("/") + 1))))
    for await (const info of opened.remote.list(prefix))
      if (listed.has(info.key) && !isNewer(info, collection) && info.modifiedMs < firstLeaseMs)
        doomed.push(info);
  return doomed;
}

/** One that was put again since waits for the next collection. */
function isNewer({ modifiedMs }: ObjectInfo, { publishedMs = 0 }: Collection): boolean {
  return modifiedMs > publishedMs;
}

async function deleteAll(
  remote: Remote,
  doomed: readonly ObjectInfo[],
  alive: SignsOfLife,
  signal?: AbortSignal,
): Promise<void> {
  for (let at = 0; at < doomed.length; at += BATCH) {
    await alive.confirm();
    const keys = doomed.slice(at, at + BATCH).map(({ key }) => key);
    for (let first = 0; first < keys.length; first += DELETES_AT_ONCE) {
      signal?.throwIfAborted();
      alive.require();
      await Promise.all(
        keys.slice(first, first + DELETES_AT_ONCE).map((key: ObjectKey) => remote.delete(key)),
      );
    }
  }
}

/** Tells others that this deletion goes on, and itself whether they may still believe that. */
class SignsOfLife {
  #confirmedAtMs = performance.now();
  readonly #timer: NodeJS.Timeout;

  constructor(
    private readonly remote: Remote,
    private readonly id: string,
    private readonly deleter: number,
    private readonly leaseMs: number,
  ) {
    // A sign that cannot be given is missed by `require`.
    this.#timer = setInterval(() => void this.#sign().catch(() => undefined), leaseMs / 3);
  }

  /** @throws {DatasetError} `conflict` where somebody has taken the deletion over */
  async confirm(): Promise<void> {
    const atMs = performance.now();
    await this.#sign();
    if (await isTakenOver(this.remote, this.id, this.deleter)) throw this.#lost();
    this.#confirmedAtMs = atMs;
  }

  /** Just before something is deleted. @throws {DatasetError} `conflict` where the last confirmation is too long ago */
  require(): void {
    if (performance.now() - this.#confirmedAtMs > this.leaseMs) throw this.#lost();
  }

  end(): void {
    clearInterval(this.#timer);
  }

  #sign(): Promise<void> {
    return putProgress(this.remote, this.id, randomBytes(8).toString("hex"));
  }

  #lost(): DatasetError<"conflict"> {
    const message = `Cannot go on deleting in ${this.remote.url}: this process stood still for so long that another may have taken over; varve gc goes on`;
    return new DatasetError("conflict", { what: this.remote.url }, message);
  }
}
