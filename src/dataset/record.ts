/**
 * The version record: the small object that makes a version exist in its remote. It is created conditionally under
 * its label, so two catalogs on one remote cannot make the same label twice.
 */
import * as z from "zod";
import { canonicalLabel, isLabel } from "../catalog/label.js";
import type { RemoteId, Sha256 } from "../content/chunk.js";
import { DatasetError, isDatasetError } from "../errors.js";
import { refuseNewer } from "../format.js";
import { isKey } from "../remote/key.js";
import type { ObjectKey, Remote } from "../remote/remote.js";
import { GiB, MiB } from "../units.js";
import { belongingsSchema } from "./belongings.js";
import { type DatasetId, type VersionId, isDatasetName } from "./reference.js";
import { damaged, parseJson } from "./stored-json.js";

const RECORD_FORMAT = 1;
const TOMBSTONE_FORMAT = 2;

const hex32 = z.string().regex(/^[0-9a-f]{32}$/);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.number().int().nonnegative();
/** Unix ms that a date can be made of. */
const timeMs = count.max(8_640_000_000_000_000);
/** That of a root of ten billion files. */
const ROOT_MAX_BYTES = 1 * GiB;
/** Far more than a record has: larger things of a version are attachments. */
const RECORD_MAX_BYTES = 64 * MiB;

const recordSchema = z.object({
  format: z.literal(RECORD_FORMAT),
  id: hex32.transform((id) => id as VersionId),
  dataset: z
    .object({ id: hex32.transform((id) => id as DatasetId), project: z.string(), name: z.string() })
    .refine(isDatasetName),
  label: z.string().refine(isLabel),
  /** In order; a later parent wins where several have a path. */
  parents: z.array(z.object({ id: hex32, dataset: z.string(), label: z.string() })),
  /** What it was squashed from, in order, by the names of then: no parents, and they may be no more. */
  squashedFrom: z.array(z.object({ id: hex32, dataset: z.string(), label: z.string() })).optional(),
  published: z.boolean(),
  description: z.string(),
  tags: z.array(z.string()),
  createdBy: z.string(),
  /** The job that made it; records before 0.2 have none. */
  job: z.object({ id: z.string(), name: z.string() }).optional(),
  createdAtMs: timeMs,
  completedAtMs: timeMs,
  root: z.object({
    key: z.string().refine(isKey),
    hash: sha256.transform((hash) => hash as Sha256),
    bytes: count.max(ROOT_MAX_BYTES),
  }),
  digest: sha256,
  contentDigest: sha256,
  files: count,
  bytes: count,
  changes: z.object({ added: count, modified: count, metadata: count, removed: count, renamed: count }),
  /** Every remote that holds bytes of this version, its own first, with the URL it was reached by when this was written. */
  remotes: z.array(z.object({ id: hex32.transform((id) => id as RemoteId), url: z.string() })).min(1),
  ...belongingsSchema.shape,
});

/** What lies in the place of the record of a version that was deleted. */
const tombstoneSchema = z.object({
  format: z.literal(TOMBSTONE_FORMAT),
  deleted: z.object({ id: hex32, label: z.string(), by: z.string(), atMs: timeMs }),
});

export type VersionRecord = z.infer<typeof recordSchema>;

export const DATASETS_PREFIX = "datasets/";

/** Whether the record of some version lies under a key. */
export function isRecordKey(key: ObjectKey): boolean {
  return /^datasets\/[0-9a-f]{32}\/versions\/[^/]+$/.test(key);
}

/** Where the records of a dataset lie; each ends in a label completed with zeros. */
export function recordPrefix(dataset: DatasetId): string {
  return `${DATASETS_PREFIX}${dataset}/versions/`;
}

/** The canonical label that ends a record's key; undefined where none does. */
export function labelOfKey(key: ObjectKey): string | undefined {
  try {
    const label = decodeURIComponent(key.slice(key.lastIndexOf("/") + 1));
    return isLabel(label) ? label : undefined;
  } catch {
    return undefined;
  }
}

export function recordKey(dataset: DatasetId, label: string): string {
  return recordPrefix(dataset) + encodeURIComponent(canonicalLabel(label));
}

/** Creates the record: the commit point. @throws {DatasetError} `object-exists` when the label is taken */
export async function createRecord(remote: Remote, record: VersionRecord): Promise<number> {
  const bytes = Buffer.from(`${JSON.stringify(record, null, 1)}\n`);
  await remote.create(recordKey(record.dataset.id, record.label), bytes);
  return bytes.length;
}

/** Reads and checks one record, and that it is that of its key. @throws {DatasetError} `object-missing`, `not-found` (deleted), `format-damaged`, `format-newer` */
export async function readRecord(remote: Remote, key: ObjectKey): Promise<VersionRecord> {
  const what = `${remote.url}/${key}`;
  const record = parseRecord(await remote.readWhole(key, { maxBytes: RECORD_MAX_BYTES }), what);
  if (recordKey(record.dataset.id, record.label) !== key) throw damaged(what);
  return record;
}

/** As `readRecord`; undefined where the version was deleted. */
export async function readRecordUnlessDeleted(
  remote: Remote,
  key: ObjectKey,
): Promise<VersionRecord | undefined> {
  try {
    return await readRecord(remote, key);
  } catch (error) {
    if (isDatasetError(error, "not-found")) return undefined;
    throw error;
  }
}

type Deleted = z.infer<typeof tombstoneSchema>["deleted"];

/** Puts a stone where a record was, so that nobody can create another under its label. */
export async function buryRecord(remote: Remote, dataset: DatasetId, deleted: Deleted): Promise<void> {
  await remote.put(recordKey(dataset, deleted.label), buriedRecord(deleted));
}

/** The bytes of such a stone. */
export function buriedRecord(deleted: Deleted): Uint8Array {
  return Buffer.from(`${JSON.stringify({ format: TOMBSTONE_FORMAT, deleted }, null, 1)}\n`);
}

/** Parses a record that came from outside. @throws {DatasetError} `not-found` for one that was deleted; `format-damaged`, `format-newer` */
export function parseRecord(bytes: Uint8Array, what: string): VersionRecord {
  const json = parseJson(bytes, what);
  const tombstone = tombstoneSchema.safeParse(json).data;
  if (tombstone) throw deleted(tombstone.deleted);
  refuseNewer(json, RECORD_FORMAT, `version record "${what}"`, what);
  const parsed = recordSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw damaged(what, parsed.error);
}

function deleted({ id, label, by, atMs }: z.infer<typeof tombstoneSchema>["deleted"]): DatasetError {
  const what = `version "${label}"`;
  const message = `Cannot read the ${what} (${id}): ${by} deleted it on ${new Date(atMs).toISOString().slice(0, 10)}`;
  return new DatasetError("not-found", { what }, message);
}
