/**
 * Puts of streams. A short one goes in one request, a long one in parts: a few at once, each with its SHA-256, each tried
 * again by itself. Parts of an unfinished upload of the same key are taken over, whichever process sent them, where their
 * size and checksum are those of the bytes to be sent; so what was interrupted sends only the rest.
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
 */
import { createHash } from "node:crypto";

import { DatasetError, isDatasetError } from "../errors.js";
import { checkSignal } from "./cancel.js";
import { DEFAULT_POLICY, patiently } from "./patience.js";
import type { Body, ObjectKey, PutOptions } from "./remote.js";
import { type Part, partBytesFor, partsOf } from "./s3-parts.js";
import { putBytes } from "./s3-put.js";
import { lookUp } from "./s3-read.js";
import type { S3Requests } from "./s3-requests.js";
import { Slots } from "./slots.js";
import { type SentPart, type UnfinishedUpload, abort, begin, complete, findUnfinished, isSame, sendPart } from "./s3-multipart.js"; // prettier-ignore

/** Parts of all uploads of a remote that are in memory, 16 MiB each unless the object is huge. */
const PARTS_AT_ONCE = 6;

type Stream = Exclude<Body, Uint8Array>;
export type Upload = (key: ObjectKey, body: Stream, options?: PutOptions) => Promise<void>;

/** Uploads to one remote, which share the memory for parts. */
export function uploader(requests: S3Requests): Upload {
  const slots = new Slots(PARTS_AT_ONCE);

  return async (key, body, options = {}) => {
    checkSignal(options.signal, `put of "${key}" in ${requests.url}`);
    const partBytes = partBytesFor(body.sizeBytes);
    if (body.sizeBytes > partBytes) return uploadInParts(key, body, partBytes, options);
    for await (const { bytes } of partsOf(key, body, partBytes, options.signal))
      await putBytes(requests, key, bytes, options);
  };

  async function uploadInParts(
    key: ObjectKey,
    body: Stream,
    partBytes: number,
    options: PutOptions,
  ): Promise<void> {
    const target = { requests, key, signal: options.signal };
    const upload = (await findUnfinished(target)) ?? (await begin(target));
    try {
      const sent = await sendParts(upload, body, partBytes, options.sha256);
      await complete(upload, sent);
    } catch (error) {
      if (await isDoneByAnother(error, key, body.sizeBytes, options)) return;
      if (!mayGoOn(error)) await abort(upload);
      throw error;
    }
  }

  async function sendParts(
    upload: UnfinishedUpload,
    body: Stream,
    partBytes: number,
    sha256: string | undefined,
  ): Promise<SentPart[]> {
    const { key, signal } = upload;
    const whole = createHash("sha256");
    const sent: Promise<SentPart>[] = [];
    const failure = new AbortController();
    const source = partsOf(key, body, partBytes, signal);
    try {
      for (;;) {
        const release = await slots.take();
        const next = await source
          .next()
          .catch((error: unknown) => (release(), Promise.reject(error as Error)));
        if (next.done || failure.signal.aborted) {
          release();
          break;
        }
        whole.update(next.value.bytes);
        const sending = sendOnce(upload, next.value).finally(release);
        sending.catch((error: unknown) => failure.abort(error));
        sent.push(sending);
      }
      const parts = await Promise.all(sent);
      checkHash(key, whole.digest("hex"), sha256);
      return parts;
    } finally {
      await Promise.allSettled(sent);
      await source.return(); // Whoever gives the stream may hold a file open for it.
    }
  }

  /** An upload that has ended under us was completed, or given up, by another process that sends the same. */
  async function isDoneByAnother(
    error: unknown,
    key: ObjectKey,
    sizeBytes: number,
    { signal, sha256 }: PutOptions,
  ): Promise<boolean> {
    // Only a key that names its content (the hash is known, and part of it) tells what the other has sent.
    if (!isDatasetError(error, "remote-failed") || sha256 === undefined || !key.includes(sha256))
      return false;
    const found = await lookUp(requests, key, signal).catch(() => undefined);
    return found?.sizeBytes === sizeBytes;
  }
}

/** A part that lies there already is not sent again. */
async function sendOnce(upload: UnfinishedUpload, part: Part): Promise<SentPart> {
  const there = upload.parts.get(part.number);
  if (there && isSame(upload, there, part)) return there;
  const { key, signal, requests } = upload;
  const what = `put of part ${part.number} of "${key}" in ${requests.url}`;
  const call = { what, signal, movesBytes: part.bytes.byteLength };
  return patiently(DEFAULT_POLICY, call, (deadline) => sendPart(upload, part, deadline.signal));
}

/** Whether a later attempt, of this process or another, can take over what was sent. */
function mayGoOn(error: unknown): boolean {
  return (["remote-failed", "remote-short", "deadline", "cancelled"] as const).some((code) =>
    isDatasetError(error, code),
  );
}

function checkHash(key: ObjectKey, got: string, wanted: string | undefined): void {
  if (wanted === undefined || got === wanted) return;
  const message = `Cannot put "${key}": its bytes have the SHA-256 ${got}, and ${wanted} was announced`;
  throw new DatasetError("content-damaged", { what: key, wanted, got }, message);
}
