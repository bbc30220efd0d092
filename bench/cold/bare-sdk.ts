/**
 * The least that reads an object with the SDK and knows it to be right: ranges as varve asks for them, a SHA-256 over
 * each. Run as `node bare-sdk.js BUCKET KEY [unhashed]`; prints seconds, without those for loading the SDK.
 */
import { createHash } from "node:crypto";

import { S3 } from "@aws-sdk/client-s3";
import pLimit from "p-limit";

import { REQUEST_BYTES } from "../../src/cache/requests.js";

const AT_ONCE = 16;

const [bucket, key, unhashed] = process.argv.slice(2) as [string, string, string?];
const s3 = new S3({ forcePathStyle: true });
const { ContentLength: sizeBytes = 0 } = await s3.headObject({ Bucket: bucket, Key: key });
const limit = pLimit(AT_ONCE);
const starts = Array.from(
  { length: Math.ceil(sizeBytes / REQUEST_BYTES) },
  (_, index) => index * REQUEST_BYTES,
);

const started = performance.now();
await Promise.all(starts.map((start) => limit(readRange, start)));
console.log((performance.now() - started) / 1000);
s3.destroy();

async function readRange(start: number): Promise<string | undefined> {
  const end = Math.min(start + REQUEST_BYTES, sizeBytes);
  const reply = await s3.getObject({ Bucket: bucket, Key: key, Range: `bytes=${start}-${end - 1}` });
  const bytes = await reply.Body!.transformToByteArray();
  return unhashed === undefined ? createHash("sha256").update(bytes).digest("hex") : undefined;
}
