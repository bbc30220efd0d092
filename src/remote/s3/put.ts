/** Writes to S3 in one request. The SHA-256 goes along, so the store refuses what changed on its way. */
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import { DatasetError } from "../../errors.js";
import type { ObjectKey, PutOptions } from "../remote.js";
import { faultOf } from "./failure.js";
import { HASH_METADATA, at } from "./read.js";
import type { S3Requests } from "./requests.js";

/** A conflict tells nothing of who won; so often is the question put again. */
const CONFLICT_ATTEMPTS = 6;
const CONFLICT_PAUSE_MS = 50;

/** Writes an object, replacing one of the same key. */
export async function putBytes(
  requests: S3Requests,
  key: ObjectKey,
  body: Uint8Array,
  options: PutOptions = {},
): Promise<void> {
  await send(requests, "put", key, body, options);
}

/**
 * Writes an object unless there is one.
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
 * @throws {DatasetError} `object-exists`
 */
export async function createBytes(
  requests: S3Requests,
  key: ObjectKey,
  body: Uint8Array,
  options: PutOptions = {},
): Promise<void> {
  for (let earlier = 0; ; earlier++) {
    const outcome = await send(requests, "create", key, body, options, "*");
    if (outcome === "done") return;
    // 409: another write or delete of the key was under way. Whoever won, the next answer tells.
    if (earlier + 1 >= CONFLICT_ATTEMPTS) throw conflict(requests, key);
    await sleep(Math.random() * CONFLICT_PAUSE_MS * 2 ** earlier);
  }
}

async function send(
  requests: S3Requests,
  attempt: string,
  key: ObjectKey,
  body: Uint8Array,
  { signal, sha256 }: PutOptions,
  ifNoneMatch?: "*",
): Promise<"done" | "conflict"> {
  const hash = sha256 ?? createHash("sha256").update(body).digest("hex");
  return requests.make({ attempt, key, signal, sendsBytes: body.byteLength }, async (s3, deadline) => {
    const input = {
      ...at(requests, key),
      Body: body,
      ContentLength: body.byteLength,
      ChecksumSHA256: Buffer.from(hash, "hex").toString("base64"),
      Metadata: { [HASH_METADATA]: hash },
      ...(ifNoneMatch && { IfNoneMatch: ifNoneMatch }),
    };
    try {
      await s3.putObject(input, { abortSignal: deadline.signal });
      return "done";
    } catch (error) {
      if (ifNoneMatch && faultOf(error).status === 409) return "conflict";
      throw error;
    }
  });
}

function conflict({ url }: S3Requests, key: ObjectKey): DatasetError<"remote-failed"> {
  const message = `Cannot create "${key}" in ${url}: other writes of it were under way each time`;
  return new DatasetError("remote-failed", { key }, message);
}
