/** Names beside the data: in each remote, what `project/name` is. So a lost catalog can be made again. */
import * as z from "zod";
import { sha256 } from "../content/hash.js";
import { isDatasetError } from "../errors.js";
import type { ObjectKey, Remote } from "../remote/remote.js";
import { KiB } from "../units.js";
import { type DatasetId, type DatasetName, isDatasetName } from "./reference.js";
import { damaged, parseJson } from "./stored-json.js";

export const NAMES_PREFIX = "names/";
const KEY_PART_MAX_CHARS = 200;
const NAME_MAX_BYTES = 64 * KiB;

const nameSchema = z.object({
  dataset: z.string().regex(/^[0-9a-f]{32}$/),
  // What follows is missing in remotes of the first release.
  project: z.string().optional(),
  name: z.string().optional(),
  createdAtMs: z.number().int().nonnegative().max(8_640_000_000_000_000).optional(),
});

/** What a remote says of a dataset by its name. */
export interface NamedDataset {
  id: DatasetId;
  /** Unix ms, where the remote knows it. */
  createdAtMs?: number | undefined;
}

/**
 * The dataset behind a name in a remote: the one found there, else `proposed`, which is then written. Two catalogs that
 * meet in one remote so agree on what `project/name` is.
 */
export async function claimName(
  remote: Remote,
  dataset: DatasetName,
  proposed: NamedDataset,
): Promise<NamedDataset> {
  const { project, name } = dataset;
  const { id, createdAtMs } = proposed;
  const content = JSON.stringify({ format: 1, dataset: id, project, name, createdAtMs });
  try {
    await remote.create(nameKey(dataset), Buffer.from(content));
    return proposed;
  } catch (error) {
    if (!isDatasetError(error, "object-exists")) throw error;
    return (await readName(remote, dataset)) ?? proposed;
  }
}

/** The dataset behind a name in a remote, if the remote knows the name. One request. @throws {DatasetError} `format-damaged` */
export async function readName(remote: Remote, dataset: DatasetName): Promise<NamedDataset | undefined> {
  try {
    const { id, createdAtMs } = await readNameAt(remote, nameKey(dataset));
    return { id, createdAtMs };
  } catch (error) {
    if (isDatasetError(error, "object-missing")) return undefined;
    throw error;
  }
}

/** What lies under one key of `names/`. @throws {DatasetError} `object-missing`, `format-damaged` */
export async function readNameAt(remote: Remote, key: ObjectKey): Promise<NamedDataset & DatasetName> {
  const what = `${remote.url}/${key}`;
  const parsed = nameSchema.safeParse(
    parseJson(await remote.readWhole(key, { maxBytes: NAME_MAX_BYTES }), what),
  );
  if (!parsed.success) throw damaged(what, parsed.error);
  const { dataset, createdAtMs } = parsed.data;
  const fromKey = datasetOfKey(key);
  const { project = fromKey?.project, name = fromKey?.name } = parsed.data;
  if (project === undefined || name === undefined || !isDatasetName({ project, name })) throw damaged(what);
  return { id: dataset as DatasetId, project, name, createdAtMs };
}

function nameKey({ project, name }: DatasetName): ObjectKey {
  return `${NAMES_PREFIX}${keyPart(project)}/${keyPart(name)}`;
}

/** A name as one component of a key: URL-encoded, or its hash where a file system would find that too long. */
function keyPart(text: string): string {
  const encoded = encodeURIComponent(text);
  return encoded.length <= KEY_PART_MAX_CHARS ? encoded : `~${sha256(Buffer.from(text))}`;
}

function datasetOfKey(key: ObjectKey): DatasetName | undefined {
  const [project, name] = key.slice(NAMES_PREFIX.length).split("/");
  if (project === undefined || name === undefined || project.startsWith("~") || name.startsWith("~"))
    return undefined;
  return { project: decoded(project), name: decoded(name) };
}

/** A part that nobody of us encoded is no name, which its reader finds. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return "";
  }
}
