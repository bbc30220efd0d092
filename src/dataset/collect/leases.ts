/**
 * Leases: objects `leases/<id>` that tell a collector what a remote holds for somebody whom no record names yet: the trees
 * of their roots stay, and nothing that came after they began is garbage. A lease counts for as long as it says after its
 * last renewal, both by the store's own clock.
 */
import { hostname } from "node:os";
import * as z from "zod";
import { mapInOrder } from "../../content/in-order.js";
import { isDatasetError } from "../../errors.js";
import type { ObjectInfo, ObjectKey, Remote } from "../../remote/remote.js";
import { damaged, parseJson } from "../stored-json.js";
import { type StoredRoot, storedRootSchema } from "./stored-root.js";

const LEASE_FORMAT = 1;
export const LEASES_PREFIX = "leases/";
const READS_AT_ONCE = 32;

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** What outlives the process that made it: a draft, an overlay. Each use renews it. */
export const DRAFT_HOLD_MS = 30 * DAY_MS;
/** What ends with its process; it is renewed four times as often. */
export const MOUNT_HOLD_MS = DAY_MS;

const leaseSchema = z.object({
  format: z.literal(LEASE_FORMAT),
  /** In words: `draft lab/data@1.0.1`. */
  what: z.string(),
  /** `user@host`. */
  holder: z.string(),
  /** Trees that are to stay, of this remote or another. */
  roots: z.array(storedRootSchema),
  /** When it began, Unix ms by the store's clock; null in the first object, whose own time that is. */
  sinceMs: z.number().int().nullable(),
  holdMs: z.number().int().positive(),
});

/** What a lease asks for. */
export interface LeaseTerms {
  /** 32 hex characters: that of the draft, overlay or mount. */
  id: string;
  what: string;
  user: string;
  roots: readonly StoredRoot[];
  holdMs: number;
}

export interface Lease {
  id: string;
  what: string;
  holder: string;
  roots: readonly StoredRoot[];
  /** Unix ms, by the store's clock, as all times of a lease. */
  sinceMs: number;
  untilMs: number;
}

/** Begins a lease, or renews the one of that id. One request to begin. */
export async function putLease(remote: Remote, terms: LeaseTerms): Promise<"begun" | "renewed"> {
  const { id, what, user, roots, holdMs } = terms;
  const content = (sinceMs: number | null) =>
    Buffer.from(
      JSON.stringify({ format: LEASE_FORMAT, what, holder: `${user}@${hostname()}`, roots, sinceMs, holdMs }),
    );
  try {
    await remote.create(leaseKey(id), content(null));
    return "begun";
  } catch (error) {
    if (!isDatasetError(error, "object-exists")) throw error;
    await remote.put(leaseKey(id), content((await readLease(remote, id))?.sinceMs ?? null));
    return "renewed";
  }
}

/** Twice is the same as once. */
export async function endLease(remote: Remote, id: string): Promise<void> {
  await remote.delete(leaseKey(id));
}

export async function isLeased(remote: Remote, id: string): Promise<boolean> {
  return (await remote.stat(leaseKey(id))) !== undefined;
}

/** All leases of a remote, those that have run out too. @throws {DatasetError} `format-damaged` */
export async function leasesIn(remote: Remote): Promise<Lease[]> {
  const infos: ObjectInfo[] = [];
  for await (const info of remote.list(LEASES_PREFIX)) infos.push(info);
  const leases: Lease[] = [];
  for await (const lease of mapInOrder(infos, READS_AT_ONCE, (info) => leaseAt(remote, info)))
    if (lease) leases.push(lease);
  return leases;
}

/** One lease; undefined where there is none. @throws {DatasetError} `format-damaged` */
export async function readLease(remote: Remote, id: string): Promise<Lease | undefined> {
  const info = await remote.stat(leaseKey(id));
  return info && leaseAt(remote, info);
}

/** Undefined where it has ended meanwhile. */
async function leaseAt(remote: Remote, { key, modifiedMs }: ObjectInfo): Promise<Lease | undefined> {
  try {
    const what = `${remote.url}/${key}`;
    const parsed = leaseSchema.safeParse(parseJson(await remote.readWhole(key), what));
    if (!parsed.success) throw damaged(what, parsed.error);
    const { sinceMs, holdMs, ...told } = parsed.data;
    const id = key.slice(LEASES_PREFIX.length);
    return { ...told, id, sinceMs: sinceMs ?? modifiedMs, untilMs: modifiedMs + holdMs };
  } catch (error) {
    if (isDatasetError(error, "object-missing")) return undefined;
    throw error;
  }
}

function leaseKey(id: string): ObjectKey {
  return LEASES_PREFIX + id;
}
