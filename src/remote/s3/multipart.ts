/** The requests of an upload in parts. */
import { createHash } from "node:crypto";

import type { CompletedPart, Part as ListedPart } from "@aws-sdk/client-s3";

import { DatasetError, isDatasetError } from "../../errors.js";
import type { Part } from "../parts.js";
import type { ObjectKey } from "../remote.js";
import { at, lookUp } from "./read.js";
import type { S3Requests } from "./requests.js";

export interface UploadTarget {
  requests: S3Requests;
  key: ObjectKey;
  signal: AbortSignal | undefined;
}

export interface UnfinishedUpload extends UploadTarget {
  id: string;
  /** What was sent earlier, by number. */
  parts: ReadonlyMap<number, SentPart>;
}

/** A part that the store has. */
export interface SentPart {
  number: number;
  sizeBytes: number;
  etag: string;
  /** Base64; where the store keeps checksums. */
  sha256: string | undefined;
}

/** The newest unfinished upload of a key, with its parts; undefined where there is none or it may not be looked for. */
export async function findUnfinished(target: UploadTarget): Promise<UnfinishedUpload | undefined> {
  const { requests, key, signal } = target;
  const { Bucket, Key } = at(requests, key);
  try {
    const found = await requests.make(
      { attempt: "look for an unfinished put of", key, signal },
      (s3, deadline) => s3.listMultipartUploads({ Bucket, Prefix: Key }, { abortSignal: deadline.signal }),
    );
    // An upload that was begun with checksums takes no part without, and the other way round.
    const fits = (algorithm: string | undefined) => (algorithm === "SHA256") === requests.location.checksums;
    const uploads = (found.Uploads ?? []).filter(
      (upload) => upload.Key === Key && fits(upload.ChecksumAlgorithm),
    );
    const newest = uploads.sort((a, b) => Number(a.Initiated) - Number(b.Initiated)).at(-1);
    return newest?.UploadId === undefined ? undefined : await withParts(target, newest.UploadId);
  } catch (error) {
    // Without the right to list them, or in a store that cannot, an upload only begins anew.
    if (isDatasetError(error, "remote-refused") || isDatasetError(error, "object-missing")) return undefined;
    throw error;
  }
}

export async function begin(target: UploadTarget): Promise<UnfinishedUpload> {
  const { requests, key, signal } = target;
  const checksum = requests.location.checksums ? { ChecksumAlgorithm: "SHA256" as const } : {};
  const { UploadId } = await requests.make({ attempt: "put", key, signal }, (s3, deadline) =>
    s3.createMultipartUpload({ ...at(requests, key), ...checksum }, { abortSignal: deadline.signal }),
  );
  if (UploadId === undefined) throw odd(target, "the store began an upload without an id");
  return { ...target, id: UploadId, parts: new Map() };
}

export async function sendPart(
  { requests, key, id }: UnfinishedUpload,
  { number, bytes, sha256 }: Part,
  signal: AbortSignal,
): Promise<SentPart> {
  const input = {
    ...at(requests, key),
    UploadId: id,
    PartNumber: number,
    Body: bytes,
    ContentLength: bytes.byteLength,
    ChecksumSHA256: sha256,
  };
  const asked = { attempt: "put", key, signal, sendsBytes: bytes.byteLength };
  const reply = await requests.make(asked, (s3, deadline) =>
    s3.uploadPart(input, { abortSignal: deadline.signal }),
  );
  return { number, sizeBytes: bytes.byteLength, etag: reply.ETag ?? "", sha256 };
}

/** Whether a part that the store has is the one that would be sent. */
export function isSame({ requests }: UnfinishedUpload, there: SentPart, { bytes, sha256 }: Part): boolean {
  if (there.sizeBytes !== bytes.byteLength) return false;
  if (requests.location.checksums) return there.sha256 === sha256;
  return there.etag.replaceAll('"', "") === createHash("md5").update(bytes).digest("hex");
}

/** Makes the parts one object, and makes sure of it. */
export async function complete(upload: UnfinishedUpload, parts: readonly SentPart[]): Promise<void> {
  const { requests, key, signal, id } = upload;
  const MultipartUpload = { Parts: parts.map((part) => completedPart(part, requests.location.checksums)) };
  const reply = await requests.make({ attempt: "put", key, signal }, (s3, deadline) =>
    s3.completeMultipartUpload(
      { ...at(requests, key), UploadId: id, MultipartUpload },
      { abortSignal: deadline.signal },
    ),
  );
  if (requests.location.checksums && reply.ChecksumSHA256 !== undefined) {
    if (reply.ChecksumSHA256 === checksumOf(parts)) return;
    throw odd(upload, `the store made ${reply.ChecksumSHA256} of parts that are ${checksumOf(parts)}`);
  }
  const sizeBytes = parts.reduce((sum, part) => sum + part.sizeBytes, 0);
  const found = await lookUp(requests, key, signal);
  if (found?.sizeBytes === sizeBytes) return;
  throw odd(upload, `the store has ${found?.sizeBytes ?? "none"} of the ${sizeBytes} bytes it was sent`);
}

/** Gives an upload up, so that its parts cost nothing more. What the store thinks of that changes nothing any more. */
export async function abort({ requests, key, id }: UnfinishedUpload): Promise<void> {
  await requests
    .make({ attempt: "give up the put of", key, signal: undefined }, (s3, deadline) =>
      s3.abortMultipartUpload({ ...at(requests, key), UploadId: id }, { abortSignal: deadline.signal }),
    )
    .catch(() => undefined);
}

async function withParts(target: UploadTarget, id: string): Promise<UnfinishedUpload> {
  const { requests, key, signal } = target;
  const parts = new Map<number, SentPart>();
  let after: { PartNumberMarker?: string } = {};
  do {
    const page = await requests.make({ attempt: "look for parts of", key, signal }, (s3, deadline) =>
      s3.listParts({ ...at(requests, key), UploadId: id, ...after }, { abortSignal: deadline.signal }),
    );
    for (const part of page.Parts ?? []) parts.set(part.PartNumber ?? 0, sentPart(part));
    const more = page.IsTruncated === true && page.NextPartNumberMarker !== undefined;
    after = more ? { PartNumberMarker: page.NextPartNumberMarker! } : {};
  } while (after.PartNumberMarker !== undefined);
  return { ...target, id, parts };
}

function sentPart({ PartNumber = 0, Size = -1, ETag = "", ChecksumSHA256 }: ListedPart): SentPart {
  return { number: PartNumber, sizeBytes: Size, etag: ETag, sha256: ChecksumSHA256 };
}

function completedPart({ number, etag, sha256 }: SentPart, checksums: boolean): CompletedPart {
  const named = { PartNumber: number, ETag: etag };
  return checksums && sha256 !== undefined ? { ...named, ChecksumSHA256: sha256 } : named;
}

/** A checksum of checksums, with the number of parts. */
function checksumOf(parts: readonly SentPart[]): string {
  const whole = createHash("sha256");
  for (const { sha256 = "" } of parts) whole.update(Buffer.from(sha256, "base64"));
  return [whole.digest("base64"), parts.length].join("-");
}

function odd({ requests, key }: UploadTarget, problem: string): DatasetError<"remote-failed"> {
  return new DatasetError("remote-failed", { key }, `Cannot put "${key}" in ${requests.url}: ${problem}`);
}
