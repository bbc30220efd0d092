/**
 * Intents: objects `intents/<id>` that name the one object whose creation will make others needed, a version's record or an
 * amendment. They stand while that is decided, for seconds. A collector that deletes waits for those it finds, and of one
 * that stands still for a lease time it creates that object itself, void: whoever comes back finds the key taken.
 */
import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import { DatasetError, isDatasetError, messageOf } from "../../errors.js";
import type { RemoteId } from "../../content/chunk.js";
import { encodeAmendment } from "../../catalog/amendment.js";
import { isLabel } from "../../catalog/label.js";
import type { ObjectKey, Remote } from "../../remote/remote.js";
import { buriedRecord, isRecordKey } from "../record.js";
import { damaged, parseJson } from "../stored-json.js";
import type { Workspace } from "../workspace.js";

const INTENT_FORMAT = 1;
const INTENTS_PREFIX = "intents/";
const DEFAULT_LEASE_SECONDS = 60;

const hex32 = z.string().regex(/^[0-9a-f]{32}$/);

/** What is to be created: as what it would be void. Its key is one of such an object, whoever says so: the collector writes there. */
const pointSchema = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("record"),
    key: z.string().refine(isRecordKey),
    version: hex32,
    label: z.string().refine(isLabel),
  }),
  z.object({
    kind: z.literal("amendment"),
    key: z.string().regex(/^datasets\/[0-9a-f]{32}\/amendments\/[0-9]{10}$/),
    dataset: hex32,
  }),
]);

const intentSchema = z.object({
  format: z.literal(INTENT_FORMAT),
  by: z.string(),
  /** The remote of the object to be created, and where it was reached. */
  remote: hex32.transform((id) => id as RemoteId),
  url: z.string(),
  point: pointSchema,
});

/** The object whose creation decides. */
export type DecidingObject = z.infer<typeof pointSchema>;

/** How long an intent may stand still before it is made void, ms. `VARVE_LEASE_SECONDS` sets it for collectors. */
export function leaseTimeMs(env: NodeJS.ProcessEnv = process.env): number {
  const seconds = Number(env["VARVE_LEASE_SECONDS"] || DEFAULT_LEASE_SECONDS);
  if (seconds > 0 && seconds <= 86_400) return seconds * 1_000;
  const value = env["VARVE_LEASE_SECONDS"] ?? "";
  const message = `Cannot use VARVE_LEASE_SECONDS="${value}": it must be seconds, more than 0 and at most a day`;
  throw new DatasetError("bad-input", { value }, message);
}

/** Declares in remotes that `point` is about to be created in `own`; gives how to withdraw that. */
export async function declareIntent(
  remotes: readonly Remote[],
  own: { id: RemoteId; remote: Remote },
  point: DecidingObject,
  user: string,
): Promise<() => Promise<void>> {
  const key = INTENTS_PREFIX + randomBytes(16).toString("hex");
  const content = {
    format: INTENT_FORMAT,
    by: `${user}@${hostname()}, process ${process.pid}`,
    remote: own.id,
    url: own.remote.url,
    point,
  };
  const bytes = Buffer.from(JSON.stringify(content));
  await Promise.all(remotes.map((remote) => remote.put(key, bytes)));
  return async () => {
    await Promise.all(remotes.map((remote) => remote.delete(key)));
  };
}

/**
 * Resolves when none of the intents that stand now can decide any more: each was withdrawn, or stood still for a lease
 * time, as this process saw it, and is void.
 *
 * @throws {DatasetError} `remote-failed` where one cannot be made void
 */
export async function settleIntents(
  workspace: Workspace,
  remote: Remote,
  leaseMs: number,
  signal?: AbortSignal,
): Promise<void> {
  const seenAtMs = performance.now();
  const first = await intentKeys(remote);
  let standing = first;
  while (standing.length > 0 && performance.now() - seenAtMs < leaseMs) {
    await sleep(Math.min(1_000, leaseMs / 10), undefined, { signal });
    const now = new Set(await intentKeys(remote));
    standing = first.filter((key) => now.has(key));
  }
  for (const key of standing) await makeVoid(workspace, remote, key);
}

async function intentKeys(remote: Remote): Promise<ObjectKey[]> {
  const keys: ObjectKey[] = [];
  for await (const { key } of remote.list(INTENTS_PREFIX)) keys.push(key);
  return keys;
}

async function makeVoid(workspace: Workspace, remote: Remote, key: ObjectKey): Promise<void> {
  const intent = await readIntent(remote, key);
  if (!intent) return;
  const { point } = intent;
  const bytes = point.kind === "record" ? voidRecord(workspace, point) : voidAmendment(workspace, point);
  try {
    await (await remoteOf(workspace, intent)).create(point.key, bytes);
  } catch (error) {
    if (!isDatasetError(error, "object-exists")) throw error; // It was decided, or is void already.
  }
  await remote.delete(key);
}

async function readIntent(remote: Remote, key: ObjectKey) {
  const what = `${remote.url}/${key}`;
  try {
    const parsed = intentSchema.safeParse(parseJson(await remote.readWhole(key), what));
    if (parsed.success) return parsed.data;
    throw damaged(what, parsed.error);
  } catch (error) {
    if (isDatasetError(error, "object-missing")) return undefined;
    throw error;
  }
}

async function remoteOf(
  workspace: Workspace,
  { remote: id, url, by }: { remote: RemoteId; url: string; by: string },
): Promise<Remote> {
  try {
    return await workspace.remote(id);
  } catch (error) {
    const message = `Cannot collect: ${by} was about to complete a version in ${url}, and whether that came about cannot be seen: ${messageOf(error)}`;
    throw new DatasetError("remote-failed", { key: url }, message, { cause: error });
  }
}

function voidRecord(
  { user }: Workspace,
  { version, label }: DecidingObject & { kind: "record" },
): Uint8Array {
  return buriedRecord({ id: version, label, by: `${user} (varve gc)`, atMs: Date.now() });
}

function voidAmendment({ user }: Workspace, { dataset }: DecidingObject & { kind: "amendment" }): Uint8Array {
  const change = { kind: "void" as const, version: undefined };
  const id = randomBytes(16).toString("hex");
  return Buffer.from(encodeAmendment({ id, dataset, by: user, stampMs: Date.now(), change }));
}
