/** Writes to Google Cloud Storage in one request. An MD5 goes along, so the store refuses what changed on its way. */
import { createHash, randomUUID } from "node:crypto";

import { discard } from "./client.js";
import { type GcsRequests, uploadPath } from "./requests.js";
import type { ObjectKey, PutOptions } from "../remote.js";

/** User metadata in which an object's SHA-256 lies, hex, as in other stores. */
const HASH_METADATA = "varve-sha256";

const TYPE = "application/octet-stream";

/** Writes an object, replacing one of the same key. */
export async function putBytes(
  requests: GcsRequests,
  key: ObjectKey,
  body: Uint8Array,
  options: PutOptions = {},
): Promise<void> {
  await send(requests, "put", key, body, options, {});
}

/**
 * Writes an object unless there is one: its generation must be 0, which is that of no object.
 * Source: https://cloud.google.com/storage/docs/request-preconditions
 * @throws {DatasetError} `object-exists`
 */
export async function createBytes(
  requests: GcsRequests,
  key: ObjectKey,
  body: Uint8Array,
  options: PutOptions = {},
): Promise<void> {
  await send(requests, "create", key, body, options, { ifGenerationMatch: "0" });
}

/** What is written about an object with its bytes. */
export function metadataOf(requests: GcsRequests, key: ObjectKey, sha256: string | undefined): object {
  return {
    name: requests.location.prefix + key,
    contentType: TYPE,
    // Else a public object may come from a cache for an hour after it was replaced.
    cacheControl: "no-store",
    ...(sha256 !== undefined && { metadata: { [HASH_METADATA]: sha256 } }),
  };
}

/** Source: https://cloud.google.com/storage/docs/uploading-objects#uploading-an-object (multipart) */
async function send(
  requests: GcsRequests,
  attempt: string,
  key: ObjectKey,
  bytes: Uint8Array,
  { signal, sha256 }: PutOptions,
  condition: Record<string, string>,
): Promise<void> {
  const hash = sha256 ?? createHash("sha256").update(bytes).digest("hex");
  const md5Hash = createHash("md5").update(bytes).digest("base64");
  const { body, boundary } = framed({ ...metadataOf(requests, key, hash), md5Hash }, bytes);
  await requests.make({ attempt, key, signal, sendsBytes: bytes.byteLength }, async (gcs, deadline) => {
    const path = uploadPath(requests, { uploadType: "multipart", fields: "name", ...condition });
    const headers = { "content-type": `multipart/related; boundary=${boundary}` };
    discard(await gcs.send({ method: "POST", path, headers, body, signal: deadline.signal }));
  });
}

function framed(metadata: object, bytes: Uint8Array): { body: Uint8Array[]; boundary: string } {
  const boundary = randomUUID(); // In no body but by a chance of 2^-122.
  const head = [
    `--${boundary}\r\ncontent-type: application/json\r\n\r\n${JSON.stringify(metadata)}\r\n`,
    `--${boundary}\r\ncontent-type: ${TYPE}\r\n\r\n`,
  ];
  return { body: [Buffer.from(head.join("")), bytes, Buffer.from(`\r\n--${boundary}--`)], boundary };
}
