/** Writes to Azure in one request. The MD5 goes along, so the store refuses what changed on its way. */
import { createHash } from "node:crypto";

import type { BlockBlobUploadOptions } from "@azure/storage-blob";

import { HASH_METADATA, at } from "./read.js";
import type { AzureRequests } from "./requests.js";
import type { ObjectKey, PutOptions } from "../remote.js";

/** Writes an object, replacing one of the same key. */
export async function putBytes(
  requests: AzureRequests,
  key: ObjectKey,
  body: Uint8Array,
  options: PutOptions = {},
): Promise<void> {
  await send(requests, "put", key, body, options, {});
}

/**
 * Writes an object unless there is one.
 * Source: https://learn.microsoft.com/en-us/rest/api/storageservices/specifying-conditional-headers-for-blob-service-operations
 * @throws {DatasetError} `object-exists`
 */
export async function createBytes(
  requests: AzureRequests,
  key: ObjectKey,
  body: Uint8Array,
  options: PutOptions = {},
): Promise<void> {
  await send(requests, "create", key, body, options, { conditions: { ifNoneMatch: "*" } });
}

async function send(
  requests: AzureRequests,
  attempt: string,
  key: ObjectKey,
  body: Uint8Array,
  { signal, sha256 }: PutOptions,
  options: BlockBlobUploadOptions,
): Promise<void> {
  const hash = sha256 ?? createHash("sha256").update(body).digest("hex");
  const checks = { transactionalContentMD5: md5Of(body), metadata: { [HASH_METADATA]: hash } };
  const asked = { attempt, key, signal, sendsBytes: body.byteLength };
  await requests.make(asked, async (container, deadline) => {
    const blob = container.getBlockBlobClient(at(requests, key));
    await blob.upload(body, body.byteLength, { ...options, ...checks, abortSignal: deadline.signal });
  });
}

/** The only checksum that the store compares with what came, and that Node computes. */
export function md5Of(bytes: Uint8Array): Uint8Array {
  return createHash("md5").update(bytes).digest();
}
