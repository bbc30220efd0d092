/**
 * A collection as it stands in its remote, below `collections/<id>/`. Each step creates one object more, so that whoever
 * looks sees how far it is:
 *
 * | object | what |
 * |---|---|
 * | `list-<n>` | keys that nothing needed when they were looked for |
 * | `published` | all lists are there: they may be deleted a grace later, if nothing needs them then |
 * | `deleting-<n>` | the deletion has begun; a greater number took it over from one that had stopped |
 * | `progress` | put again and again by who deletes |
 * | `done` | nothing will be deleted by it any more |
 */
import { randomBytes } from "node:crypto";
import * as z from "zod";
import { isDatasetError } from "../../errors.js";
import type { ObjectInfo, ObjectKey, Remote } from "../../remote/remote.js";
import { damaged, parseJson } from "../stored-json.js";

const COLLECTION_FORMAT = 1;
export const COLLECTIONS_PREFIX = "collections/";
/** A list of that many keys has half a MiB. */
const KEYS_IN_LIST = 5_000;

const listSchema = z.object({ format: z.literal(COLLECTION_FORMAT), keys: z.array(z.string()) });
const publishedSchema = z.object({
  format: z.literal(COLLECTION_FORMAT),
  by: z.string(),
  objects: z.number().int().nonnegative(),
  bytes: z.number().int().nonnegative(),
});

export interface Published {
  objects: number;
  bytes: number;
}

/** How many objects, and their bytes. */
export function amountOf(infos: readonly ObjectInfo[]): Published {
  return { objects: infos.length, bytes: infos.reduce((bytes, { sizeBytes }) => bytes + sizeBytes, 0) };
}

/** What the names of a collection's objects tell; times are Unix ms by the store's clock. */
export interface Collection {
  id: string;
  lists: ObjectKey[];
  /** When its lists were complete; undefined before. */
  publishedMs: number | undefined;
  /** How many have begun to delete: 0 before the deletion. */
  deleters: number;
  doneMs: number | undefined;
  /** When the last of its objects was put. */
  lastMs: number;
}

export function newCollectionId(): string {
  return randomBytes(16).toString("hex");
}

/** The collections of a remote. Costs one listing, which is empty where nobody collects. */
export async function collectionsIn(remote: Remote): Promise<Collection[]> {
  const found = new Map<string, Collection>();
  for await (const { key, modifiedMs } of remote.list(COLLECTIONS_PREFIX)) {
    const [id = "", name = ""] = key.slice(COLLECTIONS_PREFIX.length).split("/");
    const known = found.get(id) ?? newCollection(id);
    found.set(id, note(known, { key, name, modifiedMs }));
  }
  return [...found.values()];
}

function newCollection(id: string): Collection {
  return { id, lists: [], publishedMs: undefined, deleters: 0, doneMs: undefined, lastMs: 0 };
}

function note(
  collection: Collection,
  { key, name, modifiedMs }: { key: ObjectKey; name: string; modifiedMs: number },
): Collection {
  const lastMs = Math.max(collection.lastMs, modifiedMs);
  const deleter = /^deleting-(\d+)$/.exec(name)?.[1];
  if (name.startsWith("list-")) return { ...collection, lastMs, lists: [...collection.lists, key] };
  if (name === "published") return { ...collection, lastMs, publishedMs: modifiedMs };
  if (name === "done") return { ...collection, lastMs, doneMs: modifiedMs };
  if (deleter === undefined) return { ...collection, lastMs };
  return { ...collection, lastMs, deleters: Math.max(collection.deleters, Number(deleter)) };
}

/** Publishes what may be deleted a grace later. */
export async function publish(
  remote: Remote,
  id: string,
  { keys, bytes, by }: { keys: readonly ObjectKey[]; bytes: number; by: string },
): Promise<void> {
  for (let at = 0, list = 1; at < keys.length; at += KEYS_IN_LIST, list++) {
    const content = { format: COLLECTION_FORMAT, keys: keys.slice(at, at + KEYS_IN_LIST) };
    await putJson(remote, `${COLLECTIONS_PREFIX}${id}/list-${list}`, content);
  }
  const content = { format: COLLECTION_FORMAT, by, objects: keys.length, bytes };
  await putJson(remote, `${COLLECTIONS_PREFIX}${id}/published`, content);
}

