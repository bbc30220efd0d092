/** Reads from S3: ranges and whole objects, each held against its length and, where one is known, its hash. */
import { Readable } from "node:stream";

import type { GetObjectCommandInput, GetObjectCommandOutput } from "@aws-sdk/client-s3";

import { type DatasetError, isDatasetError } from "../../errors.js";
import { checkAnswered, checkHash, checkRange, checkSmall, collect, nothingOf, short } from "../answers.js";
import type { Deadline } from "../deadline.js";
import type { ObjectInfo, ObjectKey } from "../remote.js";
import { faultOf } from "./failure.js";
import type { S3Requests } from "./requests.js";

/** User metadata in which a whole object's SHA-256 lies, hex. Every store keeps it, unlike checksums. */
export const HASH_METADATA = "varve-sha256";

type Signal = AbortSignal | undefined;

/** Which state of an object is to be read; another one is a failure. Default: the current one. */
export type S3Condition = Pick<GetObjectCommandInput, "IfMatch" | "VersionId">;

export async function readRange(
  requests: S3Requests,
  key: ObjectKey,
  start: number,
  end: number,
  signal: Signal,
  condition: S3Condition = {},
): Promise<Uint8Array> {
  checkRange(key, start, end);
  if (start === end) return nothingOf(await lookUp(requests, key, signal), requests.url, key, start);
  return requests.make({ attempt: "read", key, signal }, async (s3, deadline) => {
    const Range = `bytes=${start}-${end - 1}`; // HTTP counts the last byte in.
    const input = { ...at(requests, key), ...condition, Range };
    const request = s3.getObject(input, { abortSignal: deadline.signal });
    const reply = await request.catch((error: unknown) => {
      throw beyondEnd(error, key, start, end) ?? error;
    });
    const answered = { range: reply.ContentRange, sizeBytes: reply.ContentLength };
    checked(reply, () => checkAnswered(answered, key, start, end));
    return bodyOf(reply, key, end - start, deadline);
  });
}

export async function readWholeObject(
  requests: S3Requests,
  key: ObjectKey,
  maxBytes: number,
  signal: Signal,
): Promise<Uint8Array> {
  return requests.make({ attempt: "read", key, signal }, async (s3, deadline) => {
    const reply = await s3.getObject(at(requests, key), { abortSignal: deadline.signal });
    const sizeBytes = reply.ContentLength ?? 0;
    checked(reply, () => checkSmall(key, sizeBytes, maxBytes));
    const bytes = await bodyOf(reply, key, sizeBytes, deadline);
    checkHash(requests.url, key, bytes, reply.Metadata?.[HASH_METADATA]);
    return bytes;
  });
}

/** Undefined when there is no such object. */
export async function lookUp(
  requests: S3Requests,
  key: ObjectKey,
  signal: Signal,
): Promise<ObjectInfo | undefined> {
  try {
    return await requests.make({ attempt: "look up", key, signal }, async (s3, deadline) => {
      const reply = await s3.headObject(at(requests, key), { abortSignal: deadline.signal });
      return { key, sizeBytes: reply.ContentLength ?? 0, modifiedMs: reply.LastModified?.getTime() ?? 0 };
    });
  } catch (error) {
    if (isDatasetError(error, "object-missing")) return undefined;
    throw error;
  }
}

/** Where a key lies. */
export function at(
  { location: { bucket, prefix } }: S3Requests,
  key: ObjectKey,
): Pick<GetObjectCommandInput, "Bucket" | "Key"> & { Bucket: string; Key: string } {
  return { Bucket: bucket, Key: prefix + key };
}

/** S3 answers a range that begins beyond the end with an error, and with what there is to one that only ends there. */
function beyondEnd(error: unknown, key: ObjectKey, start: number, end: number): DatasetError | undefined {
  return faultOf(error).status === 416 ? short(key, end - start, 0) : undefined;
}

async function bodyOf(
  { Body }: GetObjectCommandOutput,
  key: ObjectKey,
  wantedBytes: number,
  deadline: Deadline,
): Promise<Uint8Array> {
  return collect((Body ?? Readable.from([])) as Readable, key, wantedBytes, deadline);
}

/** What `check` refuses is an answer whose body nobody wants; it is let go of. */
function checked({ Body }: GetObjectCommandOutput, check: () => void): void {
  try {
    check();
  } catch (error) {
    (Body as { destroy?: () => void } | undefined)?.destroy?.();
    throw error;
  }
}
