/**
 * Puts of streams. A short one goes in one request, a long one in parts: a few at once, each with its SHA-256, each tried
 * again by itself. Parts of an unfinished upload of the same key are taken over, whichever process sent them, where their
 * size and checksum are those of the bytes to be sent; so what was interrupted sends only the rest.
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
 */
import { isDatasetError } from "../../errors.js";
import { checkSignal } from "../cancel.js";
import { type Part, partBytesFor, partsOf } from "../parts.js";
import type { Body, ObjectKey, PutOptions } from "../remote.js";
import { putBytes } from "./put.js";
import { lookUp } from "./read.js";
import type { S3Requests } from "./requests.js";
import { PARTS_AT_ONCE, checkSent, mayGoOn, sendParts, sendPatiently } from "../sending.js";
import { Slots } from "../slots.js";
import { type SentPart, type UnfinishedUpload, abort, begin, complete, findUnfinished, isSame, sendPart } from "./multipart.js"; // prettier-ignore

/** Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const MAX_PARTS = 10_000;

type Stream = Exclude<Body, Uint8Array>;
export type Upload = (key: ObjectKey, body: Stream, options?: PutOptions) => Promise<void>;

/** Uploads to one remote, which share the memory for parts. */
export function uploader(requests: S3Requests): Upload {
  const slots = new Slots(PARTS_AT_ONCE);

  return async (key, body, options = {}) => {
    checkSignal(options.signal, `put of "${key}" in ${requests.url}`);
    const partBytes = partBytesFor(body.sizeBytes, MAX_PARTS);
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
      const source = partsOf(key, body, partBytes, options.signal);
      const { parts, sha256 } = await sendParts(source, slots, (part) => sendOnce(upload, part));
      checkSent(key, sha256, options.sha256);
      await complete(upload, parts);
    } catch (error) {
      if (await isDoneByAnother(error, key, body.sizeBytes, options)) return;
      if (!mayGoOn(error)) await abort(upload);
      throw error;
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
  const { url } = requests;
  return sendPatiently(part, { key, url, signal }, (patience) => sendPart(upload, part, patience));
}
