/** Reads from Azure: ranges and whole objects, each held against its length and, where one is known, its hash. */
import { Readable } from "node:stream";

import type {
  BlobDownloadResponseParsed,
  BlobDownloadOptions,
  BlobRequestConditions,
} from "@azure/storage-blob";

import { type DatasetError, isDatasetError } from "../../errors.js";
import { checkAnswered, checkHash, checkRange, checkSmall, collect, nothingOf, short } from "../answers.js";
import { faultOf } from "./failure.js";
import type { AzureRequests } from "./requests.js";
import type { Deadline } from "../deadline.js";
import type { ObjectInfo, ObjectKey } from "../remote.js";

/** Metadata in which a whole object's SHA-256 lies, hex. Azure allows no hyphen in its name. */
export const HASH_METADATA = "varve_sha256";

type Signal = AbortSignal | undefined;

/** @param conditions Which state of the blob is to be read. Default: whichever is there. */
export async function readRange(
  requests: AzureRequests,
  key: ObjectKey,
  start: number,
  end: number,
  signal: Signal,
  conditions: BlobRequestConditions = {},
): Promise<Uint8Array> {
  checkRange(key, start, end);
  if (start === end) return nothingOf(await lookUp(requests, key, signal), requests.url, key, start);
  return requests.make({ attempt: "read", key, signal }, async (container, deadline) => {
    const blob = container.getBlobClient(at(requests, key));
    const request = blob.download(start, end - start, { ...optionsFor(deadline), conditions });
    const reply = await request.catch((error: unknown) => {
      throw beyondEnd(error, key, start, end) ?? error;
    });
    if (reply.contentLength === 0) throw short(key, end - start, 0); // Whatever range it then claims to be.
    const answered = { range: reply.contentRange, sizeBytes: reply.contentLength };
    checked(reply, () => checkAnswered(answered, key, start, end));
    return bodyOf(reply, key, end - start, deadline);
  });
}

export async function readWholeObject(
  requests: AzureRequests,
  key: ObjectKey,
  maxBytes: number,
  signal: Signal,
): Promise<Uint8Array> {
  return requests.make({ attempt: "read", key, signal }, async (container, deadline) => {
    const blob = container.getBlobClient(at(requests, key));
    const reply = await blob.download(0, undefined, optionsFor(deadline));
    const sizeBytes = reply.contentLength ?? 0;
    checked(reply, () => checkSmall(key, sizeBytes, maxBytes));
    const bytes = await bodyOf(reply, key, sizeBytes, deadline);
    checkHash(requests.url, key, bytes, reply.metadata?.[HASH_METADATA]);
    return bytes;
  });
}

/** Undefined when there is no such object. */
export async function lookUp(
  requests: AzureRequests,
  key: ObjectKey,
  signal: Signal,
): Promise<ObjectInfo | undefined> {
  try {
    return await requests.make({ attempt: "look up", key, signal }, async (container, deadline) => {
      const blob = container.getBlobClient(at(requests, key));
      const { contentLength, lastModified } = await blob.getProperties({ abortSignal: deadline.signal });
      return { key, sizeBytes: contentLength ?? 0, modifiedMs: lastModified?.getTime() ?? 0 };
    });
  } catch (error) {
    if (isDatasetError(error, "object-missing")) return undefined;
    throw error;
  }
}

/** The name of a key's blob. */
export function at({ location }: AzureRequests, key: ObjectKey): string {
  return location.prefix + key;
}

function optionsFor({ signal }: Deadline): BlobDownloadOptions {
  return { abortSignal: signal, maxRetryRequests: 0 };
}

/** Azure answers a range that begins beyond the end with an error, and with what there is to one that only ends there. */
function beyondEnd(error: unknown, key: ObjectKey, start: number, end: number): DatasetError | undefined {
  return faultOf(error).status === 416 ? short(key, end - start, 0) : undefined;
}

async function bodyOf(
  { readableStreamBody }: BlobDownloadResponseParsed,
  key: ObjectKey,
  wantedBytes: number,
  deadline: Deadline,
): Promise<Uint8Array> {
  return collect((readableStreamBody ?? Readable.from([])) as Readable, key, wantedBytes, deadline);
}

/** What `check` refuses is an answer whose body nobody wants; it is let go of. */
function checked({ readableStreamBody }: BlobDownloadResponseParsed, check: () => void): void {
  try {
    check();
  } catch (error) {
    (readableStreamBody as { destroy?: () => void } | undefined)?.destroy?.();
    throw error;
  }
}
