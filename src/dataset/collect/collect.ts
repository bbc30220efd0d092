/**
 * Collection of garbage: what no version, draft or mount needs any more is found, published, and deleted a grace later if
 * nothing needs it then (`docs/collection.md` says why nothing else can be deleted). Several collectors, uploads, commits
 * and mounts may be at work meanwhile, on any machine; no clock but the store's own is trusted, nor any lock held.
 */
import { hostname } from "node:os";
import type { ObjectInfo, ObjectKey, Remote } from "../../remote/remote.js";
import type { OpenedRemote, Workspace } from "../workspace.js";
import {
  type Collection,
  type Published,
  amountOf,
  collectionsIn,
  forgetCollection,
  isOpen,
  listedAlready,
  newCollectionId,
  publish,
  readPublished,
} from "./collection.js";
import { finishCollection } from "./finish.js";
import { leaseTimeMs } from "./intents.js";
import { type Lease, endLease, leasesIn } from "./leases.js";
import { neededIn } from "./needed-in.js";
import { PackUses } from "./pack-use.js";
import { type SparsePack, LEAST_SAVED_BYTES, sparsePacks } from "./sparse.js";
import { storeTimeMs } from "./store-time.js";

/** What a collector may delete, by the first part of the key. All else says itself what it is and stays. */
export const COLLECTED = ["packs", "ranges", "segments", "attachments", "roots"] as const;
export type CollectedKind = (typeof COLLECTED)[number];

const DAY_MS = 86_400_000;
export const DEFAULT_GRACE_MS = 7 * DAY_MS;
/** Lists of what was deleted stay longer than any draft may rest. */
const KEEP_DONE_MS = 60 * DAY_MS;
/** What was begun and not published by then never will be. */
const KEEP_BEGUN_MS = DAY_MS;

export interface CollectOptions {
  /** How old garbage must be, and how long it is published before it is deleted. Default 7 days. */
  graceMs?: number | undefined;
  /**
   * Lays what is used of packs that are mostly garbage into new ones. Default false: who then reads a version by its label,
   * from a catalog that has not looked at the remote since, does not find it once the old packs are deleted.
   */
  repack?: boolean | undefined;
  /** Only tells what would be done; writes nothing. Default false. */
  dryRun?: boolean | undefined;
  signal?: AbortSignal | undefined;
  /** Told of each step in words. */
  onStep?: ((what: string) => void) | undefined;
}

export interface Amount {
  objects: number;
  bytes: number;
}

export interface Collected {
  /** URL of the remote. */
  remote: string;
  dryRun: boolean;
  /** Everything of the kinds that are collected. */
  all: Amount;
  needed: Amount;
  /** Deleted by this run: published at least a grace ago, and needed by nobody still. In a dry run what would be. */
  deleted: Amount;
  /** Published by this run, to be deleted by a run a grace later. In a dry run what would be. */
  published: Amount & { byKind: Partial<Record<CollectedKind, Amount>>; keys: readonly ObjectKey[] };
  /** Published earlier, and not yet due; `dueInMs` of the first. */
  waiting: Amount & { dueInMs: number | undefined };
  /** Packs that versions use little of: emptied into new ones, so that later runs delete them. In a dry run those that would be. */
  repacked: { packs: number; savedBytes: number; versions: number };
  /** Needed by nobody, and kept: younger than the grace, or came after these leases began. */
  held: Amount & { leases: { what: string; holder: string; since: string }[] };
}

/**
 * Collects one remote: finishes what was published a grace ago, then publishes what nobody needs now.
 *
 * @throws {DatasetError} `format-damaged`, `object-missing`, `remote-failed` where it cannot be known what is needed:
 *   then nothing was deleted by what could not be known; `format-newer`
 */
export async function collect(
  workspace: Workspace,
  opened: OpenedRemote,
  options: CollectOptions = {},
): Promise<Collected> {
  const { graceMs = DEFAULT_GRACE_MS, dryRun = false } = options;
  const { remote } = opened;
  const id = newCollectionId();
  const nowMs = dryRun ? Date.now() : await storeTimeMs(remote, id);
  const standing = await collectionsIn(remote);
  const due = standing.filter((one) => isOpen(one) && one.publishedMs! + graceMs <= nowMs);
  const deleted = await finishAll(workspace, opened, due, options);
  const found = await survey(workspace, opened, { ...options, nowMs, graceMs });
  const { candidates } = found;
  const published = {
    ...amountOf(candidates),
    byKind: byKind(candidates),
    keys: candidates.map(({ key }) => key),
  };
  if (!dryRun) {
    await tidy(remote, standing, found.leases, nowMs);
    if (candidates.length > 0) await publish(remote, id, { ...published, by: nameOf(workspace) });
    else await forgetCollection(remote, { id, lists: [] });
  }
  const later = standing.filter((one) => isOpen(one) && !due.includes(one));
  const result: Collected = {
    remote: remote.url,
    dryRun,
    all: amountOf(found.all),
    needed: amountOf(found.needed),
    deleted,
    published,
    waiting: await waitingIn(remote, later, nowMs - graceMs),
    repacked: { packs: 0, savedBytes: 0, versions: 0 },
    held: { ...amountOf(found.held), leases: found.leases.filter(isHolding(found.held)).map(describe) },
  };
  result.repacked = await repackSparse(workspace, opened, found.sparse, options);
  if (graceMs > 0 || dryRun || candidates.length === 0) return result;
  const [fresh] = (await collectionsIn(remote)).filter((one) => one.id === id);
  return {
    ...result,
    deleted: sum(deleted, await finishAll(workspace, opened, fresh ? [fresh] : [], options)),
  };
}