/** @throws {DatasetError} `format-damaged` */
export async function readPublished(remote: Remote, { id }: Collection): Promise<Published> {
  const { objects, bytes } = await readJson(remote, `${COLLECTIONS_PREFIX}${id}/published`, publishedSchema);
  return { objects, bytes };
}

/** The keys of a collection, in order. @throws {DatasetError} `format-damaged` */
export async function readLists(remote: Remote, { lists }: Collection): Promise<ObjectKey[]> {
  const keys: ObjectKey[] = [];
  for (const list of lists) keys.push(...(await readJson(remote, list, listSchema)).keys);
  return keys;
}

/** Whether its deletion is still to come or to be finished. */
export function isOpen({ publishedMs, doneMs }: Collection): boolean {
  return publishedMs !== undefined && doneMs === undefined;
}

/** What an earlier run published and no run has deleted yet: it may be gone any moment. */
export async function listedAlready(remote: Remote): Promise<Set<ObjectKey>> {
  const listed = new Set<ObjectKey>();
  for (const collection of (await collectionsIn(remote)).filter(isOpen))
    for (const key of await readLists(remote, collection)) listed.add(key);
  return listed;
}

/** Whether the deletion is the caller's from now on: nobody else has begun it as number `deleter`. */
export async function beginDeletion(
  remote: Remote,
  id: string,
  deleter: number,
  by: string,
): Promise<boolean> {
  const content = Buffer.from(JSON.stringify({ format: COLLECTION_FORMAT, by }));
  try {
    await remote.create(deletingKey(id, deleter), content);
    return true;
  } catch (error) {
    if (isDatasetError(error, "object-exists")) return false;
    throw error;
  }
}

/** Whether somebody took the deletion over from number `deleter`. */
export async function isTakenOver(remote: Remote, id: string, deleter: number): Promise<boolean> {
  return (await remote.stat(deletingKey(id, deleter + 1))) !== undefined;
}

/** A sign of life of who deletes: something else at each call. */
export function putProgress(remote: Remote, id: string, sign: string): Promise<void> {
  return putJson(remote, progressKey(id), { format: COLLECTION_FORMAT, sign });
}

/** The last sign of life; undefined where there was none yet. */
export async function readProgress(remote: Remote, id: string): Promise<string | undefined> {
  try {
    return Buffer.from(await remote.readWhole(progressKey(id))).toString("utf8");
  } catch (error) {
    if (isDatasetError(error, "object-missing")) return undefined;
    throw error;
  }
}

export function endDeletion(remote: Remote, id: string, deleted: Published): Promise<void> {
  return putJson(remote, `${COLLECTIONS_PREFIX}${id}/done`, { format: COLLECTION_FORMAT, ...deleted });
}

/** Takes away all that tells of a collection, its lists last but for what says that it is done. */
export async function forgetCollection(
  remote: Remote,
  { id, lists }: Pick<Collection, "id" | "lists">,
): Promise<void> {
  for (const list of lists) await remote.delete(list);
  for await (const { key } of remote.list(`${COLLECTIONS_PREFIX}${id}/`)) await remote.delete(key);
}

function deletingKey(id: string, deleter: number): ObjectKey {
  return `${COLLECTIONS_PREFIX}${id}/deleting-${deleter}`;
}

function progressKey(id: string): ObjectKey {
  return `${COLLECTIONS_PREFIX}${id}/progress`;
}

function putJson(remote: Remote, key: ObjectKey, content: object): Promise<void> {
  return remote.put(key, Buffer.from(JSON.stringify(content)));
}

async function readJson<Schema extends z.ZodType>(
  remote: Remote,
  key: ObjectKey,
  schema: Schema,
): Promise<z.infer<Schema>> {
  const what = `${remote.url}/${key}`;
  const parsed = schema.safeParse(parseJson(await remote.readWhole(key), what));
  if (parsed.success) return parsed.data;
  throw damaged(what, parsed.error);
}
