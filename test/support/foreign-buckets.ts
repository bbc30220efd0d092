/** Buckets with objects of others in them, on the test servers, for tests of links to these. */
import { makeS3Client } from "../../src/remote/s3/client.js";
import { parseS3Url } from "../../src/remote/s3/location.js";
import { type Azurite, azureContainer, azureEnvironment } from "./azurite.js";
import { type Scope, atEnd } from "./cleanup.js";
import { gcsServer } from "./gcs.js";
import type { ObjectServer } from "./object-server/server.js";
import { s3Environment, s3Server, useAccount } from "./s3.js";

export interface ForeignBucket extends Pick<ObjectServer, "faults" | "counts"> {
  /** The URL of a key, with what the test server needs. */
  urlOf: (key: string) => string;
  /** What a process needs to use it. */
  env: Record<string, string>;
  /** Whether what is replaced is kept. */
  keeps: boolean;
  put: (key: string, bytes: Uint8Array) => Promise<unknown>;
  remove: (key: string) => Promise<unknown>;
}

export async function s3Bucket(scope: Scope, versioned: boolean): Promise<ForeignBucket> {
  const server = await s3Server(scope, { versioned });
  useAccount(server);
  const settings = `?endpoint=${server.endpoint}`;
  const s3 = await makeS3Client(parseS3Url(new URL(`s3://bucket${settings}`)));
  atEnd(scope, () => s3.destroy());
  return {
    ...server,
    env: s3Environment(server),
    keeps: versioned,
    urlOf: (key) => `s3://bucket/${encodeURI(key)}${settings}`,
    put: (key, Body) => s3.putObject({ Bucket: "bucket", Key: key, Body }),
    remove: (key) => s3.deleteObject({ Bucket: "bucket", Key: key }),
  };
}

/** One that may be used without a token. */
export async function gcsBucket(scope: Scope): Promise<ForeignBucket> {
  const server = await gcsServer(scope, { publicBuckets: ["open"] });
  const settings = `?endpoint=${server.endpoint}&anonymous=1`;
  const ask = async (method: string, path: string, body?: Uint8Array) => {
    const answer = await fetch(`${server.endpoint}${path}`, { method, ...(body && { body }) });
    if (!answer.ok) throw new Error(`${method} ${path}: HTTP ${answer.status}`);
  };
  return {
    ...server,
    env: {},
    keeps: false,
    urlOf: (key) => `gs://open/${encodeURI(key)}${settings}`,
    put: (key, bytes) =>
      ask("POST", `/upload/storage/v1/b/open/o?uploadType=media&name=${encodeURIComponent(key)}`, bytes),
    remove: (key) => ask("DELETE", `/storage/v1/b/open/o/${encodeURIComponent(key)}`),
  };
}

export async function azureBucket(scope: Scope, azurite: Azurite): Promise<ForeignBucket> {
  const server = await azureContainer(scope, azurite);
  const { account, container, endpoint, direct } = server;
  return {
    ...server,
    env: azureEnvironment(azurite),
    keeps: false,
    urlOf: (key) => `azure://${account}.blob.test/${container}/${encodeURI(key)}?endpoint=${endpoint}`,
    put: (key, bytes) => direct.getBlockBlobClient(key).uploadData(bytes),
    remove: (key) => direct.deleteBlob(key),
  };
}