async function finishAll(
  workspace: Workspace,
  opened: OpenedRemote,
  due: readonly Collection[],
  options: CollectOptions,
): Promise<Published> {
  let all: Published = { objects: 0, bytes: 0 };
  for (const collection of due) {
    const leaseMs = leaseTimeMs();
    all = sum(all, await finishCollection(workspace, opened, collection, { ...options, leaseMs }));
  }
  return all;
}

interface Survey {
  all: ObjectInfo[];
  needed: ObjectInfo[];
  candidates: ObjectInfo[];
  held: ObjectInfo[];
  /** Those that still count. */
  leases: Lease[];
  /** Packs that versions use little of, with their sizes and what is used. */
  sparse: SparsePack[];
}

/** In this order: what is put after the listing is no candidate, and what was put before is told of by its lease or record. */
async function survey(
  workspace: Workspace,
  opened: OpenedRemote,
  options: CollectOptions & { nowMs: number; graceMs: number },
): Promise<Survey> {
  const { remote } = opened;
  const { nowMs, graceMs, onStep, signal } = options;
  onStep?.("Listing objects");
  const all: ObjectInfo[] = [];
  for (const kind of COLLECTED) for await (const info of remote.list(`${kind}/`)) all.push(info);
  const listed = await listedAlready(remote);
  onStep?.("Reading what versions need");
  const uses = new PackUses(opened.id);
  const { keys, leases } = await neededIn(workspace, opened, { nowMs, signal, uses });
  const firstLeaseMs = Math.min(...leases.map(({ sinceMs }) => sinceMs));
  const needed = all.filter(({ key }) => keys.has(key));
  const garbage = all.filter(({ key }) => !keys.has(key) && !listed.has(key));
  const isRipe = ({ modifiedMs }: ObjectInfo) => modifiedMs <= nowMs - graceMs && modifiedMs < firstLeaseMs;
  const [candidates, held] = [garbage.filter(isRipe), garbage.filter((one) => !isRipe(one))];
  return { all, needed, leases, candidates, held, sparse: sparsePacks(needed.filter(isRipe), uses) };
}

async function repackSparse(
  workspace: Workspace,
  opened: OpenedRemote,
  sparse: readonly SparsePack[],
  { repack: isWanted = false, dryRun = false, onStep }: CollectOptions,
): Promise<Collected["repacked"]> {
  const savedBytes = sparse.reduce((sum, { sizeBytes, usedBytes }) => sum + sizeBytes - usedBytes, 0);
  if (!isWanted || savedBytes < LEAST_SAVED_BYTES) return { packs: 0, savedBytes: 0, versions: 0 };
  if (dryRun) return { packs: sparse.length, savedBytes, versions: 0 };
  onStep?.(`Repacking ${sparse.length} packs`);
  const { repack } = await import("./repack.js");
  return repack(workspace, opened, new Map(sparse.map(({ pack, sizeBytes }) => [pack, sizeBytes])));
}

/** Forgets what nobody can need to know any more. */
async function tidy(
  remote: Remote,
  collections: readonly Collection[],
  live: readonly Lease[],
  nowMs: number,
): Promise<void> {
  const liveIds = new Set(live.map(({ id }) => id));
  for (const { id } of await leasesIn(remote)) if (!liveIds.has(id)) await endLease(remote, id);
  for (const collection of collections) {
    const { publishedMs, doneMs, lastMs } = collection;
    const isOld = nowMs - lastMs > (doneMs === undefined ? KEEP_BEGUN_MS : KEEP_DONE_MS);
    if (isOld && (publishedMs === undefined || doneMs !== undefined))
      await forgetCollection(remote, collection);
  }
}

async function waitingIn(
  remote: Remote,
  collections: readonly Collection[],
  dueMs: number,
): Promise<Collected["waiting"]> {
  let all: Published = { objects: 0, bytes: 0 };
  for (const collection of collections) all = sum(all, await readPublished(remote, collection));
  const dueInMs = collections.map(({ publishedMs }) => publishedMs! - dueMs);
  return { ...all, dueInMs: dueInMs.length > 0 ? Math.min(...dueInMs) : undefined };
}

function isHolding(held: readonly ObjectInfo[]): (lease: Lease) => boolean {
  return ({ sinceMs }) => held.some(({ modifiedMs }) => modifiedMs >= sinceMs);
}

function describe({ what, holder, sinceMs }: Lease): Collected["held"]["leases"][number] {
  return { what, holder, since: new Date(sinceMs).toISOString() };
}

function byKind(infos: readonly ObjectInfo[]): Partial<Record<CollectedKind, Amount>> {
  const kinds = COLLECTED.map(
    (kind) => [kind, infos.filter(({ key }) => key.startsWith(`${kind}/`))] as const,
  );
  return Object.fromEntries(
    kinds.filter(([, found]) => found.length > 0).map(([kind, found]) => [kind, amountOf(found)]),
  );
}

function sum(a: Published, b: Published): Published {
  return { objects: a.objects + b.objects, bytes: a.bytes + b.bytes };
}

function nameOf({ user }: Workspace): string {
  return `${user}@${hostname()}`;
}
