/**
 * The version record: the small object that makes a version exist in its remote. It is created conditionally under
 * its label, so two catalogs on one remote cannot make the same label twice. Also the names beside it.
 */
import * as z from "zod";
import { canonicalLabel } from "../catalog/label.js";
import type { RemoteId, Sha256 } from "../content/chunk.js";
import { sha256 as sha256Of } from "../content/hash.js";
import { DatasetError, isDatasetError } from "../errors.js";
import type { Remote } from "../remote/remote.js";
import type { DatasetId, DatasetName, VersionId } from "./reference.js";

const RECORD_FORMAT = 1;
const KEY_PART_MAX_CHARS = 200;

const hex32 = z.string().regex(/^[0-9a-f]{32}$/);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.number().int().nonnegative();

const recordSchema = z.object({
  format: z.literal(RECORD_FORMAT),
  id: hex32.transform((id) => id as VersionId),
  dataset: z.object({ id: hex32.transform((id) => id as DatasetId), project: z.string(), name: z.string() }),
  label: z.string(),
  /** In order; a later parent wins where several have a path. */
  parents: z.array(z.object({ id: hex32, dataset: z.string(), label: z.string() })),
  published: z.boolean(),
  description: z.string(),
  tags: z.array(z.string()),
  createdBy: z.string(),
  createdAtMs: count,
  completedAtMs: count,
  root: z.object({ key: z.string(), hash: sha256.transform((hash) => hash as Sha256), bytes: count }),
  digest: sha256,
  contentDigest: sha256,
  files: count,
  bytes: count,
  changes: z.object({ added: count, modified: count, metadata: count, removed: count, renamed: count }),
  /** Every remote that holds bytes of this version, its own first, with the URL it was reached by when this was written. */
  remotes: z.array(z.object({ id: hex32.transform((id) => id as RemoteId), url: z.string() })).min(1),
});

export type VersionRecord = z.infer<typeof recordSchema>;

/** Where the records of a dataset lie; each ends in a label completed with zeros. */
export function recordPrefix(dataset: DatasetId): string {
  return `datasets/${dataset}/versions/`;
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

/** Reads and checks one record. @throws {DatasetError} `object-missing`, `format-damaged`, `format-newer` */
export async function readRecord(remote: Remote, key: string): Promise<VersionRecord> {
  return parseRecord(await remote.readWhole(key), `${remote.url}/${key}`);
}

/** Parses a record that came from outside. @throws {DatasetError} `format-damaged`, `format-newer` */
export function parseRecord(bytes: Uint8Array, what: string): VersionRecord {
  const json = parseJson(bytes, what);
  const format = z.object({ format: z.number() }).safeParse(json).data?.format;
  if (format !== undefined && format > RECORD_FORMAT) {
    const message = `Cannot read the version record "${what}": its format ${format} is newer than this varve knows`;
    throw new DatasetError("format-newer", { what, version: format }, message);
  }
  const parsed = recordSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw damaged(what, parsed.error);
}

/**
 * The id behind a dataset's name in a remote: the one found there, else `proposed`, which is then written. Two
 * catalogs that meet in one remote so agree on what `project/name` is.
 */
export async function claimName(
  remote: Remote,
  dataset: DatasetName,
  proposed: DatasetId,
): Promise<DatasetId> {
  const key = nameKey(dataset);
  try {
    await remote.create(key, Buffer.from(JSON.stringify({ format: 1, dataset: proposed })));
    return proposed;
  } catch (error) {
    if (!isDatasetError(error, "object-exists")) throw error;
    return (await readName(remote, dataset)) ?? proposed;
  }
}

/** The id behind a dataset's name in a remote, if the remote knows the name. */
export async function readName(remote: Remote, dataset: DatasetName): Promise<DatasetId | undefined> {
  const key = nameKey(dataset);
  if ((await remote.stat(key)) === undefined) return undefined;
  const what = `${remote.url}/${key}`;
  const parsed = z.object({ dataset: hex32 }).safeParse(parseJson(await remote.readWhole(key), what));
  if (!parsed.success) throw damaged(what, parsed.error);
  return parsed.data.dataset as DatasetId;
}

function nameKey({ project, name }: DatasetName): string {
  return `names/${keyPart(project)}/${keyPart(name)}`;
}

/** A name as one component of a key: URL-encoded, or its hash where a file system would find that too long. */
function keyPart(text: string): string {
  const encoded = encodeURIComponent(text);
  return encoded.length <= KEY_PART_MAX_CHARS ? encoded : `~${sha256Of(Buffer.from(text))}`;
}

function parseJson(bytes: Uint8Array, what: string): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString("utf8")) as unknown;
  } catch (error) {
    throw damaged(what, error);
  }
}

function damaged(what: string, cause: unknown): DatasetError<"format-damaged"> {
  return new DatasetError("format-damaged", { what }, `Cannot read "${what}": it is damaged`, { cause });
}
