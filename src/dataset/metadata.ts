/**
 * Metadata of a version: values by name, small ones in the record, large ones as attachments beside the data. Which kinds
 * of value there are stands in `metadata-value.ts`.
 */
import { isUtf8 } from "node:buffer";
import { readFile, stat } from "node:fs/promises";
import type { Metadata, VersionRow } from "../catalog/catalog.js";
import type { RemoteId, Sha256 } from "../content/chunk.js";
import { sha256 } from "../content/hash.js";
import { DatasetError, errnoOf, messageOf } from "../errors.js";
import { ATTACHMENT_MAX_BYTES, attachmentSchema, putAttachment, readAttachment } from "./attachments.js";
import { amend } from "./amend.js";
import { DRAFT_HOLD_MS, isLeased, putLease } from "./collect/leases.js";
import type { Draft } from "./draft.js";
import { type FoundVersion, isFinished } from "./history.js";
import {
  type EncodedValue,
  METADATA_FORMS,
  type MetadataForm,
  type MetadataValue,
  checkMetadataName,
  decodeValue,
  encodeValue,
  mediaTypeOf,
} from "./metadata-value.js";
import { damaged, parseAs } from "./stored-json.js";
import { textOfDataset } from "./reference.js";
import type { OpenedRemote, Workspace } from "./workspace.js";

export interface MetadataOptions {
  /** Default `metadata`. No name is reserved. */
  name?: string | undefined;
  /** Media type. Default: that of JSON, text or bytes; for a file that of its ending. */
  type?: string | undefined;
}

/** What is known of a value without reading it. */
export interface MetadataInfo {
  name: string;
  /** Media type. */
  type: string;
  /** What it comes back as. */
  form: MetadataForm;
  bytes: number;
  sha256: Sha256;
}

export const DEFAULT_NAME = "metadata";

/** A record is read whole by who looks for versions, so what is larger lies beside it. */
const INLINE_MAX_BYTES = 1024;
const VALUES_MAX = 1_000;
const BYTES_TYPE = "application/octet-stream";

/**
 * Keeps a value with a version, replacing one of the same name: with a draft until it is finalized, with a finished one by an
 * amendment. Costs a request for one over 1 KiB.
 */
export async function setMetadata(
  workspace: Workspace,
  { dataset, version }: FoundVersion,
  name: string,
  value: EncodedValue,
): Promise<MetadataInfo> {
  checkMetadataName(name);
  const catalog = await workspace.catalog();
  const known = await catalog.listMetadata(version.id);
  if (known.length >= VALUES_MAX && !known.some((each) => each.name === name)) throw tooMany(name);
  if (!isFinished(version) && value.bytes.length > INLINE_MAX_BYTES)
    await hold(workspace, { dataset, version });
  const metadata = await stored(workspace, version, name, value);
  const set = [{ ...metadata, value: Buffer.from(metadata.value).toString("base64") }];
  if (isFinished(version))
    await amend(workspace, dataset, { kind: "metadata", version: version.id, set, remove: [] });
  else await catalog.setMetadata(version.id, metadata);
  return infoOf(metadata);
}

/** The bytes of a value, and what is known of it; undefined where there is none of that name. */
export async function readMetadata(
  workspace: Workspace,
  version: VersionRow,
  name: string,
): Promise<(MetadataInfo & { value: MetadataValue }) | undefined> {
  const metadata = await (await workspace.catalog()).getMetadata(version.id, name);
  if (!metadata) return undefined;
  const info = infoOf(metadata);
  const { attachment, value } = metadata;
  const bytes =
    attachment === null ? value : await readAttachment(await workspace.cache(), parsedAttachment(attachment));
  return { ...info, value: decodeValue({ form: info.form, bytes }) };
}

/** Sorted by name. */
export async function listMetadata(workspace: Workspace, version: VersionRow): Promise<MetadataInfo[]> {
  return (await (await workspace.catalog()).listMetadata(version.id)).map(infoOf);
}

/** @throws {DatasetError} `not-found` when there is none of that name */
export async function deleteMetadata(
  workspace: Workspace,
  { dataset, version }: FoundVersion,
  name: string,
): Promise<void> {
  const catalog = await workspace.catalog();
  if (!(await catalog.getMetadata(version.id, name))) throw noSuchMetadata(name, version);
  if (isFinished(version))
    await amend(workspace, dataset, { kind: "metadata", version: version.id, set: [], remove: [name] });
  else await catalog.deleteMetadata(version.id, name);
}

/** What a child that asks for it has of its parents; a later parent wins where several have a name. */
export async function inheritMetadata(workspace: Workspace, draft: Draft): Promise<void> {
  const catalog = await workspace.catalog();
  for (const { version } of draft.parents)
    for (const each of await catalog.listMetadata(version.id))
      await catalog.setMetadata(draft.version.id, each);
}

