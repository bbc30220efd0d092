/** Reads from S3: ranges and whole objects, each held against its length and, where one is known, its hash. */
import { createHash } from "node:crypto";

import type { GetObjectCommandInput, GetObjectCommandOutput } from "@aws-sdk/client-s3";

import { DatasetError, isDatasetError } from "../errors.js";
import type { Deadline } from "./deadline.js";
import type { ObjectInfo, ObjectKey } from "./remote.js";
import { faultOf } from "./s3-failure.js";
import type { S3Requests } from "./s3-requests.js";

/** User metadata in which a whole object's SHA-256 lies, hex. Every store keeps it, unlike checksums. */
export const HASH_METADATA = "varve-sha256";

type Signal = AbortSignal | undefined;

export async function readRange(
  requests: S3Requests,
  key: ObjectKey,
  start: number,
  end: number,
  signal: Signal,
): Promise<Uint8Array> {
  checkRange(key, start, end);
  if (start === end) return readNothing(requests, key, start, signal);
  return requests.make({ attempt: "read", key, signal }, async (s3, deadline) => {
    const Range = `bytes=${start}-${end - 1}`; // HTTP counts the last byte in.
    const request = s3.getObject({ ...at(requests, key), Range }, { abortSignal: deadline.signal });
    const reply = await request.catch((error: unknown) => {
      throw beyondEnd(error, key, start, end) ?? error;
    });
    checkAnswered(reply, key, start, end);
    return collect(reply, key, end - start, deadline);
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
    if (sizeBytes > maxBytes) {
      discard(reply);
      const message = `Cannot read "${key}" whole: it has ${sizeBytes} bytes, and at most ${maxBytes} are expected`;
      throw new DatasetError("format-damaged", { what: key }, message);
    }
    const bytes = await collect(reply, key, sizeBytes, deadline);
    checkHash(requests, key, bytes, reply.Metadata?.[HASH_METADATA]);
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

/** HTTP has no empty range; what a read of one promises is that the object is there and so long. */
async function readNothing(
  requests: S3Requests,
  key: ObjectKey,
  offset: number,
  signal: Signal,
): Promise<Uint8Array> {
  const found = await lookUp(requests, key, signal);
  if (!found) {
    const message = `Cannot read "${key}" in ${requests.url}: no such object`;
    throw new DatasetError("object-missing", { key }, message);
  }
  if (offset > found.sizeBytes) throw short(key, 0, 0);
  return new Uint8Array(0);
}

/** S3 answers a range that begins beyond the end with an error, and with what there is to one that only ends there. */
function beyondEnd(error: unknown, key: ObjectKey, start: number, end: number): DatasetError | undefined {
  return faultOf(error).status === 416 ? short(key, end - start, 0) : undefined;
}

/** A store that answers with another range, or all, must not be believed because the length happens to fit. */
function checkAnswered(reply: GetObjectCommandOutput, key: ObjectKey, start: number, end: number): void {
  const [, first, last] = /^bytes (\d+)-(\d+)\//.exec(reply.ContentRange ?? "") ?? [];
  if (Number(first) === start && Number(last) < end) return;
  if (first === undefined && start === 0 && reply.ContentLength === end) return;
  discard(reply);
  const answered = reply.ContentRange ?? `all ${String(reply.ContentLength)} bytes`;
  const message = `Cannot read "${key}": asked for [${start}, ${end}), the store answered with ${answered}`;
  throw new DatasetError("remote-failed", { key }, message);
}

async function collect(
  { Body }: GetObjectCommandOutput,
  key: ObjectKey,
  wantedBytes: number,
  deadline: Deadline,
): Promise<Uint8Array> {
  // Its own memory, so that a caller may hand it to a worker, and not zeroed first.
  const bytes = new Uint8Array(Buffer.allocUnsafeSlow(wantedBytes).buffer);
  let gotBytes = 0;
  for await (const piece of (Body ?? []) as AsyncIterable<Uint8Array>) {
    deadline.extend();
    if (gotBytes + piece.byteLength > wantedBytes) throw short(key, wantedBytes, gotBytes + piece.byteLength);
    bytes.set(piece, gotBytes);
    gotBytes += piece.byteLength;
  }
  if (gotBytes !== wantedBytes) throw short(key, wantedBytes, gotBytes);
  return bytes;
}

function checkHash({ url }: S3Requests, key: ObjectKey, bytes: Uint8Array, wanted: string | undefined): void {
  if (wanted === undefined || createHash("sha256").update(bytes).digest("hex") === wanted) return;
  const message = `Cannot read "${key}" in ${url}: other bytes came than were stored`;
  throw new DatasetError("remote-failed", { key }, message);
}

/** Lets go of an answer whose body nobody wants. */
function discard({ Body }: GetObjectCommandOutput): void {
  (Body as { destroy?: () => void } | undefined)?.destroy?.();
}

function checkRange(key: ObjectKey, start: number, end: number): void {
  if (Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && start <= end) return;
  const value = `[${start}, ${end})`;
  const message = `Cannot read ${value} of "${key}": that is no range of bytes`;
  throw new DatasetError("bad-input", { value }, message);
}

function short(key: ObjectKey, wantedBytes: number, gotBytes: number): DatasetError<"remote-short"> {
  const message = `Cannot read "${key}": got ${gotBytes} of the ${wantedBytes} bytes asked for`;
  return new DatasetError("remote-short", { key, wantedBytes, gotBytes }, message);
}