/**
 * A file of this machine as a value: JSON where its ending or `type` says so, else bytes with their media type.
 *
 * @throws {DatasetError} `not-found`, `source-unreadable`, `bad-input`
 */
export async function valueOfFile(path: string, type = mediaTypeOf(path)): Promise<EncodedValue> {
  try {
    const { size } = await stat(path);
    if (size > ATTACHMENT_MAX_BYTES) throw tooLarge(path, size);
    return valueOfBytes(await readFile(path), type ?? BYTES_TYPE);
  } catch (error) {
    if (error instanceof DatasetError) throw error;
    const message = `Cannot read "${path}": ${messageOf(error)}`;
    if (errnoOf(error) === "ENOENT")
      throw new DatasetError("not-found", { what: path }, message, { cause: error });
    throw new DatasetError("source-unreadable", { path }, message, { cause: error });
  }
}

/** Bytes from outside as a value: JSON for its media type, text for plain text, else bytes. @throws {DatasetError} `bad-input` */
export function valueOfBytes(bytes: Uint8Array, type?: string): EncodedValue {
  const kind = (type ?? (isUtf8(bytes) ? "text/plain" : "")).split(";")[0];
  if (kind === "application/json") return jsonValue(bytes, type);
  const isText = kind === "text/plain" && isUtf8(bytes);
  return {
    ...encodeValue(new Uint8Array(bytes), isText ? (type ?? kind) : type),
    form: isText ? "text" : "bytes",
  };
}

function jsonValue(bytes: Uint8Array, type: string | undefined): EncodedValue {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    return { ...encodeValue(Buffer.from(JSON.stringify(value)), type), form: "json" };
  } catch (cause) {
    const message = `Cannot read the value as JSON: ${messageOf(cause)}; --type says what else it is`;
    throw new DatasetError("bad-input", { value: "JSON" }, message, { cause });
  }
}

export function noSuchMetadata(name: string, { label }: VersionRow): DatasetError<"not-found"> {
  const what = `metadata "${name}"`;
  const message = `Cannot find the ${what}: version ${label} has none of that name; varve metadata list shows what it has`;
  return new DatasetError("not-found", { what }, message);
}

async function stored(
  workspace: Workspace,
  { remoteId }: VersionRow,
  name: string,
  { form, type, bytes }: EncodedValue,
): Promise<Metadata> {
  if (bytes.length <= INLINE_MAX_BYTES) return { name, type, form, value: bytes, attachment: null };
  const attachment = JSON.stringify(await putAttachment(await remoteOf(workspace, remoteId), bytes));
  return { name, type, form, value: new Uint8Array(), attachment };
}

/** What lies in the remote for a draft stays there until it is completed. */
async function hold(workspace: Workspace, { dataset, version }: FoundVersion): Promise<void> {
  if (workspace.isOffline) return;
  const { remote } = await remoteOf(workspace, version.remoteId);
  const { id, label } = version;
  if (await isLeased(remote, id)) return;
  const what = `draft ${textOfDataset(dataset)}@${label}`;
  await putLease(remote, { id, what, user: workspace.user, roots: [], holdMs: DRAFT_HOLD_MS });
}

/** Where a version's record lies, or will. */
export async function remoteOf(workspace: Workspace, remoteId: string): Promise<OpenedRemote> {
  const id = remoteId as RemoteId;
  return { id, remote: await workspace.remote(id) };
}

function infoOf({ name, type, form, value, attachment }: Metadata): MetadataInfo {
  const kept =
    attachment === null ? { bytes: value.length, sha256: sha256(value) } : parsedAttachment(attachment);
  return { name, type, form: formOf(form), bytes: kept.bytes, sha256: kept.sha256 };
}

/** An amendment may say any word. @throws {DatasetError} `format-damaged` */
function formOf(word: string): MetadataForm {
  const form = METADATA_FORMS.find((known) => known === word);
  if (form === undefined) throw damaged("form of a metadata value");
  return form;
}

function parsedAttachment(text: string) {
  return parseAs(attachmentSchema, text, "attachment of a metadata value");
}

function tooLarge(path: string, sizeBytes: number): DatasetError<"bad-input"> {
  const message = `Cannot take "${path}" as metadata: it has ${sizeBytes} bytes, at most ${ATTACHMENT_MAX_BYTES} are taken; varve add adds it as a file`;
  return new DatasetError("bad-input", { value: path }, message);
}

function tooMany(name: string): DatasetError<"bad-input"> {
  const message = `Cannot set the metadata "${name}": the version has ${VALUES_MAX} values already; put several into one`;
  return new DatasetError("bad-input", { value: name }, message);
}
